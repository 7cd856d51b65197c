package shm

import (
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

func TestSlotBeforeAnythingRan(t *testing.T) {
	s, _ := created(t, small)
	slot := s.Slot(0)
	equal(t, "pid", slot.Pid(), 0)
	equal(t, "state", slot.State(), Empty)
	equal(t, "lent", slot.Lent(), event.Nobody)
	equal(t, "suspect", slot.Suspect(), false)
	beats, ns := slot.LastBeat()
	equal(t, "beats", beats, 0)
	equal(t, "beat", ns, 0)
}

func TestSlotSpawn(t *testing.T) {
	s, path := created(t, small)
	slot, r := s.Slot(1), opened(t, path).Slot(1)
	slot.SetState(Ready)
	slot.Beat(5)
	before := Monotonic()
	slot.SetSpawn(4242, 1<<24+3, 99)
	pid, generation, ns := r.Spawned()
	equal(t, "pid", pid, 4242)
	equal(t, "generation", generation, 1<<24+3)
	equal(t, "time", ns, 99)
	equal(t, "Pid", r.Pid(), 4242)
	equal(t, "Generation", r.Generation(), 1<<24+3)
	equal(t, "state", r.State(), Starting)
	beats, beat := r.LastBeat()
	equal(t, "beats go on", beats, 1)
	if beat < before || beat > Monotonic() {
		t.Errorf("the heartbeat's age counts from %d, not from the spawn", beat)
	}
	slot.CountRespawn()
	slot.CountRespawn()
	equal(t, "respawns", r.Respawns(), 2)
}

func TestSlotWords(t *testing.T) {
	s, path := created(t, small)
	slot, r := s.Slot(2), opened(t, path).Slot(2)
	for _, state := range []State{Starting, Ready, Draining, Gone} {
		slot.SetState(state)
		equal(t, "state", r.State(), state)
	}
	for _, to := range []int{0, 2, event.Nobody} {
		slot.SetLent(to)
		equal(t, "lent", r.Lent(), to)
	}
	slot.SetLent(100) // no such slot: read as nobody
	equal(t, "lent", r.Lent(), event.Nobody)
	slot.SetSuspect(true)
	equal(t, "suspect", r.Suspect(), true)
	slot.SetSuspect(false)
	equal(t, "suspect", r.Suspect(), false)
}

func TestBeats(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	second := int64(time.Second)
	for i := range int64(3) {
		s.Slot(0).Beat(i * second)
		s.Process().Beat(i * second)
	}
	for what, got := range map[string]func() (uint64, int64){"worker": r.Slot(0).LastBeat, "supervisor": r.Process().LastBeat} {
		beats, ns := got()
		equal(t, what+" beats", beats, 3)
		equal(t, what+" beat", ns, 2*second)
	}
	for _, c := range []struct {
		at    int64
		age   time.Duration
		stale bool
	}{
		{2 * second, 0, false},
		{1 * second, 0, false}, // a clock read before the beat
		{4 * second, 2 * time.Second, false},
		{4*second + 1, 2*time.Second + 1, true},
	} {
		now := Clock{Monotonic: c.at}
		equal(t, "worker's age", r.Slot(0).BeatAge(now), c.age)
		equal(t, "worker is stale", r.Slot(0).Stale(now), c.stale)
		equal(t, "supervisor's age", r.Process().BeatAge(now), c.age)
		equal(t, "supervisor is stale", r.Process().Stale(now), c.stale)
	}
}

func TestSupervisorsWords(t *testing.T) {
	s, path := created(t, small)
	p := opened(t, path).Process()
	s.Process().SetStarted(77, 123456)
	s.Process().SetState(Draining)
	equal(t, "pid", p.Pid(), 77)
	equal(t, "started", p.StartedNS(), 123456)
	equal(t, "state", p.State(), Draining)
	equal(t, "fresh", p.Stale(Now()), false)
}

func TestClocks(t *testing.T) {
	a, b := Now(), Now()
	if b.Monotonic < a.Monotonic || b.Wall-a.Wall > int64(time.Minute) {
		t.Errorf("%+v then %+v", a, b)
	}
	if age := time.Since(time.Unix(0, a.Wall)); age < 0 || age > time.Minute {
		t.Errorf("the wall clock is %s off", age)
	}
}
