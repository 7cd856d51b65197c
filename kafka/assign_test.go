package kafka

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

func TestAssignReplacesWhatWasAssigned(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(2, "t"))
	p := client(t, c.ListenAddrs())
	part, other := event.Partition{Topic: "t"}, event.Partition{Topic: "t", Number: 1}
	for i := range 10 {
		produceN(t, p, part, i*10, 10)
		produceN(t, p, other, i*10, 10)
	}
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	k.assign(part, Tag{Term: 1}, 0, event.NoEpoch)
	k.assign(other, Tag{Index: 1, Term: 1}, 50, event.NoEpoch)
	numbers(t, k.untilTo(0, 99).values(), 0, 100)
	k.assign(part, Tag{Term: 2, Era: 1}, 37, event.NoEpoch) // within a batch
	numbers(t, k.untilTo(0, 99).values(), 37, 63)
	produceN(t, p, part, 100, 1)
	numbers(t, k.untilTo(0, 100).values(), 37, 64)
	numbers(t, k.untilTo(1, 99).values(), 50, 50) // went on, untouched
}

func TestNothingComesAfterRevoke(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(2, "t"))
	p := client(t, c.ListenAddrs())
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	part, other := event.Partition{Topic: "t"}, event.Partition{Topic: "t", Number: 1}
	k.assign(part, Tag{}, 0, event.NoEpoch)
	k.assign(other, Tag{Index: 1}, 0, event.NoEpoch)
	produceN(t, p, part, 0, 5)
	k.untilTo(0, 4)
	s.Revoke(part)
	s.Revoke(part)                            // not assigned: nothing to do
	s.Revoke(event.Partition{Topic: "never"}) // nor this one
	produceN(t, p, part, 5, 5)
	produceN(t, p, other, 0, 5)
	k.untilTo(1, 4)
	if g := k.until(0, "", func(*got) bool { return true }); g.last.To != 4 {
		t.Errorf("came to %d", g.last.To)
	}
}

// TestLateResultsStayOut assigns anew while an answer for the assignment
// before is waiting to be taken, and while one is on its way.
func TestLateResultsStayOut(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	part := event.Partition{Topic: "t"}
	produceN(t, client(t, c.ListenAddrs()), part, 0, 10)
	s := open(t, Options{Brokers: c.ListenAddrs()})
	s.Assign(part, Tag{Term: 1}, 0, event.NoEpoch)
	eventually(t, "an answer", func() bool { return s.Stats().Fetches > 0 })
	s.Assign(part, Tag{Term: 2}, 4, event.NoEpoch)
	var told []Fetched
	for len(told) == 0 || told[len(told)-1].To < 9 {
		err := poll(t, s, func(f Fetched) { told = append(told, f) })
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range told {
		if f.Term != 2 || f.Prev < 3 {
			t.Errorf("%+v", f.Advance)
		}
	}
	if n := s.Stats().Stale; n != 1 {
		t.Errorf("%d counted as stale", n)
	}
}

func TestAnswerOnItsWayStaysOut(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	part := event.Partition{Topic: "t"}
	produceN(t, client(t, c.ListenAddrs()), part, 0, 10)
	asked, send := make(chan struct{}), make(chan struct{})
	var once sync.Once
	c.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		first := false
		once.Do(func() { first = true })
		if first {
			close(asked)
			c.SleepControl(func() { <-send })
		}
		return nil, nil, false
	})
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	k.assign(part, Tag{Term: 1}, 0, event.NoEpoch)
	<-asked
	k.assign(part, Tag{Term: 2}, 6, event.NoEpoch)
	close(send)
	numbers(t, k.untilTo(0, 9).values(), 6, 4)
}

func TestAssignWithinTheCallback(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	part := event.Partition{Topic: "t"}
	p := client(t, c.ListenAddrs())
	produceN(t, p, part, 0, 3*handRecords) // several calls for one answer
	s := open(t, Options{Brokers: c.ListenAddrs()})
	s.Assign(part, Tag{Term: 1}, 0, event.NoEpoch)
	term, at := uint32(1), int64(-1)
	for at < 3*handRecords-1 {
		err := poll(t, s, func(f Fetched) {
			if f.Term != term || f.Prev != at {
				t.Fatalf("%+v at %d in term %d", f.Advance, at, term)
			}
			if at = f.To; term < 4 && at >= 0 {
				term++
				at -= 100
				s.Assign(part, Tag{Term: term}, at+1, event.NoEpoch)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if term != 4 {
		t.Errorf("term %d", term)
	}
}

// TestANewPartitionDoesNotWaitForALongPoll assigns one while the broker's only
// connection for fetches waits for records of another.
func TestANewPartitionDoesNotWaitForALongPoll(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(50, "t"))
	p := client(t, c.ListenAddrs())
	for n := range int32(50) {
		produceN(t, p, event.Partition{Topic: "t", Number: n}, 0, 1)
	}
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	k := drink(t, s)
	var slowest time.Duration
	for n := range 5 {
		k.assign(event.Partition{Topic: "t", Number: int32(n)}, Tag{Index: n}, 0, event.NoEpoch)
		k.untilTo(n, 0)
		before := s.Stats().Fetches
		eventually(t, "a long poll under way", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, f := range s.fetchers {
				if !f.sent.IsZero() && time.Since(f.sent) > 50*time.Millisecond {
					return true
				}
			}
			return s.stats.fetches.Load() > before+3
		})
	}
	began := time.Now()
	for n := 5; n < 50; n++ { // as after an election: many at once
		k.assign(event.Partition{Topic: "t", Number: int32(n)}, Tag{Index: n}, 0, event.NoEpoch)
	}
	for n := 5; n < 50; n++ {
		k.untilTo(n, 0)
		slowest = time.Since(began)
	}
	t.Logf("45 partitions in %v", slowest)
	if n := s.Stats().Errors; n != 0 {
		t.Errorf("%d errors", n)
	}
}

func TestNewTopicsAndPartitions(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(2), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	k.assign(event.Partition{Topic: "new"}, Tag{Index: 0}, 0, event.NoEpoch)
	k.assign(event.Partition{Topic: "t", Number: 1}, Tag{Index: 1}, 0, event.NoEpoch)
	eventually(t, "health tells of both", func() bool {
		ok, why := s.Health()
		return !ok && why == "new:0: topic is missing; t:1: topic has no such partition"
	})
	if err := c.CreateTopic("new", 1, nil); err != nil {
		t.Fatal(err)
	}
	p := client(t, c.ListenAddrs())
	more := kmsg.NewPtrCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = "t", 2
	more.Topics = append(more.Topics, topic)
	if _, err := more.RequestWith(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	produceN(t, p, event.Partition{Topic: "new"}, 0, 3)
	produceN(t, p, event.Partition{Topic: "t", Number: 1}, 0, 3)
	numbers(t, k.untilTo(0, 2).values(), 0, 3)
	numbers(t, k.untilTo(1, 2).values(), 0, 3)
	eventually(t, "health", func() bool { ok, _ := s.Health(); return ok })
}

// TestACallerThatStallsPausesKafka lets much more wait in Kafka than may be
// fetched, polls nothing, and then gets it all.
func TestACallerThatStallsPausesKafka(t *testing.T) {
	const brokers, parts, each, size = 3, 6, 60, 100_000
	c := cluster(t, kfake.NumBrokers(brokers), kfake.SeedTopics(parts, "t"))
	p := client(t, c.ListenAddrs())
	value := string(make([]byte, size))
	var kv []string
	for range 5 {
		kv = append(kv, "k", value)
	}
	for n := range int32(parts) {
		for range each / 5 {
			produce(t, p, event.Partition{Topic: "t", Number: n}, kv...)
		}
	}
	s := open(t, Options{Brokers: c.ListenAddrs(), FetchedBytesMax: 4 << 20})
	for n := range int32(parts) {
		s.Assign(event.Partition{Topic: "t", Number: n}, Tag{Index: int(n)}, 0, event.NoEpoch)
	}
	eventually(t, "a pause", func() bool { return s.Stats().Pauses >= 1 })
	fetches, fetched := s.Stats().Fetches, s.Stats().Bytes
	ctx, cancel := context.WithTimeout(t.Context(), 3*fetchWait)
	defer cancel()
	<-ctx.Done()
	if n := s.Stats(); n.Fetches > brokers || n.Fetches < fetches || n.Bytes > 4<<20+brokers*5*size {
		t.Errorf("while nobody polls: %+v, at first %d fetches, %d bytes", n, fetches, fetched)
	}
	if ok, why := s.Health(); !ok {
		t.Errorf("not healthy: %s", why)
	}
	got := make(map[int]int64)
	for total := 0; total < parts*each; {
		err := poll(t, s, func(f Fetched) {
			if got[f.Partition] != f.Prev+1 {
				t.Fatalf("%+v at %d", f.Advance, got[f.Partition])
			}
			got[f.Partition] = f.To + 1
			total += len(f.Records)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
