package status

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// BenchmarkLook is what each look of `odinctl top`, and odinctl status, does:
// map the segment anew, and read all of it.
func BenchmarkLook(b *testing.B) {
	for _, size := range []shm.Layout{{Slots: 16, Partitions: 96}, {Slots: 128, Partitions: shm.PartitionsMax}} {
		b.Run(fmt.Sprintf("%dx%d", size.Slots, size.Partitions), func(b *testing.B) {
			path := published(b, size)
			for b.Loop() {
				seg, err := shm.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				if s := Read(seg, shm.Now()); len(s.Partitions) != size.Partitions {
					b.Fatalf("%d partitions", len(s.Partitions))
				}
				if err := seg.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// published is a segment in which every worker has published everything.
func published(b *testing.B, size shm.Layout) (path string) {
	b.Helper()
	dir := b.TempDir()
	lock, err := shm.LockDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	path = filepath.Join(dir, "stats.shm")
	seg, err := shm.Create(path, size)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = seg.Close(); _ = lock.Release() })
	for i := range size.Partitions {
		if _, err := seg.AddPartition(event.Partition{Topic: fmt.Sprint("topic", i%64), Number: int32(i)}, 0); err != nil {
			b.Fatal(err)
		}
		for slot := range size.Slots {
			seg.Slot(slot).PublishPosition(i, shm.Position{Held: 1, Stable: 2, High: 2, Positioned: true, Generation: 1})
		}
	}
	return path
}
