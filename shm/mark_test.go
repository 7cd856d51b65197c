package shm

import (
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// TestFurthestOfTheDead: what a slot's workers published is kept when the next
// one publishes in its place, as far as it can tell of a truncation.
func TestFurthestOfTheDead(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	for i := range int32(2) {
		if _, err := s.AddPartition(event.Partition{Topic: "t", Number: i}, 0); err != nil {
			t.Fatal(err)
		}
	}
	want := func(m Mark, some bool) {
		t.Helper()
		got, ok := r.Furthest(1)
		equal(t, "there is one", ok, some)
		if some {
			equal(t, "the furthest", got, m)
		}
	}
	bury := func(p Position) {
		s.Slot(0).PublishPosition(1, p)
		s.Bury(0)
	}
	s.Bury(1) // never published anything
	want(Mark{}, false)
	bury(Position{Epoch: event.NoEpoch, Held: 9, Positioned: true})
	bury(Position{Epoch: 0, Held: event.None, Positioned: true})
	bury(Position{Epoch: 0, Held: 9})
	want(Mark{}, false)
	bury(Position{Held: 9, Positioned: true})
	want(Mark{0, 0, 9}, true)
	bury(Position{Held: 8, Positioned: true})
	want(Mark{0, 0, 9}, true)
	bury(Position{Held: 7, Epoch: 2, Positioned: true})
	want(Mark{0, 2, 7}, true)
	bury(Position{Held: 99, Epoch: 1, Positioned: true})
	want(Mark{0, 2, 7}, true)
	bury(Position{Era: 4, Held: 1, Epoch: 1, Positioned: true})
	want(Mark{4, 1, 1}, true)
	if m, ok := r.Furthest(0); ok {
		t.Errorf("partition 0 has %+v", m)
	}
}

// TestFurthestOfAll: dead or living, whoever published it.
func TestFurthestOfAll(t *testing.T) {
	s, path := created(t, small)
	if _, err := s.AddPartition(event.Partition{Topic: "t"}, 0); err != nil {
		t.Fatal(err)
	}
	want := func(m Mark, some bool) {
		t.Helper()
		left, err := OpenLeft(path) // nobody holds the lock
		if err != nil {
			t.Fatal(err)
		}
		defer left.Close()
		got, ok := left.Reached(0)
		equal(t, "there is one", ok, some)
		if some {
			equal(t, "the furthest", got, m)
		}
	}
	publish := func(slot int, p Position) {
		p.Positioned = true
		s.Slot(slot).PublishPosition(0, p)
	}
	want(Mark{}, false)
	publish(0, Position{Epoch: event.NoEpoch, Held: 30})
	want(Mark{}, false)
	publish(1, Position{Epoch: 1, Held: 10})
	want(Mark{0, 1, 10}, true)
	publish(0, Position{Epoch: 1, Held: 12})
	want(Mark{0, 1, 12}, true)
	s.Bury(0)
	publish(0, Position{Epoch: 1, Held: 11})
	want(Mark{0, 1, 12}, true)
	publish(1, Position{Era: 1, Epoch: 1, Held: 5})
	want(Mark{1, 1, 5}, true)
}

func TestBaseEraAndRun(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	i, err := s.AddPartitionInEra(event.Partition{Topic: "t"}, 5, event.Era{Number: 3, Epoch: event.NoEpoch}, NoMark)
	if err != nil {
		t.Fatal(err)
	}
	s.Slot(0).ProposeEra(i, event.Era{Number: 4})
	s.Process().SetRun(77)
	equal(t, "era of the base", r.FirstEra(i), uint32(3))
	equal(t, "era", r.EraNumber(i), uint32(4))
	equal(t, "run", r.Process().Run(), uint64(77))
}

// TestKept: what was held before the start stands in the table with the partition,
// and is the furthest until somebody has come further.
func TestKept(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	kept := Mark{Era: 3, Epoch: 6, Held: 491}
	for n, m := range []Mark{kept, NoMark} {
		i, err := s.AddPartitionInEra(event.Partition{Topic: "t", Number: int32(n)}, 5, event.Era{Number: 3}, m)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := r.Kept(i)
		equal(t, "it is there", ok, m != NoMark)
		if ok {
			equal(t, "kept", got, m)
		}
		got, ok = r.Reached(i)
		equal(t, "somebody reached it", ok, m != NoMark)
		if ok {
			equal(t, "reached", got, m)
		}
	}
	_, ok := r.Furthest(0)
	equal(t, "published", ok, false)
	further := Position{Positioned: true, Era: 3, Epoch: 7, Held: 470}
	s.Slot(0).PublishPosition(0, further)
	s.Bury(0)
	got, _ := r.Reached(0)
	equal(t, "reached", got, Mark{3, 7, 470})
	got, _ = r.Kept(0)
	equal(t, "kept", got, kept)
}
