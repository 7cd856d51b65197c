package supervisor

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

func TestListenerIsLentAndReturned(t *testing.T) {
	s := running(t, 2)
	s.dies(1)
	s.wantTold(0, control.Listener, control.Link)
	if s.segment.Slot(1).Lent() != 0 {
		t.Error("the loan is not shown")
	}
	s.wantTold(1, control.Config, control.Link) // no listener yet
	s.ready(1)
	s.wantTold(0, control.Unlisten)
	s.wantTold(1)
	s.says(0, control.Message{Type: control.Unlistened, Slot: 1})
	s.wantTold(1, control.Listener)
	if s.segment.Slot(1).Lent() != event.Nobody {
		t.Error("the loan is shown still")
	}
	s.wantCount(shm.Lends, 1)
}

func TestSlowStartIsLentByTimeAlone(t *testing.T) {
	s := newStage(t, 2)
	s.begin()
	s.ready(0)
	s.live[0].types()
	s.pass(400 * time.Millisecond)
	s.wantTold(0)
	s.pass(100 * time.Millisecond)
	s.wantTold(0, control.Listener)
}

func TestFrozenWorker(t *testing.T) {
	s := running(t, 2)
	s.live[1].frozen = true
	s.pass(2 * time.Second)
	if slices.Index(s.owners(), 1) < 0 {
		t.Fatal("suspected too early")
	}
	s.pass(200 * time.Millisecond)
	s.wantOwners(0, 0, 0, 0, 0, 0)
	if !s.segment.Slot(1).Suspect() {
		t.Error("not shown as suspect")
	}
	s.wantTold(0, control.Listener)
	s.pass(7 * time.Second)
	if len(s.live[1].signals) != 0 {
		t.Fatal("killed too early")
	}
	s.pass(time.Second)
	if got := s.live[1].signals; !slices.Equal(got, []os.Signal{syscall.SIGQUIT}) {
		t.Fatalf("signals %v", got)
	}
	s.pass(killGrace)
	s.pass(killGrace)
	if got := s.live[1].signals; !slices.Equal(got, []os.Signal{syscall.SIGQUIT, syscall.SIGKILL}) {
		t.Fatalf("signals %v", got)
	}
	s.dies(1)
	if s.segment.Slot(1).Suspect() {
		t.Error("its successor is suspect")
	}
	s.wantCount(shm.Suspects, 1)
	s.wantCount(shm.Deaths, 1)
	s.wantCount(shm.Kills, 1)
}

func TestStoppedMachine(t *testing.T) {
	s := running(t, 2)
	s.time = s.time.Add(time.Hour)
	for range 15 {
		s.time = s.time.Add(beat)
		s.tick()
	}
	s.wantCount(shm.Suspects, 0)
}
