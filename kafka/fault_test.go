package kafka

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

var tee = event.Partition{Topic: "t"}

// rig is one broker, one partition and what reads it.
func rig(t *testing.T, records int) (*kfake.Cluster, *Source, *sink) {
	t.Helper()
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if records > 0 {
		produceN(t, client(t, c.ListenAddrs()), tee, 0, records)
	}
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	return c, s, drink(t, s)
}

func topicID(t *testing.T, c *kfake.Cluster, topic string) event.TopicID {
	t.Helper()
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{topic}})
	top, err := s.Topology(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return top.Topics[0].ID
}

func TestTrimmedAtAssignmentAndUnderway(t *testing.T) {
	c, _, k := rig(t, 10)
	if err := c.DeleteRecords("t", 0, 6); err != nil {
		t.Fatal(err)
	}
	k.assign(tee, Tag{Term: 1}, 3, event.NoEpoch)
	if f := k.untilFault(0); f.Kind != Trimmed || f.Offset != 6 {
		t.Errorf("%+v", f)
	}
	k.assign(tee, Tag{Term: 2}, 6, event.NoEpoch)
	numbers(t, k.untilTo(0, 9).values(), 6, 4)
}

func TestARecreatedTopicIsToldOnce(t *testing.T) {
	c, s, k := rig(t, 10)
	old := topicID(t, c, "t")
	k.assign(tee, Tag{Term: 1, Topic: old}, 0, event.NoEpoch)
	k.untilTo(0, 9)
	if err := c.DeleteTopic("t"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "missing", func() bool {
		_, why := s.Health()
		return strings.Contains(why, "topic is missing") || strings.Contains(why, "UNKNOWN_TOPIC")
	})
	if err := c.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	produceN(t, client(t, c.ListenAddrs()), tee, 100, 20)
	f := k.untilFault(0)
	now := topicID(t, c, "t")
	if f.Kind != Recreated || f.Topic != now || now == old {
		t.Errorf("%+v, topic %x, before %x", f, now, old)
	}
	if g := k.until(0, "", func(*got) bool { return true }); g.last.To != 9 || len(g.faults) != 1 {
		t.Errorf("%+v %v", g.last, g.faults)
	}
	k.assign(tee, Tag{Term: 2, Topic: now}, 0, event.NoEpoch)
	numbers(t, k.untilTo(0, 19).values(), 100, 20)
	// who still believes in the old one is told at once
	k.assign(tee, Tag{Term: 3, Topic: event.TopicID{9}}, 0, event.NoEpoch)
	if f := k.untilFault(0); f.Kind != Recreated || f.Topic != now {
		t.Errorf("%+v", f)
	}
}

// TestALaggingBrokerIsNotBelieved: metadata that shows another incarnation
// once or twice is no fault, and neither is the one before the present.
func TestALaggingBrokerIsNotBelieved(t *testing.T) {
	c, s, k := rig(t, 5)
	k.assign(tee, Tag{}, 0, event.NoEpoch)
	k.untilTo(0, 4)
	s.mu.Lock()
	a := s.parts[tee]
	real := a.topic
	for range recreatedAfter - 1 {
		if s.same(a, event.TopicID{7}) || a.rests() {
			t.Error("believed too soon")
		}
	}
	if !s.same(a, real) || a.strange != 0 {
		t.Error("the row isn't broken by the real one")
	}
	s.retired["t"] = event.TopicID{8}
	for range 10 {
		if s.same(a, event.TopicID{8}) || a.rests() {
			t.Error("the one before is believed")
		}
	}
	if !s.same(a, event.TopicID{}) {
		t.Error("no id is another one")
	}
	s.mu.Unlock()
	produceN(t, client(t, c.ListenAddrs()), tee, 5, 5)
	numbers(t, k.untilTo(0, 9).values(), 0, 10)
}

// breakBatches changes what fetches bring, as often as told.
func breakBatches(c *kfake.Cluster, times int32, change func([]byte)) *atomic.Int32 {
	left := new(atomic.Int32)
	left.Store(times)
	c.ControlKey(int16(kmsg.Fetch), func(in kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := in.(*kmsg.FetchRequest)
		if len(req.Topics) == 0 || req.Topics[0].Partitions[0].FetchOffset != 3 || left.Add(-1) < 0 {
			return nil, nil, false
		}
		batch := plainBatch(3, 3, 0)
		change(batch)
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		p := kmsg.NewFetchResponseTopicPartition()
		p.RecordBatches = slices.Concat(batch, plainBatch(6, 4, 0))
		p.HighWatermark, p.LastStableOffset = 10, 10
		t := kmsg.NewFetchResponseTopic()
		t.TopicID, t.Partitions = req.Topics[0].TopicID, []kmsg.FetchResponseTopicPartition{p}
		resp.Topics = []kmsg.FetchResponseTopic{t}
		return resp, nil, true
	})
	return left
}

func TestABrokenBatchIsFetchedAgain(t *testing.T) {
	for name, change := range map[string]func([]byte){
		"checksum":  func(b []byte) { b[len(b)-1]++ },
		"its head":  func(b []byte) { b[batchMagicAt] = 9 },
		"truncated": func(b []byte) { b[26], b[60] = 5, 6; sum(b) }, // claims more records than it has
	} {
		t.Run(name, func(t *testing.T) {
			c, s, k := rig(t, 10)
			breakBatches(c, unreadableAfter-1, change)
			k.assign(tee, Tag{}, 3, event.NoEpoch)
			numbers(t, k.untilTo(0, 9).values(), 3, 7)
			if n := s.Stats().Errors; n != unreadableAfter-1 {
				t.Errorf("%d errors", n)
			}
		})
	}
}

func TestABatchThatStaysBrokenIsTold(t *testing.T) {
	c, _, k := rig(t, 10)
	breakBatches(c, 1000, func(b []byte) { b[len(b)-1]++ })
	k.assign(tee, Tag{Term: 1}, 3, event.NoEpoch)
	f := k.untilFault(0)
	if f.Kind != Unreadable || f.Offset != 6 || f.Err == nil {
		t.Errorf("%+v", f)
	}
	k.assign(tee, Tag{Term: 2}, f.Offset, event.NoEpoch)
	numbers(t, k.untilTo(0, 9).values(), 6, 4)
}

func TestAFaultComesBehindTheData(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	produceN(t, client(t, c.ListenAddrs()), tee, 0, 10)
	s := open(t, Options{Brokers: c.ListenAddrs()})
	s.Assign(tee, Tag{Index: 1}, 0, event.NoEpoch)
	eventually(t, "data waits", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.parts[tee].pending
	})
	s.mu.Lock()
	s.raise(s.parts[tee], Fault{Kind: Trimmed, Offset: 99})
	s.mu.Unlock()
	var told []string
	for len(told) < 2 {
		err := poll(t, s, func(f Fetched) {
			told = append(told, f.Fault.Kind.String())
			if f.To != 9 {
				t.Errorf("%+v", f.Advance)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(told, []string{"none", "trimmed"}) {
		t.Errorf("told %v", told)
	}
}

func TestAFaultOfAnEarlierAssignmentIsNotTold(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	produceN(t, client(t, c.ListenAddrs()), tee, 0, 3)
	s := open(t, Options{Brokers: c.ListenAddrs()})
	s.Assign(tee, Tag{Term: 1}, 99, event.NoEpoch)
	eventually(t, "a fault", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.parts[tee].rests()
	})
	s.Assign(tee, Tag{Term: 2}, 0, event.NoEpoch)
	for at := int64(-1); at < 2; {
		err := poll(t, s, func(f Fetched) {
			if at = f.To; f.Term != 2 || f.Fault.Kind != NoFault {
				t.Errorf("%+v", f)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFaultKindsHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for k := NoFault; k <= Unreadable+1; k++ {
		if seen[k.String()] {
			t.Errorf("%d is called %s, too", k, k)
		}
		seen[k.String()] = true
	}
}

func TestOutsideForAMomentIsNoFault(t *testing.T) {
	c, _, k := rig(t, 10)
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Err: kerr.OffsetOutOfRange, Count: 3})
	k.assign(tee, Tag{}, 0, 0)
	numbers(t, k.untilTo(0, 9).values(), 0, 10)
	if h.Hits() != 3 {
		t.Errorf("%d answers", h.Hits())
	}
}

// TestAnUnknownEpochMayBeThere: a leader that has appended nothing yet knows
// nothing of the epoch before (kfake), which is no truncation.
func TestAnUnknownEpochMayBeThere(t *testing.T) {
	c, _, k := rig(t, 10)
	answerEpochs(c, -1, -1)
	k.assign(tee, Tag{Term: 1}, 10, 0)
	produceN(t, client(t, c.ListenAddrs()), tee, 10, 5)
	numbers(t, k.untilTo(0, 14).values(), 10, 5)
	k.assign(tee, Tag{Term: 2}, 4, 0) // within a batch
	numbers(t, k.untilTo(0, 14).values(), 4, 11)
	if err := c.DeleteRecords("t", 0, 12); err != nil {
		t.Fatal(err)
	}
	k.assign(tee, Tag{Term: 3}, 12, 0) // gone, so that nothing can be proven
	if f := k.untilFault(0); f.Kind != Truncated || f.Offset != 11 {
		t.Errorf("%+v", f)
	}
}

// TestAChunkOutOfOrderIsNoGap makes one up, for there is no way to have one.
func TestAChunkOutOfOrderIsNoGap(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	produceN(t, client(t, c.ListenAddrs()), tee, 0, 10)
	s := open(t, Options{Brokers: c.ListenAddrs()})
	s.Assign(tee, Tag{}, 0, event.NoEpoch)
	s.mu.Lock()
	ahead := &chunk{part: s.parts[tee], from: 5, to: 9, data: plainBatch(5, 5, 0)}
	s.mu.Unlock()
	s.handing.Lock()
	s.hand(ahead, func(f Fetched) { t.Errorf("%+v", f.Advance) })
	s.handing.Unlock()
	var offsets []int64
	for len(offsets) < 10 {
		if err := poll(t, s, func(f Fetched) {
			for _, r := range f.Records {
				offsets = append(offsets, r.Offset)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(offsets, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("%v", offsets)
	}
}
