package kafka

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/odin-ws/odin/internal/event"
)

// running returns the stacks of goroutines that a Source has started, its
// clients' included.
func running() []string {
	buf := make([]byte, 16<<20)
	var own []string
	for _, g := range strings.Split(string(bytes.TrimSpace(buf[:runtime.Stack(buf, true)])), "\n\n") {
		if strings.Contains(g, "odin/kafka.(*") || strings.Contains(g, "franz-go/pkg/kgo.") {
			own = append(own, g)
		}
	}
	return own
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	eventually(t, "nothing of other tests", func() bool { return len(running()) == 0 })
	c := cluster(t, kfake.NumBrokers(3), kfake.SeedTopics(9, "t"))
	p := client(t, c.ListenAddrs())
	for n := range int32(9) {
		produceN(t, p, event.Partition{Topic: "t", Number: n}, 0, 100)
	}
	p.Close()
	for range 5 {
		s, err := Open(Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}, Encode: encodePlain})
		if err != nil {
			t.Fatal(err)
		}
		for n := range int32(9) {
			s.Assign(event.Partition{Topic: "t", Number: n}, Tag{}, 0, event.NoEpoch)
		}
		polled := 0
		for polled < 200 {
			if err := poll(t, s, func(f Fetched) { polled += len(f.Records) }); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := s.Range(t.Context(), tee, anything, 0, 50, RangeLimit{}); err != nil {
			t.Fatal(err)
		}
		s.Close() // with answers that wait, and a partition assigned
		s.Close()
		s.Assign(tee, Tag{}, 0, event.NoEpoch) // does nothing
	}
	var left []string
	eventually(t, "all goroutines ended", func() bool { left = running(); return len(left) == 0 })
	if len(left) > 0 {
		t.Errorf("left: %s", left[0])
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	var all sync.WaitGroup
	for _, wait := range []func() error{
		func() error { return s.Serve(context.Background(), func(Fetched) {}, func() {}) },
		func() error { return s.Serve(context.Background(), func(Fetched) {}, func() {}) },
		func() error {
			_, _, err := s.Range(context.Background(), tee, anything, 0, 5, RangeLimit{})
			return err
		},
		func() error {
			_, err := s.Ends(context.Background(), event.Partition{Topic: "none"}, event.TopicID{})
			return err
		},
	} {
		all.Go(func() {
			if err := wait(); !errors.Is(err, ErrClosed) {
				t.Errorf("ended with %v", err)
			}
		})
	}
	eventually(t, "a metadata", func() bool { ok, _ := s.Health(); return ok })
	s.Close()
	all.Wait()
	if ok, why := s.Health(); ok || why != "closed" {
		t.Errorf("%v, %q", ok, why)
	}
}

func TestCloseWhileAssigning(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(2), kfake.SeedTopics(8, "t"))
	for range 10 {
		s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
		var all sync.WaitGroup
		begun := make(chan struct{})
		all.Go(func() {
			for i := range 200 {
				if i == 50 {
					close(begun)
				}
				s.Assign(event.Partition{Topic: "t", Number: int32(i % 8)}, Tag{Term: uint32(i)}, 0, event.NoEpoch)
				s.Revoke(event.Partition{Topic: "t", Number: int32(i % 5)})
			}
		})
		<-begun
		s.Close()
		all.Wait()
	}
}
