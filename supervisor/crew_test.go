package supervisor

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// puppet is a worker without a process: it records what it is told.
type puppet struct {
	slot       int
	generation uint32
	told       []control.Message
	files      int
	signals    []os.Signal
	rings      int
	closed     bool
	deaf       bool // its mailbox is full
	frozen     bool // it does not beat
}

func (p *puppet) process(pid int) process {
	return process{
		pid: pid,
		send: func(m control.Message, files ...*os.File) bool {
			for _, f := range files {
				f.Close()
			}
			p.files += len(files)
			p.told = append(p.told, m)
			return !p.deaf
		},
		signal: func(s os.Signal) error { p.signals = append(p.signals, s); return nil },
		ring:   func() { p.rings++ },
		close:  func() { p.closed = true },
	}
}

// types are the messages that it was told since the last call.
func (p *puppet) types() (all []control.Type) {
	for _, m := range p.told {
		all = append(all, m.Type)
	}
	p.told = nil
	return all
}

// stage is a crew of puppets with a clock of its own.
type stage struct {
	*crew
	t       *testing.T
	time    time.Time
	live    []*puppet // by slot
	started int
	fail    error // of the next starts
}

func settings(workers int) config.Config {
	cfg := config.Default(config.Host{CPUs: float64(workers), Files: 20_000, RuntimeDir: "/nowhere", Name: "test"})
	cfg.Workers = workers
	return cfg
}

func newStage(t *testing.T, workers int) *stage {
	t.Helper()
	return newStageOf(t, settings(workers))
}

func newStageOf(t *testing.T, cfg config.Config) *stage {
	t.Helper()
	segment, err := shm.Create(filepath.Join(t.TempDir(), segmentName), shm.Layout{Slots: cfg.Workers, Partitions: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { segment.Close() })
	s := &stage{t: t, time: time.Unix(1000, 0), live: make([]*puppet, cfg.Workers)}
	sys := system{
		now: func() time.Time { return s.time }, random: func() float64 { return 0.5 },
		start: s.start, listen: func(int) (*os.File, error) { return os.Open(os.DevNull) },
	}
	s.crew, err = newCrew(cfg, segment, sys, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) start(slot int, generation uint32) (process, error) {
	if s.fail != nil {
		return process{}, s.fail
	}
	s.started++
	s.live[slot] = &puppet{slot: slot, generation: generation}
	return s.live[slot].process(10_000 + s.started), nil
}

// pass lets time pass; who is not frozen beats.
func (s *stage) pass(d time.Duration) {
	for end := s.time.Add(d); s.time.Before(end); {
		s.time = s.time.Add(s.limits.HeartbeatBeat)
		for slot, p := range s.live {
			if p != nil && !p.frozen {
				s.segment.Slot(slot).Beat(1)
			}
		}
		s.tick()
	}
}

// says is a worker's message.
func (s *stage) says(slot int, m control.Message) {
	s.handle(news{slot: slot, generation: s.live[slot].generation, kind: said, message: m})
}

// ready has workers report that they are.
func (s *stage) ready(slots ...int) {
	for _, slot := range slots {
		s.says(slot, control.Message{Type: control.Ready})
	}
}

// dies ends a worker.
func (s *stage) dies(slot int) {
	p := s.live[slot]
	s.live[slot] = nil
	s.handle(news{slot: slot, generation: p.generation, kind: ended, how: "signal: killed"})
	if !p.closed {
		s.t.Errorf("worker %d was not cleared away", slot)
	}
}

// reports is the scout's topology of one topic.
func (s *stage) reports(partitions int) {
	t := control.Topic{Name: "odin.trades", ID: event.TopicID{7}}
	for i := range partitions {
		t.Partitions = append(t.Partitions, control.Partition{Number: int32(i), Base: int64(100 * i)})
	}
	s.says(s.scout, control.Message{Type: control.Topology, Topics: []control.Topic{t}})
}

// owners is the slots that own the partitions.
func (s *stage) owners() (slots []int) {
	for i := range s.segment.Partitions() {
		o := s.segment.Owner(i)
		if p := s.slots[max(o.Slot, 0)].worker; o.Slot >= 0 && (p == nil || !o.Is(o.Slot, p.generation)) {
			s.t.Errorf("partition %d is owned by %+v, which does not run", i, o)
		}
		slots = append(slots, o.Slot)
	}
	return slots
}

func (s *stage) wantOwners(want ...int) {
	s.t.Helper()
	if got := s.owners(); !slices.Equal(got, want) {
		s.t.Fatalf("owners %v, want %v", got, want)
	}
}

func (s *stage) wantTold(slot int, want ...control.Type) {
	s.t.Helper()
	if got := s.live[slot].types(); !slices.Equal(got, want) {
		s.t.Fatalf("worker %d was told %v, want %v", slot, got, want)
	}
}

func (s *stage) wantCount(n shm.SupervisorCounter, want uint64) {
	s.t.Helper()
	if got := s.segment.Process().Counter(n); got != want {
		s.t.Fatalf("%s is %d, want %d", n.Metric().Name, got, want)
	}
}

// running is a stage whose workers are ready and share six partitions.
func running(t *testing.T, workers int) *stage {
	t.Helper()
	s := newStage(t, workers)
	s.begin()
	s.reports(6)
	for slot := range workers {
		s.ready(slot)
	}
	s.pass(time.Second)
	for _, p := range s.live {
		p.types()
		p.rings = 0
	}
	return s
}

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

func TestFirstReportIsElectedAmongTheStarting(t *testing.T) {
	s := newStage(t, 2)
	s.begin()
	s.reports(4)
	s.wantOwners(0, 1, 0, 1)
	if v := s.segment.TopologyVersion(); v != 1 {
		t.Errorf("topology version %d", v)
	}
	for slot, p := range s.live {
		if p.rings == 0 {
			t.Errorf("worker %d was not woken", slot)
		}
	}
	p, base := s.segment.Partition(3)
	if e := s.segment.Era(3); p.Number != 3 || base != 300 || e.Number != 0 || e.Topic != (event.TopicID{7}) || e.Epoch != event.NoEpoch {
		t.Errorf("partition 3 is %v from %d in %+v", p, base, e)
	}
	s.ready(0) // the other stays where it is
	s.wantOwners(0, 1, 0, 1)
}

// TestFirstBaseWins is rule 3: a base is never resolved again.
func TestFirstBaseWins(t *testing.T) {
	s := running(t, 2)
	s.says(s.scout, control.Message{Type: control.Topology, Topics: []control.Topic{{
		Name: "odin.trades", Partitions: []control.Partition{{Number: 0, Base: 999}, {Number: 6, Base: 5}},
	}}})
	if _, base := s.segment.Partition(0); base != 0 {
		t.Errorf("base is %d", base)
	}
	if v := s.segment.TopologyVersion(); v != 2 || s.segment.Partitions() != 7 {
		t.Errorf("version %d with %d partitions", v, s.segment.Partitions())
	}
	s.wantCount(shm.TopologyChanges, 2)
}

func TestSameTopologyChangesNothing(t *testing.T) {
	s := running(t, 2)
	s.reports(6)
	if v := s.segment.TopologyVersion(); v != 1 || s.live[0].rings+s.live[1].rings != 0 {
		t.Errorf("version %d, %d rings", v, s.live[0].rings+s.live[1].rings)
	}
}

func TestOnlyTheScoutReports(t *testing.T) {
	s := newStage(t, 2)
	s.begin()
	s.says(1, control.Message{Type: control.Topology, Topics: []control.Topic{{Name: "t", Partitions: []control.Partition{{}}}}})
	if s.segment.Partitions() != 0 {
		t.Fatal("took a report from somebody else")
	}
}

func TestTooManyPartitions(t *testing.T) {
	s := newStage(t, 1)
	s.begin()
	s.reports(70)
	s.reports(70)
	if n := s.segment.Partitions(); n != 64 {
		t.Fatalf("%d partitions in a table of 64", n)
	}
}

func TestDeathMovesPartitionsAtOnceAndBackWhenReady(t *testing.T) {
	s := running(t, 2)
	s.dies(1)
	if s.live[1] == nil || s.live[1].generation != 2 {
		t.Fatal("not started again at once")
	}
	s.wantOwners(0, 0, 0, 0, 0, 0)
	if s.live[0].rings == 0 {
		t.Error("the new owner was not woken")
	}
	s.ready(1)
	if got := s.owners(); !slices.Contains(got, 1) {
		t.Fatalf("owners %v after it was ready", got)
	}
	s.wantCount(shm.Respawns, 1)
	s.wantCount(shm.WorkersExited, 1)
	if n := s.segment.Slot(1).Respawns(); n != 1 {
		t.Errorf("slot 1 counts %d respawns", n)
	}
}

func TestDeathOfTheOnlyWorker(t *testing.T) {
	s := running(t, 1)
	s.dies(0)
	s.wantOwners(0, 0, 0, 0, 0, 0) // its next incarnation: nobody else could
	if o := s.segment.Owner(0); o.Generation != 2 {
		t.Fatalf("owner %+v", o)
	}
}

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

func TestScoutMoves(t *testing.T) {
	s := running(t, 3)
	if s.scout != 0 {
		t.Fatalf("scout is %d", s.scout)
	}
	s.live[0].frozen = true
	s.pass(3 * time.Second)
	if s.scout != 1 {
		t.Fatalf("scout is %d while 0 is suspect", s.scout)
	}
	if !slices.Contains(s.live[0].types(), control.Scout) {
		t.Error("the frozen one was not relieved")
	}
	s.dies(1)
	if s.scout == 1 {
		t.Error("the dead one is scout")
	}
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

func TestThawedWorkerGetsPartitionsAgain(t *testing.T) {
	s := running(t, 2)
	s.live[1].frozen = true
	s.pass(5 * time.Second)
	s.wantOwners(0, 0, 0, 0, 0, 0)
	s.live[1].frozen = false
	s.pass(time.Second)
	if got := s.owners(); !slices.Contains(got, 1) {
		t.Fatalf("owners %v after the thaw", got)
	}
	if len(s.live[1].signals) != 0 {
		t.Error("killed though it thawed")
	}
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

func TestSickSourceMovesItsPartitionsOnceSettled(t *testing.T) {
	s := running(t, 2)
	s.says(1, control.Message{Type: control.Source, Reason: "no route to host"})
	s.pass(1500 * time.Millisecond)
	if !slices.Contains(s.owners(), 1) {
		t.Fatal("moved before it settled")
	}
	s.pass(time.Second)
	s.wantOwners(0, 0, 0, 0, 0, 0)
	s.says(1, control.Message{Type: control.Source, Healthy: true})
	s.pass(3 * time.Second)
	if !slices.Contains(s.owners(), 1) {
		t.Fatal("nothing returned after the recovery")
	}
}

// TestBrokerOutageMovesNothing: all sources fail and return one after the
// other.
func TestBrokerOutageMovesNothing(t *testing.T) {
	s := running(t, 2)
	before := s.segment.Process().Counter(shm.OwnerChanges)
	for _, well := range []bool{false, true} {
		for slot := range s.live {
			s.says(slot, control.Message{Type: control.Source, Healthy: well, Reason: "connection refused"})
			s.pass(time.Second)
		}
		s.pass(5 * time.Second)
	}
	s.wantCount(shm.OwnerChanges, before)
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
	s.signal(syscall.SIGQUIT, io.Discard)
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
