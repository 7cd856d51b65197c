package shm

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

func TestPositionsComeBackAsPublished(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	none, ok := r.Slot(0).Position(0)
	equal(t, "published", ok, false)
	equal(t, "held", none.Held, event.None)
	for i, p := range []Position{
		{},
		{Era: 1, Epoch: event.NoEpoch, Held: event.None, Applied: event.None, From: 0, Stable: event.None, High: event.None, LogStart: event.None},
		{
			Era: math.MaxUint32, Epoch: math.MaxInt32, Held: math.MaxInt64, Applied: math.MinInt64, From: 3, Stable: 4, High: 5, LogStart: 6,
			CaughtUpNS: 7, Term: math.MaxUint32, Generation: generationMask, Positioned: true, Owned: true,
		},
		{Positioned: true},
		{Owned: true, Generation: 1},
	} {
		s.Slot(1).PublishPosition(i, p)
		got, ok := r.Slot(1).Position(i)
		equal(t, "published", ok, true)
		equal(t, "position", got, p)
	}
	_, ok = r.Slot(2).Position(0)
	equal(t, "published by another", ok, false)
}

// at makes every field of a position follow from one number.
func at(n int64) Position {
	return Position{
		Era: uint32(n), Epoch: int32(n), Held: n, Applied: n - 1, From: -n, Stable: n + 1, High: n + 2,
		LogStart: n / 2, CaughtUpNS: 3 * n, Term: uint32(n) + 1, Generation: uint32(n) & generationMask, Positioned: n%2 == 0, Owned: n%3 == 0,
	}
}

func TestPositionsAreNeverTorn(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	var stop atomic.Bool
	var writer, readers sync.WaitGroup
	s.Slot(0).PublishPosition(7, at(1))
	writer.Go(func() {
		for n := int64(2); !stop.Load(); n++ {
			s.Slot(0).PublishPosition(7, at(n))
		}
	})
	for range 2 {
		readers.Go(func() {
			last := int64(0)
			for range 20000 {
				p, ok := r.Slot(0).Position(7)
				if ok && (p != at(p.Held) || p.Held < last) {
					t.Errorf("after %d: %+v", last, p)
					return
				}
				last = max(last, p.Held)
			}
		})
	}
	readers.Wait()
	stop.Store(true)
	writer.Wait()
}
