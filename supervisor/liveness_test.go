package supervisor

import (
	"testing"
	"time"
)

const beat = 100 * time.Millisecond

// watching is a liveness with the default limits and its clock.
type watching struct {
	*liveness
	now   time.Time
	count []uint64
}

func newWatching(slots int) *watching {
	return &watching{newLiveness(slots, beat, 2*time.Second, 10*time.Second), time.Unix(1000, 0), make([]uint64, slots)}
}

// poll lets time pass and looks at every slot.
func (w *watching) poll(after time.Duration) (all []verdict) {
	w.now = w.now.Add(after)
	w.begin(w.now)
	for slot, n := range w.count {
		all = append(all, w.look(slot, n))
	}
	return all
}

func TestFrozenWorkerIsSuspectThenDead(t *testing.T) {
	w := newWatching(2)
	var suspectAfter, deadAfter time.Duration
	for elapsed := time.Duration(0); deadAfter == 0; elapsed += beat {
		w.count[1]++ // the other beats
		all := w.poll(beat)
		if all[1] != alive {
			t.Fatalf("the one that beats is %v", all[1])
		}
		switch {
		case all[0] == suspect && suspectAfter == 0:
			suspectAfter = elapsed
		case all[0] == dead:
			deadAfter = elapsed
		}
	}
	if suspectAfter != 2*time.Second || deadAfter != 10*time.Second {
		t.Errorf("suspect after %v, dead after %v; want 2 s and 10 s", suspectAfter, deadAfter)
	}
}

func TestThawedWorkerIsAliveAtOnce(t *testing.T) {
	w := newWatching(1)
	for range 50 {
		w.poll(beat)
	}
	w.count[0]++
	if got := w.poll(beat)[0]; got != alive {
		t.Fatalf("%v after a beat", got)
	}
	for range 20 {
		if got := w.poll(beat)[0]; got != alive {
			t.Fatalf("%v: the count did not restart", got)
		}
	}
	if got := w.poll(beat)[0]; got != suspect {
		t.Fatalf("%v, want suspect", got)
	}
}

// TestStoppedMachineKillsNobody: after a pause of everything, however long and
// however often, nobody is blamed for the time that we did not see either.
func TestStoppedMachineKillsNobody(t *testing.T) {
	w := newWatching(3)
	w.poll(beat)
	for range 100 {
		for range 19 {
			for slot, got := range w.poll(beat) {
				if got != alive {
					t.Fatalf("worker %d is %v", slot, got)
				}
			}
		}
		for slot, got := range w.poll(time.Hour) {
			if got != alive {
				t.Fatalf("worker %d is %v after the machine stood still", slot, got)
			}
		}
	}
}

// TestLateByLessStillCounts: small delays of ours must not hide a frozen
// worker for ever.
func TestLateByLessStillCounts(t *testing.T) {
	w := newWatching(1)
	for range 101 {
		w.poll(lateBeats * beat)
	}
	if got := w.poll(beat)[0]; got != dead {
		t.Fatalf("%v, want dead", got)
	}
}

func TestNewWorkerStartsFresh(t *testing.T) {
	w := newWatching(1)
	for range 15 {
		w.poll(beat)
	}
	w.restart(0)
	for range 20 {
		if got := w.poll(beat)[0]; got != alive {
			t.Fatalf("%v: its predecessor's silence counts", got)
		}
	}
}

// TestSilenceIsWhatWeWereThereFor: it counts on over late polls, and what
// we slept through hardly counts.
func TestSilenceIsWhatWeWereThereFor(t *testing.T) {
	w := newWatching(1)
	silence := func(polls int, gap, want time.Duration) {
		t.Helper()
		w.count[0]++
		w.poll(gap)
		for range polls {
			w.poll(gap)
		}
		if got := w.silence(0); got != want {
			t.Errorf("%d polls, one in %v: silent for %v, want %v", polls, gap, got, want)
		}
	}
	silence(0, beat, 0)
	silence(100, beat, 10*time.Second)
	silence(100, 2*lateBeats*beat, 100*lateBeats*beat)
	silence(1, time.Hour, lateBeats*beat)
	w.restart(0)
	if got := w.silence(0); got != 0 {
		t.Errorf("its predecessor's silence counts: %v", got)
	}
}

func TestPollsRoundUp(t *testing.T) {
	for _, c := range []struct {
		d, beat time.Duration
		want    int
	}{
		{2 * time.Second, 100 * time.Millisecond, 20},
		{250 * time.Millisecond, 100 * time.Millisecond, 3},
		{time.Millisecond, time.Second, 1},
	} {
		if got := polls(c.d, c.beat); got != c.want {
			t.Errorf("polls(%v, %v) = %d, want %d", c.d, c.beat, got, c.want)
		}
	}
	if l := newLiveness(1, time.Second, time.Second, time.Second); l.deadPolls <= l.suspectPolls {
		t.Error("dead before it was suspect")
	}
}
