package supervisor

import (
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// wantDrain wants the worker to have been told of a window, and nothing else.
func (s *stage) wantDrain(slot int, window time.Duration) {
	s.t.Helper()
	told := s.live[slot].told
	s.live[slot].told = nil
	if len(told) != 1 || told[0].Type != control.Drain || told[0].WindowMS != window.Milliseconds() {
		s.t.Fatalf("worker %d was told %+v, want a drain over %v", slot, told, window)
	}
}

// wantGauges wants what readers of the segment see of a drain.
func (s *stage) wantGauges(start, end time.Time, sessions int64) {
	s.t.Helper()
	p := s.segment.Process()
	if got := p.Gauge(shm.DrainStart); got != start.UnixNano() {
		s.t.Errorf("drain began at %d, want %d", got, start.UnixNano())
	}
	if got := p.Gauge(shm.DrainEnd); got != end.UnixNano() {
		s.t.Errorf("drain ends at %d, want %d", got, end.UnixNano())
	}
	if got := p.Gauge(shm.DrainSessions); got != sessions {
		s.t.Errorf("drain of %d sessions, want %d", got, sessions)
	}
}

func (s *stage) wantNoDrain(state shm.State) {
	s.t.Helper()
	s.wantGauges(time.Unix(0, 0), time.Unix(0, 0), 0)
	if got := s.segment.Process().State(); got != state {
		s.t.Errorf("state %v, want %v", got, state)
	}
}

func TestDrain(t *testing.T) {
	s := running(t, 2)
	s.position(0)
	s.pass(beat)
	s.wantReady(200)
	s.segment.Slot(0).Block(1).Set(shm.Sessions, 30)
	s.segment.Slot(1).Block(1).Set(shm.Sessions, 12)
	began := s.time
	s.drain(time.Minute)
	s.wantReady(503, "draining")
	for slot := range s.live {
		s.wantDrain(slot, time.Minute)
	}
	s.wantGauges(began, began.Add(time.Minute), 42)
	if got := s.segment.Process().State(); got != shm.Draining {
		t.Errorf("state %v", got)
	}

	// Long after the window: everything is still as it was, and nobody is told anything.
	s.segment.Slot(0).Block(1).Set(shm.Sessions, 0)
	s.pass(2 * time.Minute)
	s.wantReady(503, "draining")
	s.wantTold(0)
	s.wantTold(1)
	s.wantGauges(began, began.Add(time.Minute), 42)
	s.wantOwners(0, 1, 0, 1, 0, 1)
	if over, _ := s.over(); over {
		t.Fatal("over")
	}

	s.undrain()
	s.wantTold(0, control.Undrain)
	s.wantTold(1, control.Undrain)
	s.wantReady(200)
	s.wantNoDrain(shm.Ready)
	s.wantCount(shm.Drains, 1)
	s.wantCount(shm.Undrains, 1)
}

// Another window replaces the first for who is left; it is the same drain.
func TestDrainAgain(t *testing.T) {
	s := running(t, 1)
	began := s.time
	s.drain(time.Minute)
	s.pass(10 * time.Second)
	s.segment.Slot(0).Block(1).Set(shm.Sessions, 7)
	s.live[0].told = nil
	s.drain(5 * time.Second)
	s.wantDrain(0, 5*time.Second)
	s.wantGauges(began, began.Add(15*time.Second), 0)
	s.wantCount(shm.Drains, 1)
}

// A worker that takes the place of one that died comes up draining: it is told
// before it is given its listener.
func TestWorkerStartsDraining(t *testing.T) {
	s := running(t, 2)
	s.drain(time.Minute)
	s.pass(20 * time.Second)
	s.dies(1)
	var types []control.Type
	for _, m := range s.live[1].told {
		types = append(types, m.Type)
		if m.Type == control.Drain && m.WindowMS != 40_000 {
			t.Errorf("told of a window of %d ms, 40 s are left", m.WindowMS)
		}
	}
	if len(types) < 2 || types[0] != control.Config || types[1] != control.Drain {
		t.Fatalf("told %v", types)
	}
	s.pass(time.Minute)
	s.dies(1)
	s.pass(time.Minute)
	if told := s.live[1].told; told[1].Type != control.Drain || told[1].WindowMS != 0 {
		t.Errorf("told %+v behind the window", told[:2])
	}
	s.ready(1)
	s.wantReady(503, "draining")
}

// A stop ends a drain: who is left leaves over the stop's window.
func TestStopWhileDraining(t *testing.T) {
	s := running(t, 1)
	s.drain(time.Hour)
	s.live[0].told = nil
	s.stop("terminated")
	s.wantTold(0, control.Stop)
	s.wantReady(503, "stopping")
	s.wantNoDrain(shm.Draining)
}

func ms(n int64) *int64 { return &n }

func TestDeskDrains(t *testing.T) {
	b := newBureau(t, 1)
	draining := func() (over time.Duration) {
		if err := b.order(func(c *crew) {
			if c.draining {
				over = c.drainEnd.Sub(c.drainStart)
			}
		}); err != nil {
			t.Fatal(err)
		}
		return over
	}
	for _, step := range []struct {
		request control.Request
		was     bool
		refused string
		over    time.Duration // then
	}{
		{control.Request{Command: control.UndrainAll}, false, "", 0},
		{control.Request{Command: control.DrainAll}, false, "", time.Minute},
		{control.Request{Command: control.DrainAll}, true, "", time.Minute},
		{control.Request{Command: control.DrainAll, OverMS: ms(3_600_000)}, true, "", time.Hour},
		{control.Request{Command: control.DrainAll}, true, "", time.Hour}, // as it is
		{control.Request{Command: control.DrainAll, OverMS: ms(3_600_001)}, false, "allowed: 0 to 3600000", time.Hour},
		{control.Request{Command: control.DrainAll, OverMS: ms(-1)}, false, "allowed: 0 to 3600000", time.Hour},
		{control.Request{Command: control.UndrainAll}, true, "", 0},
		{control.Request{Command: control.DrainAll, OverMS: ms(1500)}, false, "", 1500 * time.Millisecond},
	} {
		_, end := b.ask(t, step.request)
		if end.OK != (step.refused == "") || !strings.Contains(end.Error, step.refused) || end.WasDraining != step.was {
			t.Errorf("%s %v: %+v", step.request.Command, step.request.OverMS, end)
		}
		if got := draining(); got != step.over {
			t.Errorf("%s: drains over %v, want %v", step.request.Command, got, step.over)
		}
	}
	b.stage.wantCount(shm.Drains, 2)
	b.stage.wantCount(shm.Undrains, 1)
	if err := b.order(func(c *crew) { c.stop("terminated") }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []control.Command{control.DrainAll, control.UndrainAll} {
		if _, end := b.ask(t, control.Request{Command: c}); end.OK || !strings.Contains(end.Error, "stopping") {
			t.Errorf("%s while stopping: %+v", c, end)
		}
	}
}

// The service manager reads how far it is.
func TestHeraldTellsOfADrain(t *testing.T) {
	h := serving(t, 1)
	h.segment.Slot(0).Block(1).Set(shm.Sessions, 2000)
	h.drain(time.Minute)
	h.segment.Slot(0).Block(1).Set(shm.Sessions, 500)
	heard := strings.Join(h.turn(time.Second), "\n")
	if !strings.Contains(heard, "STATUS=draining: ") || !strings.Contains(heard, "1,500 of 2,000 sessions closed, 500 left") {
		t.Errorf("heard %q", heard)
	}
}
