package kafka

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

func TestEndsTellAllThree(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(3), kfake.SeedTopics(3, "t"))
	p := client(t, c.ListenAddrs())
	ps := []event.Partition{{Topic: "t"}, {Topic: "t", Number: 1}, {Topic: "t", Number: 2}}
	produceN(t, p, ps[0], 0, 10)
	produceN(t, p, ps[1], 0, 4)
	if err := c.DeleteRecords("t", 0, 3); err != nil {
		t.Fatal(err)
	}
	tx := begin(t, c.ListenAddrs(), "tx")
	produceN(t, tx, ps[1], 4, 5)
	s := open(t, Options{Brokers: c.ListenAddrs()})
	ends, err := s.ends(t.Context(), ps)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Ends{{3, 10, 10}, {0, 4, 9}, {0, 0, 0}} {
		if ends[ps[i]] != want {
			t.Errorf("%v: %+v, want %+v", ps[i], ends[ps[i]], want)
		}
	}
	if ends, err := s.ends(t.Context(), nil); err != nil || len(ends) != 0 {
		t.Errorf("of nothing: %v, %v", ends, err)
	}
}

func TestOffsetsAreAllOrAnError(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(2), kfake.SeedTopics(2, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs()})
	ps := []event.Partition{{Topic: "t"}, {Topic: "t", Number: 1}}
	// not available for a moment: asked again, until it is
	for _, err := range []*kerr.Error{kerr.OffsetNotAvailable, kerr.LeaderNotAvailable, kerr.UnknownServerError} {
		h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "t", Partitions: []int32{1}, Err: err, Count: 2})
		if ends, e := s.ends(t.Context(), ps); e != nil || len(ends) != 2 {
			t.Errorf("%v: %v, %v", err, ends, e)
		}
		if h.Hits() != 2 {
			t.Errorf("%v: %d answers", err, h.Hits())
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	ends, err := s.ends(ctx, append(ps, event.Partition{Topic: "none"}))
	if !errors.Is(err, kerr.UnknownTopicOrPartition) || ends != nil {
		t.Errorf("missing topic: %v, %v", ends, err)
	}
	s.Close()
	if _, err := s.ends(t.Context(), ps); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestResolve(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(3, "t"))
	p := client(t, c.ListenAddrs())
	old, mixed, empty := event.Partition{Topic: "t"}, event.Partition{Topic: "t", Number: 1}, event.Partition{Topic: "t", Number: 2}
	at := func(part event.Partition, ago time.Duration, n int) {
		for range n {
			r := &kgo.Record{Topic: "t", Partition: part.Number, Value: []byte("v"), Timestamp: time.Now().Add(-ago)}
			if err := p.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	at(old, time.Hour, 5)
	at(mixed, time.Hour, 3)
	at(mixed, time.Minute, 4)
	if err := c.DeleteRecords("t", 0, 2); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Brokers: c.ListenAddrs()})
	for name, c := range map[string]struct {
		start Start
		want  [3]int64
	}{
		"end":       {End(), [3]int64{5, 7, 0}},
		"beginning": {Beginning(), [3]int64{2, 0, 0}},
		"15 min":    {Ago(15 * time.Minute), [3]int64{5, 3, 0}},
		"a day":     {Ago(24 * time.Hour), [3]int64{2, 0, 0}},
	} {
		got, err := s.Resolve(t.Context(), []event.Partition{old, mixed, empty}, c.start)
		if err != nil || [3]int64{got[old], got[mixed], got[empty]} != c.want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
}

// TestEndLeavesNoOpenTransactionOut is why End means the last stable offset.
func TestEndLeavesNoOpenTransactionOut(t *testing.T) {
	c, s, k := rig(t, 5)
	tx := begin(t, c.ListenAddrs(), "tx")
	produceN(t, tx, tee, 5, 3)
	at, err := s.Resolve(t.Context(), []event.Partition{tee}, End())
	if err != nil || at[tee] != 5 {
		t.Fatal(at, err)
	}
	k.assign(tee, Tag{}, at[tee], event.NoEpoch)
	end(t, tx, true) // committed after the start: it is to be seen
	numbers(t, k.untilTo(0, 8).values(), 5, 3)
}

func TestCompare(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(2), kfake.SeedTopics(1, "t"))
	p := client(t, c.ListenAddrs())
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	produceN(t, p, tee, 0, 4)
	move := func() {
		if err := c.MoveTopicPartition("t", 0, 1-c.LeaderFor("t", 0)); err != nil {
			t.Fatal(err)
		}
	}
	move()
	produceN(t, p, tee, 4, 4)
	k.assign(tee, Tag{}, 0, event.NoEpoch)
	g := k.untilTo(0, 7)
	first, second := g.records[0].Epoch, g.last.ToEpoch
	check := func(held int64, epoch int32, kind FaultKind, offset int64) {
		t.Helper()
		f, err := s.Compare(t.Context(), tee, Mark{Offset: held, Epoch: epoch}, 0)
		if err != nil || f.Kind != kind || f.Offset != offset {
			t.Errorf("%d of epoch %d: %+v, %v, want %v at %d", held, epoch, f, err, kind, offset)
		}
	}
	check(3, first, NoFault, 0)
	check(7, second, NoFault, 0)
	check(4, first, Truncated, 4)    // it ended at 4
	check(9, second, Truncated, 8)   // its log is shorter
	check(7, second+5, Truncated, 7) // it never heard of that epoch
	check(-1, first, NoFault, 0)
	check(7, event.NoEpoch, NoFault, 0)
	move() // nothing appended: kfake says then that it knows no epoch
	check(7, second, NoFault, 0)
	check(7, first, Truncated, 4)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetForLeaderEpoch}, Topic: "t", Err: kerr.NotLeaderForPartition, Count: 2})
	check(3, first, NoFault, 0)
	if _, err := s.Compare(t.Context(), tee, Mark{Topic: event.TopicID{1}, Offset: 3, Epoch: first}, 0); !errors.Is(err, ErrRecreated) {
		t.Errorf("of another incarnation: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := s.Compare(ctx, tee, Mark{Offset: 3, Epoch: first}, second+9); !errors.Is(err, errRewound) {
		t.Errorf("by a leader that is behind: %v", err)
	}
}
