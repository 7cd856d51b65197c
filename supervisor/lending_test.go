package supervisor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const (
	lendAfter = 500 * time.Millisecond
	answerMax = 2 * time.Second
)

// scene steps a lending through a story.
type scene struct {
	t *testing.T
	*lending
	now time.Time
}

func newScene(t *testing.T, slots int) *scene {
	return &scene{t, newLending(slots, lendAfter, answerMax), time.Unix(1000, 0)}
}

func give(slot, to int) order { return order{slot: slot, to: to} }
func take(slot, to int) order { return order{slot: slot, to: to, take: true} }

// sees steps and compares the orders.
func (s *scene) sees(after time.Duration, views []view, want ...order) {
	s.t.Helper()
	s.now = s.now.Add(after)
	if got := s.step(s.now, views); !slices.Equal(got, want) {
		s.t.Fatalf("orders %v, want %v", got, want)
	}
}

func TestColdStart(t *testing.T) {
	s := newScene(t, 2)
	s.sees(0, []view{first, first}, give(0, 0), give(1, 1)) // nobody else could
	s.sees(300*time.Millisecond, []view{fine, first})
	s.sees(199*time.Millisecond, []view{fine, first})
	s.sees(time.Millisecond, []view{fine, first}, give(1, 0)) // 500 ms and not ready: lent
	s.sees(time.Second, []view{fine, first})
	s.sees(0, []view{fine, fine}, take(1, 0)) // ready: taken back; it has its own since its start
	s.sees(0, []view{fine, fine})
	s.returned(1, 0, 1)
	s.sees(time.Hour, []view{fine, fine})
}

func TestDeathAndReturn(t *testing.T) {
	s := newScene(t, 3)
	s.sees(0, []view{fine, fine, fine}, give(0, 0), give(1, 1), give(2, 2))
	s.sees(0, []view{fine, gone, fine}, give(1, 0)) // at once
	next := view{alive: true, generation: 2}
	s.sees(0, []view{fine, next, fine}) // nothing for the new one yet
	next.ready = true
	s.sees(0, []view{fine, next, fine}, take(1, 0))
	s.sees(0, []view{fine, next, fine})
	s.returned(1, 0, 1)
	s.sees(0, []view{fine, next, fine}, give(1, 1))
	s.sees(0, []view{fine, next, fine})
}

func TestLoansAreSpread(t *testing.T) {
	s := newScene(t, 4)
	s.sees(0, []view{fine, fine, fine, fine}, give(0, 0), give(1, 1), give(2, 2), give(3, 3))
	s.sees(0, []view{gone, gone, fine, fine}, give(0, 2), give(1, 3))
}

func TestBorrowerDies(t *testing.T) {
	s := newScene(t, 3)
	s.sees(0, []view{fine, fine, fine}, give(0, 0), give(1, 1), give(2, 2))
	s.sees(0, []view{gone, fine, fine}, give(0, 1))
	s.sees(0, []view{gone, gone, fine}, give(0, 2), give(1, 2))
}

func TestBorrowerFreezes(t *testing.T) {
	s := newScene(t, 3)
	s.sees(0, []view{fine, fine, fine}, give(0, 0), give(1, 1), give(2, 2))
	s.sees(0, []view{gone, fine, fine}, give(0, 1))
	s.sees(0, []view{gone, frozen, fine}, take(0, 1), give(0, 2), give(1, 2))
	s.returned(0, 1, 1)                                         // it thaws and answers: nothing to do with the new loan
	s.sees(0, []view{gone, fine, fine}, take(1, 2))             // its own is taken back
	s.sees(answerMax, []view{gone, fine, fine})                 // no answer: given up waiting
	s.sees(0, []view{gone, fine, gone}, give(0, 1), give(2, 1)) // and slot 1's was home
}

func TestFrozenWorkersListenerIsServed(t *testing.T) {
	s := newScene(t, 2)
	s.sees(0, []view{fine, fine}, give(0, 0), give(1, 1))
	s.sees(0, []view{frozen, fine}, give(0, 1))
	s.sees(0, []view{fine, fine}, take(0, 1))
	s.returned(0, 1, 1)
	s.sees(0, []view{fine, fine}) // it has it still
}

func TestNobodyToLendTo(t *testing.T) {
	s := newScene(t, 1)
	s.sees(0, []view{first}, give(0, 0))
	s.sees(time.Hour, []view{gone})
	s.sees(0, []view{{alive: true, generation: 2}}, give(0, 0))
	s.sees(time.Hour, []view{{alive: true, generation: 2, ready: true}})
}

func TestOwnWorkerDiesDuringRecall(t *testing.T) {
	s := newScene(t, 2)
	second := view{alive: true, generation: 2, ready: true}
	s.sees(0, []view{fine, fine}, give(0, 0), give(1, 1))
	s.sees(0, []view{gone, fine}, give(0, 1))
	s.sees(0, []view{second, fine}, take(0, 1))
	s.sees(0, []view{gone, fine}) // the answer is on its way
	s.returned(0, 1, 1)
	s.sees(0, []view{gone, fine}, give(0, 1))
}

// TestForeignAnswersAreIgnored: what a worker says about listeners that it
// was not asked for.
func TestForeignAnswersAreIgnored(t *testing.T) {
	s := newScene(t, 2)
	s.sees(0, []view{fine, fine}, give(0, 0), give(1, 1))
	s.sees(0, []view{gone, fine}, give(0, 1))
	for _, slot := range []int{-1, 0, 1, 99} {
		s.returned(slot, 1, 1) // not recalled
		s.returned(slot, 1, 7)
		s.returned(slot, 0, 1)
	}
	s.sees(0, []view{gone, fine})
}

// holder is one worker of the model: the listeners that it accepts from.
type holder struct {
	view
	holds   map[int]bool
	pending []order // not read yet: it is frozen
}

// TestEveryListenerIsServed plays random histories of deaths, starts and
// freezes, with workers that do as they are told, and after things have calmed
// down demands that each listener is accepted from, and from nobody but its
// own worker where that is ready.
func TestEveryListenerIsServed(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 2))
		m := &model{random: random, lending: newLending(2+random.IntN(5), lendAfter, answerMax), now: time.Unix(1000, 0)}
		m.workers = make([]holder, len(m.loans))
		for range 60 {
			m.disturb()
			m.settle(random.IntN(3))
		}
		m.settle(40)
		if err := m.check(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

type model struct {
	*lending
	random  *rand.Rand
	now     time.Time
	workers []holder
}

func (m *model) disturb() {
	w := &m.workers[m.random.IntN(len(m.workers))]
	switch {
	case !w.alive:
		*w = holder{view: view{alive: true, generation: w.generation + 1}, holds: map[int]bool{}}
	case m.random.IntN(3) == 0:
		*w = holder{view: view{generation: w.generation}}
	case m.random.IntN(2) == 0:
		w.suspect = !w.suspect
	default:
		w.ready = true
	}
}

// settle steps and has those who are not frozen obey.
func (m *model) settle(steps int) {
	for range steps {
		m.now = m.now.Add(100 * time.Millisecond)
		views := make([]view, len(m.workers))
		for i, w := range m.workers {
			if w.alive {
				views[i] = w.view
			}
		}
		for _, o := range m.step(m.now, views) {
			m.workers[o.to].pending = append(m.workers[o.to].pending, o)
		}
		for i := range m.workers {
			if w := &m.workers[i]; w.alive && !w.suspect {
				m.obey(i, w)
			}
		}
	}
}

func (m *model) obey(slot int, w *holder) {
	for _, o := range w.pending {
		if o.take {
			delete(w.holds, o.slot)
			m.returned(o.slot, slot, w.generation)
		} else {
			w.holds[o.slot] = true
		}
	}
	w.pending = nil
}

func (m *model) check() error {
	anybody := slices.ContainsFunc(m.workers, func(w holder) bool { return w.sound() && w.ready })
	for slot := range m.workers {
		var served []int
		for i, w := range m.workers {
			if w.sound() && w.ready && w.holds[slot] {
				served = append(served, i)
			}
		}
		own := m.workers[slot]
		switch {
		case own.sound() && own.ready && !slices.Equal(served, []int{slot}):
			return fmt.Errorf("listener %d is accepted from by %v though its own worker is ready", slot, served)
		case anybody && len(served) != 1:
			return fmt.Errorf("listener %d is accepted from by %v", slot, served)
		case own.sound() && !own.ready && !anybody && !own.holds[slot]:
			return fmt.Errorf("worker %d lacks its own listener and nobody else has it", slot)
		}
	}
	return nil
}
