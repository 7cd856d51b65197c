package supervisor

import (
	"io"
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
	s.signal(syscall.SIGTERM, io.Discard)
	s.signal(syscall.SIGINT, io.Discard)
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
	var out strings.Builder
	s.signal(syscall.SIGQUIT, &out)
	if !strings.Contains(out.String(), "TestQuitDumpsEverybody") {
		t.Error("no stack of ours")
	}
	s.wantTold(0, control.Dump)
	s.wantTold(1, control.Dump)
}

func TestOtherSignalsDoNothing(t *testing.T) {
	s := running(t, 1)
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGUSR2, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGPIPE} {
		s.signal(sig, io.Discard)
	}
	s.wantTold(0)
	if s.stopping {
		t.Error("stopping")
	}
}
