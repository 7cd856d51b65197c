package shm

import (
	"encoding/binary"
	"sync"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

func TestFirstEra(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	i := added(t, s, "t", 0, 0)
	equal(t, "before", r.Era(i), event.Era{Epoch: event.NoEpoch})
	first := event.Era{Number: 4, From: 77, Topic: event.TopicID{1, 2, 15: 9}, Epoch: 3}
	equal(t, "set", s.SetFirstEra(i, first), true)
	equal(t, "era", r.Era(i), first)
	equal(t, "number", r.EraNumber(i), 4)
	equal(t, "set twice", s.SetFirstEra(i, event.Era{Number: 9}), false)
	equal(t, "era", r.Era(i), first)
	other := added(t, s, "t", 1, 0)
	equal(t, "the other partition", r.Era(other), event.Era{Epoch: event.NoEpoch})
}

func TestPartitionAppearsWithItsEra(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	e := event.Era{Number: 2, From: 5, Epoch: event.NoEpoch}
	i, err := s.AddPartitionInEra(event.Partition{Topic: "t"}, 5, e, NoMark)
	must(t, err)
	equal(t, "era", r.Era(i), e)
	i, err = s.AddPartitionInEra(event.Partition{Topic: "t"}, 6, event.Era{Number: 3}, NoMark)
	must(t, err)
	equal(t, "era of one that was there", r.Era(i), e)
}

func TestProposeEra(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	i := added(t, s, "t", 0, 0)
	step := func(slot int, number uint32, want bool) {
		t.Helper()
		e := event.Era{Number: number, From: int64(number) * 10, Topic: event.TopicID{byte(slot)}, Epoch: int32(number)}
		before := r.Era(i)
		equal(t, "won", s.Slot(slot).ProposeEra(i, e), want)
		if want {
			before = e
		}
		equal(t, "era", r.Era(i), before)
	}
	step(0, 2, false) // skips one
	step(0, 0, false)
	step(0, 1, true) // also without a first era
	step(0, 1, false)
	step(1, 1, false)
	step(1, 2, true)
	step(0, 3, true)
	step(0, 4, true)
	step(0, 5, true)
	step(2, 4, false)
	equal(t, "first era, too late", s.SetFirstEra(i, event.Era{Number: 1}), false)
	equal(t, "era", r.EraNumber(i), 5)
}

// A candidate that dies between filling its area and the swap, or before
// either, leaves the current era as it is, and its successor can win.
func TestEraSurvivesACandidateThatDies(t *testing.T) {
	s, _ := created(t, small)
	i := added(t, s, "t", 0, 0)
	s.SetFirstEra(i, event.Era{Number: 1, From: 10, Epoch: 1})
	for number := uint32(2); number < 6; number++ {
		before := s.Era(i)
		off, _ := s.stage(i, 0, number)
		s.writeStage(off, event.Era{From: 666, Epoch: 666}) // died here
		equal(t, "era", s.Era(i), before)
		next := event.Era{Number: number, From: int64(number), Epoch: 2}
		equal(t, "won", s.Slot(0).ProposeEra(i, next), true)
		equal(t, "era", s.Era(i), next)
	}
}

// of makes every field of an era follow from its number and its author.
func of(number uint32, slot int) event.Era {
	e := event.Era{Number: number, From: int64(number)<<8 | int64(slot), Epoch: int32(number)<<8 | int32(slot)}
	binary.LittleEndian.PutUint64(e.Topic[:8], uint64(e.From))
	binary.LittleEndian.PutUint64(e.Topic[8:], ^uint64(e.From))
	return e
}

func TestEachEraHasOneWinnerAndNobodySeesHalfOfIt(t *testing.T) {
	const eras, slots = 3000, 3
	s, path := created(t, Layout{slots, 1})
	r := opened(t, path)
	i := added(t, s, "t", 0, 0)
	var wins [slots]int
	var all sync.WaitGroup
	for slot := range slots {
		all.Go(func() { wins[slot] = compete(s, i, slot, eras) })
	}
	all.Go(func() {
		last := uint32(0)
		for last < eras {
			e := r.Era(i)
			if e.Number > 0 && e != of(e.Number, int(e.From&0xff)) || e.Number < last {
				t.Errorf("after era %d: %+v", last, e)
				return
			}
			last = e.Number
		}
	})
	all.Wait()
	equal(t, "wins", wins[0]+wins[1]+wins[2], eras)
}

func compete(s *Segment, i, slot int, eras uint32) (wins int) {
	for {
		number := s.EraNumber(i) + 1
		if number > eras {
			return wins
		}
		if s.Slot(slot).ProposeEra(i, of(number, slot)) {
			wins++
		}
	}
}
