package kafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/internal/event"
)

// oracle reads a partition with franz-go's consumer, up to an offset.
func oracle(t *testing.T, addrs []string, p event.Partition, to int64) map[int64]string {
	t.Helper()
	c := client(t, addrs, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.Topic: {p.Number: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	records := make(map[int64]string)
	for at := int64(-1); at < to; {
		fs := c.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatal(err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			at = r.Offset
			if !r.Attrs.IsControl() {
				records[r.Offset] = string(r.Value)
			}
		})
	}
	return records
}

// TestAnyLogFromAnyOffset writes random logs (batches of any size and codec,
// transactions of several producers, aborted ones, leaders that move) and
// reads them from random offsets on, the assignment changing in between.
func TestAnyLogFromAnyOffset(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { anyLog(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

func anyLog(t *testing.T, r *rand.Rand) {
	c := cluster(t, kfake.NumBrokers(3), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs(), FetchedBytesMax: FetchedBytesLeast})
	k := drink(t, s)
	k.assign(tee, Tag{Index: 0}, 0, event.NoEpoch) // reads along
	n := writeAnything(t, r, c.ListenAddrs(), tee, func() {
		if err := c.MoveTopicPartition("t", 0, r.Int32N(3)); err != nil {
			t.Fatal(err)
		}
	})
	checkAnyLog(t, r, s, k, c.ListenAddrs(), tee, n)
}

func checkAnyLog(t *testing.T, r *rand.Rand, s *Source, k *sink, addrs []string, part event.Partition, n int) {
	ends, err := s.Ends(t.Context(), part, event.TopicID{})
	if err != nil {
		t.Fatal(err)
	}
	last := ends.Stable - 1
	want := oracle(t, addrs, part, last)
	t.Logf("%d written, %d offsets, %d visible", n, last+1, len(want))
	same(t, k.untilTo(0, last), want)
	for i := range 8 {
		from := r.Int64N(last + 1)
		k.assign(part, Tag{Index: 0, Term: uint32(2*i + 1)}, from, event.NoEpoch)
		if r.IntN(2) == 0 { // cut short, at whatever state it is in
			from = r.Int64N(last + 1)
			k.assign(part, Tag{Index: 0, Term: uint32(2*i + 2)}, from, event.NoEpoch)
		}
		same(t, k.untilTo(0, last), want)
		to := from + r.Int64N(last+1-from)
		ranged, reached, err := s.Range(t.Context(), part, anything, from, to, RangeLimit{})
		if err != nil || reached != to {
			t.Fatalf("range from %d to %d: %d, %v", from, to, reached, err)
		}
		within := make(map[int64]string)
		for at, v := range want {
			if at <= to {
				within[at] = v
			}
		}
		same(t, &got{from: from, records: ranged}, within)
	}
}

// same compares what came with what had to come.
func same(t *testing.T, g *got, want map[int64]string) {
	t.Helper()
	came := make(map[int64]string)
	for i, v := range g.values() {
		came[g.records[i].Offset] = v
	}
	for at, v := range want {
		if at >= g.from && came[at] != v {
			t.Errorf("from %d: offset %d is %q, want %q", g.from, at, came[at], v)
		}
		delete(came, at)
	}
	if len(came) > 0 {
		t.Errorf("from %d: %d records too many", g.from, len(came))
	}
}

// writeAnything returns how many records it wrote. Now and then it calls move.
func writeAnything(t *testing.T, r *rand.Rand, addrs []string, p event.Partition, move func()) (n int) {
	var plain []*kgo.Client
	for _, codec := range codecs() {
		plain = append(plain, client(t, addrs, kgo.ProducerBatchCompression(codec)))
	}
	txs := make([]*kgo.Client, 3)
	open := make([]bool, len(txs))
	for i := range txs {
		txs[i] = transactor(t, addrs, fmt.Sprint(t.Name(), i))
	}
	write := func(c *kgo.Client) {
		var kv []string
		for range 1 + r.IntN(20) {
			kv = append(kv, []string{"k", "l"}[r.IntN(2)], fmt.Sprint(n, strings.Repeat("z", r.IntN(3)*r.IntN(4000))))
			n++
		}
		produce(t, c, p, kv...)
	}
	for range 60 {
		switch i := r.IntN(len(txs)); r.IntN(6) {
		case 0, 1:
			write(plain[r.IntN(len(plain))])
		case 2, 3:
			if !open[i] {
				open[i] = true
				if err := txs[i].BeginTransaction(); err != nil {
					t.Fatal(err)
				}
			}
			write(txs[i])
		case 4:
			if open[i] {
				open[i] = false
				end(t, txs[i], r.IntN(2) == 0)
			}
		case 5:
			if r.IntN(4) == 0 {
				move()
			}
		}
	}
	for i := range txs {
		if open[i] {
			end(t, txs[i], r.IntN(2) == 0)
		}
	}
	return n
}
