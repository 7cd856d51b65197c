package shm

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/event"
)

func TestWhatOneMappingWritesAnotherReads(t *testing.T) {
	s, path := created(t, small)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	worker, err := Attach(f)
	must(t, err)
	t.Cleanup(func() { must(t, worker.Close()) })
	reader := opened(t, path)

	s.Process().SetName(Version, "v1.2.3")
	worker.Slot(2).Block(7).Add(Deliveries, 41)
	worker.Slot(2).Block(8).Add(Deliveries, 1)
	i := added(t, s, "odin.trades", 5, 100)
	worker.Slot(1).PublishPosition(i, Position{Held: 99, Positioned: true})

	equal(t, "layout", reader.Layout(), small)
	equal(t, "version", reader.Process().Name(Version), "v1.2.3")
	equal(t, "deliveries", reader.Slot(2).Counter(Deliveries), 42)
	equal(t, "deliveries of another slot", reader.Slot(1).Counter(Deliveries), 0)
	p, ok := reader.Slot(1).Position(i)
	equal(t, "position published", ok, true)
	equal(t, "held", p.Held, 99)
	equal(t, "index", reader.Slot(2).Index(), 2)
}

func TestFileIsAllocatedInFullAndGroupReadable(t *testing.T) {
	s, path := created(t, Layout{2, 100})
	var st unix.Stat_t
	must(t, unix.Fstat(int(s.File().Fd()), &st))
	equal(t, "mode", st.Mode&0o777, 0o640)
	equal(t, "size", st.Size, int64(s.size))
	if st.Blocks*512 < st.Size {
		t.Errorf("sparse: %d bytes allocated of %d", st.Blocks*512, st.Size)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	equal(t, "files (segment and lock)", len(left), 2)
}

func TestSizeForALargeMachineIsBounded(t *testing.T) {
	p := planOf(Layout{event.MaxSlots, PartitionsMax})
	if p.size > 128<<20 {
		t.Errorf("%d slots and %d partitions need %d bytes", p.layout.Slots, p.layout.Partitions, p.size)
	}
	if p := planOf(Layout{2, PartitionsMax}); p.size > 5<<20 {
		t.Errorf("two workers need %d bytes", p.size)
	}
}

func TestCreateReplacesAndTheOldMappingLives(t *testing.T) {
	old, path := created(t, small)
	old.Slot(0).Block(0).Add(Turns, 1)
	must(t, os.WriteFile(filepath.Join(filepath.Dir(path), ".stats.shm.new"), []byte("left behind"), 0o600))
	s, err := Create(path, Layout{1, 1})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })

	equal(t, "old counter", old.Slot(0).Counter(Turns), 1)
	reader := opened(t, path)
	equal(t, "new layout", reader.Layout(), Layout{1, 1})
	equal(t, "new counter", reader.Slot(0).Counter(Turns), 0)
}

func TestCreateRefuses(t *testing.T) {
	for _, l := range []Layout{{0, 1}, {-1, 1}, {event.MaxSlots + 1, 1}, {1, 0}, {1, PartitionsMax + 1}} {
		if _, err := Create(filepath.Join(t.TempDir(), "s"), l); err == nil {
			t.Errorf("%+v was taken", l)
		}
	}
	_, err := Create(filepath.Join(t.TempDir(), "missing", "s"), small)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing directory: %v", err)
	}
}

func TestCreateLeavesNothingBehindWhenItCannotTakeItsName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "stats.shm")
	must(t, os.MkdirAll(filepath.Join(path, "in the way"), 0o700))
	if _, err := Create(path, small); err == nil {
		t.Fatal("a directory was replaced")
	}
	left, err := os.ReadDir(dir)
	must(t, err)
	equal(t, "files", len(left), 1)
}

func TestReadOnlyMappingRefusesToWrite(t *testing.T) {
	s, path := created(t, small)
	i := added(t, s, "t", 0, 0)
	r := opened(t, path)
	for what, write := range map[string]func(){
		"block":       func() { r.Slot(0).Block(0) },
		"gauges":      func() { r.Slot(0).ClearGauges() },
		"beat":        func() { r.Slot(0).Beat(1) },
		"state":       func() { r.Slot(0).SetState(Ready) },
		"reason":      func() { r.Slot(0).SetReason("x") },
		"respawn":     func() { r.Slot(0).CountRespawn() },
		"position":    func() { r.Slot(0).PublishPosition(i, Position{}) },
		"era":         func() { r.Slot(0).ProposeEra(i, event.Era{Number: 1}) },
		"first era":   func() { r.SetFirstEra(i, event.Era{}) },
		"owner":       func() { r.SetOwner(i, event.Owner{}) },
		"partition":   func() { _, _ = r.AddPartition(event.Partition{Topic: "u"}, 0) },
		"topology":    func() { r.SetTopologyVersion(1) },
		"supervisor":  func() { r.Process().SetStarted(1, 1) },
		"its beat":    func() { r.Process().Beat(1) },
		"its name":    func() { r.Process().SetName(Node, "n") },
		"its counter": func() { r.Process().Add(Kills, 1) },
		"its gauge":   func() { r.Process().Set(WorkersWanted, 1) },
	} {
		if !panics(write) {
			t.Errorf("%s was written", what)
		}
	}
}

func TestIndexOutsideOfTheTablePanics(t *testing.T) {
	s, _ := created(t, small)
	for _, i := range []int{-1, small.Partitions} {
		for what, call := range map[string]func(){
			"Owner":      func() { s.Owner(i) },
			"SetOwner":   func() { s.SetOwner(i, event.Owner{}) },
			"Partition":  func() { s.Partition(i) },
			"Era":        func() { s.Era(i) },
			"EraNumber":  func() { s.EraNumber(i) },
			"ProposeEra": func() { s.Slot(0).ProposeEra(i, event.Era{Number: 1}) },
			"Position":   func() { s.Slot(0).Position(i) },
			"Publish":    func() { s.Slot(0).PublishPosition(i, Position{}) },
			"Progress":   func() { s.Progress(i, Clock{}) },
		} {
			if !panics(call) {
				t.Errorf("%s(%d) reached outside of the table", what, i)
			}
		}
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	s, _ := created(t, small)
	i := added(t, s, "t", 0, 0)
	slot, block := s.Slot(0), s.Slot(0).Block(1)
	n := testing.AllocsPerRun(100, func() {
		block.Add(Deliveries, 1)
		block.Set(Sessions, 1)
		block.Change(Channels, -1)
		block.Observe(TurnLength, 77, 1)
		slot.Beat(1)
		slot.PublishPosition(i, Position{Held: 1})
		slot.Position(i)
		s.Owner(i)
		s.EraNumber(i)
		slot.Counter(Deliveries)
	})
	equal(t, "allocations", n, 0)
}
