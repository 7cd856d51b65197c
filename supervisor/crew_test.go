package supervisor

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

func TestStartTellsEveryWorkerWhatItNeeds(t *testing.T) {
	s := newStage(t, 3)
	s.begin()
	s.wantTold(0, control.Config, control.Link, control.Link, control.Listener, control.Scout)
	s.wantTold(1, control.Config, control.Link, control.Link, control.Listener)
	s.wantTold(2, control.Config, control.Link, control.Link, control.Listener)
	for slot, p := range s.live {
		pid, generation, _ := s.segment.Slot(slot).Spawned()
		if p.files != 3 || pid < 10_000 || generation != 1 {
			t.Errorf("worker %d: %d files, pid %d, generation %d", slot, p.files, pid, generation)
		}
	}
	s.wantCount(shm.Respawns, 0)
}

// A link that broke between living workers is made anew, once for both, and
// not for a sibling that was replaced meanwhile.
func TestBrokenLinksAreMadeAnew(t *testing.T) {
	s := running(t, 3)
	for _, m := range []control.Message{
		{Type: control.Unlinked, Peer: 0, PeerGeneration: 1}, // the lower slot says it
		{Type: control.Unlinked, Peer: 1, PeerGeneration: 1}, // of itself
		{Type: control.Unlinked, Peer: 2, PeerGeneration: 9}, // replaced
		{Type: control.Unlinked, Peer: 3, PeerGeneration: 1}, // nobody
		{Type: control.Unlinked, Peer: -1, PeerGeneration: 1},
	} {
		s.says(1, m)
	}
	for slot := range 3 {
		s.wantTold(slot)
	}
	s.says(1, control.Message{Type: control.Unlinked, Peer: 2, PeerGeneration: 1})
	s.wantTold(0)
	s.wantTold(1, control.Link)
	s.wantTold(2, control.Link)
}

// A repair is told of once, unless it was one of the worker's last moments.
func TestBrokenLinksAreToldOfWhenBothLive(t *testing.T) {
	s := running(t, 3)
	broken := control.Message{Type: control.Unlinked, Peer: 2, PeerGeneration: 1}
	s.says(1, broken)
	s.says(1, broken)
	s.says(0, broken)
	s.dies(0)
	s.tick()
	s.tick()
	s.log.Close()
	if n := strings.Count(s.logged.String(), "linked anew"); n != 1 || !strings.Contains(s.logged.String(), "worker=1 peer=2") {
		t.Errorf("told of %d times:\n%s", n, s.logged.String())
	}
}

func TestLinksNameBothEnds(t *testing.T) {
	s := running(t, 2)
	s.dies(1) // started again at once
	link := func(slot int) control.Message {
		i := slices.IndexFunc(s.live[slot].told, func(m control.Message) bool { return m.Type == control.Link })
		if i < 0 {
			t.Fatalf("worker %d was not linked", slot)
		}
		return s.live[slot].told[i]
	}
	if m := link(0); m.Peer != 1 || m.PeerGeneration != 2 {
		t.Errorf("worker 0 was linked to %d of generation %d", m.Peer, m.PeerGeneration)
	}
	if m := link(1); m.Peer != 0 || m.PeerGeneration != 1 {
		t.Errorf("worker 1 was linked to %d of generation %d", m.Peer, m.PeerGeneration)
	}
}

func TestRespawnsBackOffAndGiveUp(t *testing.T) {
	s := running(t, 2)
	for range s.limits.RespawnAttemptsMax {
		s.dies(1)
		s.pass(31 * time.Second)
		if s.live[1] == nil {
			t.Fatal("not started again")
		}
	}
	s.dies(1)
	s.pass(time.Hour)
	if s.live[1] != nil || !s.slots[1].givenUp {
		t.Fatal("not given up")
	}
	if over, _ := s.over(); over {
		t.Fatal("over though the other works")
	}
	s.wantCount(shm.WorkersGivenUp, 1)
	s.wantOwners(0, 0, 0, 0, 0, 0)
}

func TestBackoffIsWaitedFor(t *testing.T) {
	s := running(t, 2)
	s.dies(1) // at once
	s.dies(1) // 100 ms
	if s.live[1] != nil {
		t.Fatal("started without waiting")
	}
	s.pass(100 * time.Millisecond)
	if s.live[1] == nil {
		t.Fatal("not started after 100 ms")
	}
}

func TestEveryWorkerGivenUp(t *testing.T) {
	s := newStage(t, 2)
	s.fail = errors.New("fork: resource temporarily unavailable")
	s.begin()
	s.pass(5 * time.Minute)
	if over, err := s.over(); !over || !errors.Is(err, ErrGivenUp) || ExitCode(err) != ExitGivenUp {
		t.Fatalf("over %v, %v", over, err)
	}
}

func TestStartFailsOnce(t *testing.T) {
	s := newStage(t, 1)
	s.fail = errors.New("fork: resource temporarily unavailable")
	s.begin()
	s.fail = nil
	s.pass(100 * time.Millisecond)
	if s.live[0] == nil || s.live[0].generation != 2 {
		t.Fatal("not tried again")
	}
}

func TestWorkerThatReadsNothingIsKilled(t *testing.T) {
	s := running(t, 2)
	s.live[1].deaf = true
	s.signal(syscall.SIGQUIT)
	if got := s.live[1].signals; !slices.Equal(got, []os.Signal{syscall.SIGKILL}) {
		t.Fatalf("signals %v", got)
	}
	s.wantCount(shm.Kills, 1)
}

func TestWorkerThatHangsUpIsKilledUnlessItEnds(t *testing.T) {
	s := running(t, 2)
	s.handle(news{slot: 1, generation: 1, kind: broke, err: io.EOF})
	s.pass(killGrace / 2)
	if len(s.live[1].signals) != 0 {
		t.Fatal("killed at once")
	}
	s.pass(killGrace)
	if got := s.live[1].signals; !slices.Equal(got, []os.Signal{syscall.SIGKILL}) {
		t.Fatalf("signals %v", got)
	}
}

func TestNewsOfThePastIsIgnored(t *testing.T) {
	s := running(t, 2)
	s.dies(1)
	for _, kind := range []newsKind{said, broke, ended} {
		s.handle(news{slot: 1, generation: 1, kind: kind, message: control.Message{Type: control.Ready}})
	}
	if w := s.slots[1].worker; w == nil || w.ready || !w.killAt.IsZero() {
		t.Fatal("took the old one's news for the new one's")
	}
}

// TestGaugesAreClearedAfterTheEndOnly: while the process lives its numbers are
// its own.
func TestGaugesAreClearedAfterTheEndOnly(t *testing.T) {
	s := running(t, 2)
	block := s.segment.Slot(1).Block(1)
	block.Set(shm.Sessions, 5)
	block.Add(shm.Deliveries, 9)
	s.pass(time.Second)
	if got := s.segment.Slot(1).Gauge(shm.Sessions); got != 5 {
		t.Fatalf("%d sessions", got)
	}
	s.dies(1)
	if got := s.segment.Slot(1).Gauge(shm.Sessions); got != 0 {
		t.Errorf("%d sessions of the dead", got)
	}
	if got := s.segment.Slot(1).Counter(shm.Deliveries); got != 9 {
		t.Errorf("%d deliveries: a counter fell", got)
	}
}

func TestGenerationsWrapWithoutZero(t *testing.T) {
	s := running(t, 1)
	s.slots[0].generation = generationMax
	s.slots[0].worker.generation = generationMax
	s.live[0].generation = generationMax
	s.dies(0)
	if g := s.live[0].generation; g != 1 {
		t.Fatalf("generation %d after the last one", g)
	}
}
