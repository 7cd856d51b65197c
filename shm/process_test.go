package shm

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// until waits for a condition that other processes bring about.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long until %s", what)
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// Ten generations are killed with -9 wherever they happen to be; who reads
// meanwhile sees no counter fall, no position torn, no histogram disagree.
func TestKilledWorkersLeaveTheSegmentWhole(t *testing.T) {
	const generations = 10
	s, path := created(t, small)
	added(t, s, "odin.trades", 0, 0)
	var stop atomic.Bool
	var readers sync.WaitGroup
	reader := opened(t, path)
	readers.Go(func() { watch(t, reader, &stop) })

	slot := s.Slot(1)
	for generation := range uint32(generations) {
		before, beats := slot.Counter(Deliveries), beatsOf(slot)
		worker := play(t, "worker", strconv.Itoa(int(generation)), s.File())
		slot.SetSpawn(worker.Process.Pid, generation, Wall())
		until(t, "the worker has counted", func() bool { return slot.Counter(Deliveries) > before+1000 && beatsOf(slot) > beats })
		equal(t, "generation", slot.Generation(), generation)
		must(t, worker.Process.Signal(syscall.SIGKILL))
		_ = worker.Wait()
		slot.SetState(Gone)
		slot.ClearGauges()
		equal(t, "sessions", slot.Gauge(Sessions), 0)
	}
	stop.Store(true)
	readers.Wait()
	checkCounts(t, slot, generations)
}

func beatsOf(s *Slot) uint64 {
	n, _ := s.LastBeat()
	return n
}

// checkCounts compares numbers that a worker raises one after the other: each
// kill may have separated them by one at most, so nothing counted twice.
func checkCounts(t *testing.T, slot *Slot, kills uint64) {
	t.Helper()
	fetched, delivered := slot.Counter(RecordsFetched), slot.Counter(Deliveries)
	turns := slot.Histogram(TurnLength)
	p, _ := slot.Position(0)
	if fetched < delivered || fetched-delivered > kills || delivered < turns.Count || delivered-turns.Count > kills {
		t.Errorf("%d fetched, %d delivered, %d turns after %d kills", fetched, delivered, turns.Count, kills)
	}
	if turns.Sum < 100*turns.Count || turns.Sum > 100*(turns.Count+kills) {
		t.Errorf("%d turns with a sum of %d", turns.Count, turns.Sum)
	}
	if published := uint64(p.Held + 1); turns.Count < published || turns.Count-published > kills {
		t.Errorf("%d turns, %d positions", turns.Count, published)
	}
}

func watch(t *testing.T, s *Segment, stop *atomic.Bool) {
	slot := s.Slot(1)
	var delivered, beats, turns uint64
	var held int64
	var era uint32
	for !stop.Load() && !t.Failed() {
		d, b, h := slot.Counter(Deliveries), beatsOf(slot), slot.Histogram(TurnLength)
		p, ok := slot.Position(0)
		e := s.Era(0)
		if d < delivered || b < beats || h.Count < turns || h.Sum < 100*h.Count {
			t.Errorf("fell: %d<%d %d<%d %d<%d (sum %d)", d, delivered, b, beats, h.Count, turns, h.Sum)
		}
		if ok && (p != at(p.Held) || p.Held < held) {
			t.Errorf("position after %d: %+v", held, p)
		}
		if e.Number < era || e.Number > 0 && e != of(e.Number, 1) {
			t.Errorf("era after %d: %+v", era, e)
		}
		delivered, beats, turns, held, era = d, b, h.Count, max(held, p.Held), e.Number
	}
}

// The lock is the supervisor's alone: stopped it is held, killed it is gone,
// though a child of it lives on with the segment open.
func TestSegmentOfAStoppedSupervisorOpensAndOfADeadOneDoesNot(t *testing.T) {
	dir := t.TempDir()
	supervisor := play(t, "supervisor", dir)
	text, err := supervisor.out.ReadString('\n')
	must(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(text))
	must(t, err)

	must(t, supervisor.Process.Signal(syscall.SIGSTOP))
	stopped := func(pid int) bool {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(pid, &status, syscall.WUNTRACED|syscall.WNOHANG, nil)
		return err == nil && got == pid && status.Stopped()
	}
	until(t, "the supervisor has stopped", func() bool { return stopped(supervisor.Process.Pid) })
	pid, running, err := Running(dir)
	must(t, err)
	equal(t, "running", running, true)
	equal(t, "pid", pid, supervisor.Process.Pid)
	equal(t, "version", opened(t, dir+"/stats.shm").Process().Name(Version), "v9")

	must(t, supervisor.Process.Kill())
	_ = supervisor.Wait()
	must(t, syscall.Kill(child, 0)) // it lives
	_, err = Open(dir + "/stats.shm")
	rejects(t, err, dir+"/stats.shm", ErrStale)
}
