package supervisor

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
)

func TestStop(t *testing.T) {
	s := running(t, 2)
	s.stop("terminated")
	s.wantTold(0, control.Stop)
	s.wantTold(1, control.Stop)
	if is := s.readiness.Load(); is.ready {
		t.Error("ready while stopping")
	}
	s.dies(0)
	s.wantTold(1) // nobody takes over any more
	s.pass(9 * time.Second)
	if s.live[0] != nil || len(s.live[1].signals) != 0 {
		t.Fatal("started again, or killed too early")
	}
	s.pass(600 * time.Millisecond)
	if got := s.live[1].signals; !slices.Equal(got, []os.Signal{syscall.SIGKILL}) {
		t.Fatalf("signals %v", got)
	}
	if over, _ := s.over(); over {
		t.Fatal("over before waitpid")
	}
	s.dies(1)
	if over, err := s.over(); !over || err != nil {
		t.Fatalf("over %v, %v", over, err)
	}
}

func TestSecondStopIsAtOnce(t *testing.T) {
	s := running(t, 2)
	s.signal(syscall.SIGTERM)
	s.signal(syscall.SIGINT)
	for slot, p := range s.live {
		if !slices.Equal(p.signals, []os.Signal{syscall.SIGKILL}) {
			t.Errorf("worker %d got %v", slot, p.signals)
		}
	}
}

func TestStopDuringBackOff(t *testing.T) {
	s := running(t, 1)
	s.dies(0)
	s.dies(0)
	s.stop("terminated")
	if over, err := s.over(); !over || err != nil {
		t.Fatalf("over %v, %v", over, err)
	}
}

func TestQuitDumpsEverybody(t *testing.T) {
	s := running(t, 2)
	s.signal(syscall.SIGQUIT)
	eventually(t, "a stack of ours", func() bool { return strings.Contains(s.logged.String(), "TestQuitDumpsEverybody") })
	s.wantTold(0, control.Dump)
	s.wantTold(1, control.Dump)
}

func TestOtherSignalsDoNothing(t *testing.T) {
	s := running(t, 1)
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGUSR2, syscall.SIGTTIN, syscall.SIGTTOU} {
		s.signal(sig)
	}
	s.wantTold(0)
	if s.stopping {
		t.Error("stopping")
	}
}
