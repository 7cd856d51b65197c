package worker

import (
	"runtime"
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

func TestMappedMemoryIsTheSizeAskedFor(t *testing.T) {
	for _, size := range []int{1, 4096, 1 << 20, 1<<20 + 1} {
		room := mapped{}.Take(size)
		if len(room) != 0 || cap(room) != size {
			t.Fatalf("%d bytes of %d, asked for %d", len(room), cap(room), size)
		}
		room = append(room, make([]byte, size)...)
		mapped{}.Give(room[:0])
	}
	mapped{}.Give(make([]byte, 0, 10)) // what was never mapped is left alone
}

// TestHistoryIsNotInGosHeap: what a history holds is no reason for the collector
// to wait, and is given back to the kernel at once.
func TestHistoryIsNotInGosHeap(t *testing.T) {
	const size = 64 << 20
	before := inHeap()
	s := replica.NewPastStoreIn(mapped{}, replica.Limits{Bytes: 2 * size})
	past := replica.NewPast(s)
	past.Begin(0)
	frame := make([]byte, 32<<10)
	for offset := range int64(size / len(frame)) {
		past.Append([]event.Record{{Offset: offset, Channel: []byte("BTC.trade"), Frame: frame}}, offset)
	}
	if s.Stats().Bytes < size {
		t.Fatalf("%+v", s.Stats())
	}
	if took := inHeap() - before; took > size/8 {
		t.Errorf("Go's heap has %d bytes of it", took)
	}
	full := residentBytes()
	s.Evict(1 << 40)
	if given := full - residentBytes(); given < size*3/4 {
		t.Errorf("emptied, it gave %d bytes back", given)
	}
	runtime.KeepAlive(past)
}

func inHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
