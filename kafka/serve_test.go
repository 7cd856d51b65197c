package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

func TestRecordsComeInOrderWithoutAGap(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(3), kfake.SeedTopics(4, "a", "b"))
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"a", "b"}})
	k := drink(t, s)
	p := client(t, c.ListenAddrs())
	var parts []event.Partition
	for _, topic := range []string{"a", "b"} {
		for n := range int32(4) {
			parts = append(parts, event.Partition{Topic: topic, Number: n})
		}
	}
	for i, part := range parts {
		k.assign(part, Tag{Index: i, Term: 1}, 0, event.NoEpoch)
	}
	for round := range 20 {
		for _, part := range parts {
			produceN(t, p, part, round*7, 7)
		}
	}
	for i := range parts {
		g := k.untilTo(i, 139)
		numbers(t, g.values(), 0, 140)
	}
	if ok, why := s.Health(); !ok {
		t.Errorf("not healthy: %s", why)
	}
	if n := s.Stats(); n.Fetches == 0 || n.Bytes == 0 || n.Errors != 0 || n.Stale != 0 {
		t.Errorf("%+v", n)
	}
}

func TestARecordIsWholeForTheEncoder(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	var seen []string
	s := open(t, Options{Brokers: c.ListenAddrs(), Encode: func(dst []byte, r Raw) ([]byte, []byte, int) {
		first, ok1 := r.Header("h")
		_, ok2 := r.Header("none")
		seen = append(seen, fmt.Sprintf("%v %d %d key=%q value=%q,%v h=%q,%v,%v", r.Partition, r.Offset, r.Time, r.Key, r.Value, r.Value == nil, first, ok1, ok2))
		return encodePlain(dst, r)
	}})
	k := drink(t, s)
	p := client(t, c.ListenAddrs())
	at := time.UnixMilli(1763800000123)
	for _, r := range []*kgo.Record{
		{Key: []byte("k"), Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "x"}, {Key: "h", Value: []byte("2")}}},
		{Key: []byte("k")},
		{Key: []byte(""), Value: []byte("")},
	} {
		r.Topic, r.Timestamp = "t", at
		if err := p.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	k.assign(event.Partition{Topic: "t"}, Tag{}, 0, event.NoEpoch)
	g := k.untilTo(0, 2)
	want := []string{
		`t:0 0 1763800000123 key="k" value="v",false h="2",true,false`,
		`t:0 1 1763800000123 key="k" value="",true h="",false,false`,
		`t:0 2 1763800000123 key="" value="",false h="",false,false`,
	}
	if !slices.Equal(seen, want) {
		t.Errorf("encoder saw\n%s", strings.Join(seen, "\n"))
	}
	if r := g.records[0]; string(r.Channel) != "k" || string(r.Frame) != "<v>" || r.Time != at.UnixMilli() || r.Offset != 0 {
		t.Errorf("%+v", r)
	}
}

func TestBoundsOfTheLogComeAlong(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	part := event.Partition{Topic: "t"}
	k.assign(part, Tag{}, 0, event.NoEpoch)
	is := func(stable, high, start int64) func(*got) bool {
		return func(g *got) bool { return g.last.Stable == stable && g.last.High == high && g.last.LogStart == start }
	}
	// an empty log, too
	k.until(0, "bounds of nothing", is(0, 0, 0))
	produceN(t, client(t, c.ListenAddrs()), part, 0, 5)
	k.until(0, "bounds of 5", is(5, 5, 0))
	// an open transaction moves the high watermark alone: no record, yet told
	tx := begin(t, c.ListenAddrs(), "tx")
	produceN(t, tx, part, 5, 2)
	k.until(0, "open transaction", is(5, 7, 0))
	end(t, tx, true)
	k.until(0, "committed", is(8, 8, 0))
	if g := k.untilTo(0, 7); len(g.records) != 7 {
		t.Errorf("%d records", len(g.records))
	}
}

// begin opens a transaction.
func begin(t *testing.T, addrs []string, id string) *kgo.Client {
	t.Helper()
	c := transactor(t, addrs, id)
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	return c
}

func end(t *testing.T, c *kgo.Client, commit bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if err := c.EndTransaction(ctx, kgo.TransactionEndTry(commit)); err != nil {
		t.Fatal(err)
	}
}

func TestAbortedRecordsMoveOnOnly(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	part := event.Partition{Topic: "t"}
	k.assign(part, Tag{}, 0, event.NoEpoch)
	tx := begin(t, c.ListenAddrs(), "tx")
	produceN(t, tx, part, 100, 3)
	k.until(0, "open transaction", func(g *got) bool { return g.last.High == 3 })
	end(t, tx, false)
	// the tail of the log is nothing but aborted records and their marker
	if g := k.untilTo(0, 3); len(g.records) != 0 || g.last.Stable != 4 {
		t.Errorf("%d records, %+v", len(g.records), g.last)
	}
	if err := tx.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produceN(t, tx, part, 0, 2)
	end(t, tx, true)
	numbers(t, k.untilTo(0, 6).values(), 0, 2)
}

func TestSkippedRecordsAreCounted(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	part := event.Partition{Topic: "t"}
	p := client(t, c.ListenAddrs())
	produce(t, p, part, skipKey, "1", "k", "0", skipKey, "2", "k", "1")
	produce(t, p, part, skipKey, "3")
	k.assign(part, Tag{}, 0, event.NoEpoch)
	g := k.untilTo(0, 4)
	numbers(t, g.values(), 0, 2)
	if g.skipped[3] != 3 {
		t.Errorf("skipped %v", g.skipped)
	}
}

func TestUnknownSkipReasonIsTheLast(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	reasons := []int{-1, SkipReasons, 1000}
	s := open(t, Options{Brokers: c.ListenAddrs(), Encode: func(_ []byte, r Raw) ([]byte, []byte, int) {
		return nil, nil, reasons[r.Offset]
	}})
	k := drink(t, s)
	produceN(t, client(t, c.ListenAddrs()), event.Partition{Topic: "t"}, 0, 3)
	k.assign(event.Partition{Topic: "t"}, Tag{}, 0, event.NoEpoch)
	if g := k.untilTo(0, 2); g.skipped[0] != 1 || g.skipped[SkipReasons-1] != 2 {
		t.Errorf("%v", g.skipped)
	}
}

func TestCompactionLeavesNoGap(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1))
	if err := c.CreateTopic("t", 1, map[string]string{"cleanup.policy": "compact", "segment.bytes": "1", "min.cleanable.dirty.ratio": "0"}); err != nil {
		t.Fatal(err)
	}
	p := client(t, c.ListenAddrs())
	part := event.Partition{Topic: "t"}
	produce(t, p, part, "first", "0", "b0", "1") // kfake moves the log's start behind what is gone
	for i := range 9 {
		produce(t, p, part, "a", strconv.Itoa(i), "b"+strconv.Itoa(i%3), strconv.Itoa(i))
	}
	c.Compact()
	left := len(oracle(t, c.ListenAddrs(), part, 19))
	if left >= 20 {
		t.Fatalf("nothing was compacted: %d records", left)
	}
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	for from := int64(0); from < 20; from += 3 {
		k.assign(part, Tag{Term: uint32(from)}, from, event.NoEpoch)
		k.untilTo(0, 19)
	}
	k.assign(part, Tag{Term: 100}, 0, event.NoEpoch)
	if g := k.untilTo(0, 19); len(g.records) != left {
		t.Errorf("%d records, want %d", len(g.records), left)
	}
}

func TestEveryCodecIsRead(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	part := event.Partition{Topic: "t"}
	k.assign(part, Tag{}, 0, event.NoEpoch)
	n := 0
	for _, codec := range codecs() {
		produceN(t, client(t, c.ListenAddrs(), kgo.ProducerBatchCompression(codec)), part, n, 500)
		n += 500
	}
	numbers(t, k.untilTo(0, int64(n-1)).values(), 0, n)
}

func TestMuchComesInSeveralCalls(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	p := client(t, c.ListenAddrs())
	part := event.Partition{Topic: "t"}
	produceN(t, p, part, 0, 3*handRecords)
	big := strings.Repeat("x", 300_000)
	var kv []string
	for range 12 {
		kv = append(kv, "k", big)
	}
	produce(t, p, part, kv...)
	produce(t, p, part, "k", strings.Repeat("y", 990_000)) // larger than the room that is left
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	k.assign(part, Tag{}, 0, event.NoEpoch)
	g := k.untilTo(0, 3*handRecords+12)
	numbers(t, g.values()[:3*handRecords], 0, 3*handRecords)
	for i, v := range g.values()[3*handRecords : 3*handRecords+12] {
		if v != big {
			t.Fatalf("large record %d has %d bytes", i, len(v))
		}
	}
	if v := g.values()[3*handRecords+12]; len(v) != 990_000 || strings.Trim(v, "y") != "" {
		t.Errorf("largest record: %d bytes", len(v))
	}
	if g.calls < 3+3 {
		t.Errorf("%d calls", g.calls)
	}
}

func TestAnAdvanceIsOfOneEpoch(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(2), kfake.SeedTopics(1, "t"))
	p := client(t, c.ListenAddrs())
	part := event.Partition{Topic: "t"}
	for i := range 6 {
		produceN(t, p, part, i*3, 3)
		if err := c.MoveTopicPartition("t", 0, int32(i%2)); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	k.assign(part, Tag{}, 0, event.NoEpoch)
	g := k.untilTo(0, 17) // the sink checks each call
	numbers(t, g.values(), 0, 18)
	if first, last := g.records[0].Epoch, g.records[17].Epoch; last != first+5 || g.last.ToEpoch != last {
		t.Errorf("epochs %d to %d, told %d", first, last, g.last.ToEpoch)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs()})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	none := func(Fetched) { t.Error("something came") }
	if err := s.Serve(ctx, none, func() {}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	s.Close()
	if err := s.Serve(t.Context(), none, func() {}); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestIdleIsQuiet(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	var fetches atomic.Int64
	c.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		fetches.Add(1)
		return nil, nil, false
	})
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	k.assign(event.Partition{Topic: "t"}, Tag{}, 0, event.NoEpoch)
	k.until(0, "bounds", func(g *got) bool { return g.last.High == 0 })
	calls := k.until(0, "", func(*got) bool { return true }).calls
	eventually(t, "five long polls", func() bool { return s.Stats().Fetches >= 5 })
	if now := k.until(0, "", func(*got) bool { return true }).calls; now != calls {
		t.Errorf("%d calls about nothing", now-calls)
	}
	if n := fetches.Load(); n > 10 {
		t.Errorf("%d fetches", n)
	}
}

// Small answers are paused after, however fast records come: no two of fifty
// requests follow each other at once. Whoever is far behind is not kept waiting.
func TestSmallAnswersArePausedAfter(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	part := event.Partition{Topic: "t"}
	k.assign(part, Tag{}, 0, event.NoEpoch)
	k.until(0, "bounds", func(g *got) bool { return g.last.High == 0 })
	var fetches, shortest atomic.Int64
	shortest.Store(int64(time.Hour))
	var last time.Time
	c.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if !last.IsZero() {
			shortest.Store(min(shortest.Load(), int64(time.Since(last))))
		}
		last = time.Now()
		fetches.Add(1)
		return nil, nil, false
	})
	p := client(t, c.ListenAddrs())
	n := 0
	for ; fetches.Load() < 50; n++ {
		produceN(t, p, part, n, 1)
	}
	numbers(t, k.untilTo(0, int64(n-1)).values(), 0, n)
	if between := time.Duration(shortest.Load()); between < fetchPause {
		t.Errorf("a request came %v after another", between)
	}
	for _, size := range []int{0, fetchSmall - 1, fetchSmall} {
		if small := (&answer{bytes: size}).small(); small != (size < fetchSmall) {
			t.Errorf("%d bytes are small: %v", size, small)
		}
	}
}
