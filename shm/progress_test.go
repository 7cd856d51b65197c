package shm

import (
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

const startedNS, nowNS = int64(1000e9), int64(1100e9)

// heard is a position with what the broker said.
func heard(held, stable, caughtUp int64) Position {
	return Position{Held: held, Applied: held, Stable: stable, High: stable, LogStart: 0, CaughtUpNS: caughtUp, Generation: 1, Positioned: true}
}

func inEra(era uint32, p Position) Position {
	p.Era = era
	return p
}

func owned(p Position) Position {
	p.Owned = true
	return p
}

func unpositioned() Position {
	return Position{Held: event.None, Stable: event.None, High: event.None, Generation: 1}
}

func TestProgress(t *testing.T) {
	owner := event.Owner{Term: 1, Slot: 0, Generation: 1}
	nobody := event.Owner{Term: 2, Slot: event.Nobody}
	caught := nowNS - int64(5e9)
	for _, c := range []struct {
		what      string
		owner     event.Owner
		positions []Position // of slots 0, 1, …
		position  int64
		lag       int64
		lagTime   time.Duration
	}{
		{"nobody ever published", owner, nil, event.None, 0, 100 * time.Second},
		{"the broker never answered", owner, []Position{unpositioned()}, event.None, 0, 100 * time.Second},
		{"an empty partition", owner, []Position{heard(9, 10, 0)}, 9, 0, 0},
		{"nobody owns it and nobody ever did", nobody, nil, event.None, 0, 100 * time.Second},
		{"caught up", owner, []Position{heard(49, 50, caught)}, 49, 0, 0},
		{"behind", owner, []Position{heard(40, 50, caught)}, 40, 9, 5 * time.Second},
		{"behind since the start", owner, []Position{heard(40, 50, 0)}, 40, 9, 100 * time.Second},
		{"caught up in the future", owner, []Position{heard(40, 50, nowNS+1)}, 40, 9, 0},
		{"ahead of what the broker last said", owner, []Position{heard(60, 50, caught)}, 60, 0, 0},
		{"the last owner died knowing more", owner, []Position{heard(40, 50, caught), heard(40, 70, caught-1)}, 40, 29, 5 * time.Second},
		{"a receiver holds more than the owner", owner, []Position{heard(40, 50, caught), heard(45, event.None, 0)}, 40, 9, 5 * time.Second},
		{"no owner: the largest held", nobody, []Position{heard(40, 50, caught), heard(49, event.None, 0)}, 49, 0, 5 * time.Second},
		{"owner without a position", owner, []Position{unpositioned(), heard(30, 50, caught)}, 30, 19, 5 * time.Second},
		{"nothing held yet: from the base", owner, []Position{{Held: event.None, Stable: 50, High: 50, Generation: 1}}, event.None, 40, 100 * time.Second},
		{"a receiver thinks that it lacks nothing", owner, []Position{owned(heard(40, 50, caught)), heard(40, 0, nowNS)}, 40, 9, 5 * time.Second},
		{"a receiver before thinks so too", nobody, []Position{heard(40, 0, nowNS), owned(heard(40, 50, caught))}, 40, 9, 5 * time.Second},
		{"the new owner never caught up", owner, []Position{owned(heard(40, 50, 0)), heard(40, 50, caught)}, 40, 9, 5 * time.Second},
		{"the newest of two owners", owner, []Position{owned(heard(40, 50, caught)), owned(heard(40, 50, caught-1))}, 40, 9, 5 * time.Second},
		{"an older era counts no more", owner, []Position{inEra(1, heard(20, 21, caught)), heard(99, 100, caught-1)}, 20, 0, 0},
		{"no owner: of the newest era", nobody, []Position{inEra(1, heard(20, 31, caught)), heard(99, 100, caught-1)}, 20, 10, 5 * time.Second},
		{"another generation is not the owner", event.Owner{Term: 3, Slot: 0, Generation: 2}, []Position{heard(40, 50, caught), heard(41, 50, 0)}, 41, 8, 5 * time.Second},
		{"an owner that does not exist", event.Owner{Term: 3, Slot: 100, Generation: 2}, []Position{heard(49, 50, caught)}, 49, 0, 5 * time.Second},
	} {
		t.Run(c.what, func(t *testing.T) {
			s, now := running(t)
			i := added(t, s, "odin.trades", 3, 10)
			s.SetOwner(i, c.owner)
			for slot, p := range c.positions {
				s.Slot(slot).PublishPosition(i, p)
			}
			got := s.Progress(i, now)
			equal(t, "partition", got.Partition.String(), "odin.trades:3")
			equal(t, "owner", got.Owner, c.owner)
			equal(t, "position", got.Position, c.position)
			equal(t, "lag", got.Lag, c.lag)
			equal(t, "time", got.LagTime, c.lagTime)
		})
	}
}

// running gives a segment whose workers are well, and the time that they
// think it is.
func running(t *testing.T) (*Segment, Clock) {
	s, _ := created(t, small)
	s.Process().SetStarted(1, startedNS)
	for i := range small.Slots {
		s.Slot(i).SetSpawn(100+i, 1, startedNS)
		s.Slot(i).SetState(Ready)
		s.Slot(i).Block(1).Set(SourceHealthy, 1)
	}
	return s, Clock{Wall: nowNS, Monotonic: Monotonic()}
}

func TestLagIsNotKnownToBeNothingWithoutALivingOwner(t *testing.T) {
	for what, spoil := range map[string]func(*Segment, *Clock){
		"stale":        func(_ *Segment, now *Clock) { now.Monotonic += int64(StaleAfter) + int64(time.Second) },
		"gone":         func(s *Segment, _ *Clock) { s.Slot(1).SetState(Gone) },
		"replaced":     func(s *Segment, _ *Clock) { s.Slot(1).SetSpawn(2, 2, startedNS) },
		"without ear":  func(s *Segment, _ *Clock) { s.Slot(1).Block(1).Set(SourceHealthy, 0) },
		"disappointed": func(s *Segment, _ *Clock) { s.SetOwner(0, event.Owner{Term: 9, Slot: event.Nobody}) },
	} {
		s, now := running(t)
		i := added(t, s, "t", 0, 0)
		s.SetOwner(i, event.Owner{Term: 1, Slot: 1, Generation: 1})
		s.Slot(1).PublishPosition(i, heard(9, 10, nowNS-int64(7e9)))
		equal(t, what+": before", s.Progress(i, now).LagTime, 0)
		spoil(s, &now)
		equal(t, what+": lag", s.Progress(i, now).Lag, 0)
		equal(t, what+": time", s.Progress(i, now).LagTime, 7*time.Second)
	}
}

func TestOpenTransactionIsApartFromLag(t *testing.T) {
	s, now := running(t)
	i := added(t, s, "t", 0, 0)
	s.SetOwner(i, event.Owner{Term: 1, Slot: 0, Generation: 1})
	p := heard(49, 50, nowNS)
	p.High, p.LogStart = 80, 7
	s.Slot(0).PublishPosition(i, p)
	got := s.Progress(i, now)
	equal(t, "lag", got.Lag, 0)
	equal(t, "open", got.Open, 30)
	equal(t, "stable", got.Stable, 50)
	equal(t, "high", got.High, 80)
	equal(t, "log start", got.LogStart, 7)
}
