package demo

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func broker(t *testing.T) *Broker {
	t.Helper()
	b, err := StartBroker("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func client(t *testing.T, b *Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.Address()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestBrokerHasTheTopics(t *testing.T) {
	t.Parallel()
	details, err := kadm.NewClient(client(t, broker(t))).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(details) != 8 {
		t.Errorf("%d topics", len(details))
	}
	for _, topic := range Topics() {
		if n := len(details[string(topic)].Partitions); n != 12 {
			t.Errorf("%s has %d partitions", topic, n)
		}
	}
}

func TestBrokerListensWhereItIsTold(t *testing.T) {
	t.Parallel()
	b := broker(t)
	if again, err := StartBroker(b.Address()); err == nil {
		again.Close()
		t.Errorf("two brokers listen on %s", b.Address())
	}
	for listen, host := range map[string]string{":0": "127.0.0.1", "0.0.0.0:0": "127.0.0.1", "127.0.0.2:0": "127.0.0.2"} {
		b, err := StartBroker(listen)
		if err != nil {
			t.Fatal(err)
		}
		got, port, err := net.SplitHostPort(b.Address())
		if err != nil || got != host || port == "0" {
			t.Errorf("%s gives %s", listen, b.Address())
		}
		if err := client(t, b).Ping(t.Context()); err != nil {
			t.Errorf("%s: %v", b.Address(), err)
		}
		b.Close()
	}
}

// TestBrokerForgets: what a partition holds stays bounded.
func TestBrokerForgets(t *testing.T) {
	t.Parallel()
	b := broker(t)
	c := client(t, b, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	value := make([]byte, 64<<10)
	_, _ = rand.NewChaCha8([32]byte{}).Read(value) // nothing that compression could make smaller
	for range 4 * retentionBytes / len(value) {
		if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: string(Trades), Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	b.cluster.ApplyRetention()
	starts, err := kadm.NewClient(c).ListStartOffsets(t.Context(), string(Trades))
	if err != nil {
		t.Fatal(err)
	}
	first, _ := starts.Lookup(string(Trades), 0)
	if kept := int64(4*retentionBytes/len(value)) - first.Offset; kept > (retentionBytes+2*segmentBytes)/int64(len(value)) {
		t.Errorf("the broker keeps %d records of %d bytes", kept, len(value))
	}
}

// TestProduceIsTheMarket consumes what Produce sent, and compares it with the
// same market in order; each key's records lie in one partition.
func TestProduceIsTheMarket(t *testing.T) {
	t.Parallel()
	b := broker(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Produce(ctx, b.Address(), 2_000, NewMarket(5), slog.New(slog.DiscardHandler)) }()

	const wanted = 620
	got := consume(t, client(t, b, kgo.ConsumeTopics(names()...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), wanted)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	m, next, partition := NewMarket(5), map[string]int{}, map[string]int32{}
	for range wanted / 2 { // the consumer may have the later ones of one topic before the earlier ones of another
		e := m.Next()
		stream := fmt.Sprint(e.Topic, "/", e.Key)
		if next[stream] >= len(got[stream]) {
			t.Fatalf("%s lacks its event %d", stream, next[stream])
		}
		r := got[stream][next[stream]]
		next[stream]++
		if !bytes.Equal(r.Value, e.Value) {
			t.Fatalf("%s: %s, want %s", stream, r.Value, e.Value)
		}
		if known, ok := partition[stream]; ok && known != r.Partition {
			t.Fatalf("%s lies in partitions %d and %d", stream, known, r.Partition)
		}
		partition[stream] = r.Partition
	}
}

func consume(t *testing.T, c *kgo.Client, wanted int) map[string][]*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got := map[string][]*kgo.Record{}
	for n := 0; n < wanted; {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			stream := r.Topic + "/" + string(r.Key)
			got[stream] = append(got[stream], r)
			n++
		})
	}
	return got
}

func TestNoRateProducesNothing(t *testing.T) {
	t.Parallel()
	if err := Produce(t.Context(), "127.0.0.1:1", 0, NewMarket(1), slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
}

func TestProduceEndsWithoutABroker(t *testing.T) {
	t.Parallel()
	b := broker(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := Produce(ctx, b.Address(), 1, NewMarket(1), slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
}
