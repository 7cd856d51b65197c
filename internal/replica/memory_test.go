package replica

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

// heap is what Go's heap holds once all garbage is gone.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemoryIsWithinTheBound: what a full history takes of Go's heap, whatever
// the size of its records, is what it says, and its bound, within 5 %.
func TestMemoryIsWithinTheBound(t *testing.T) {
	const bound = 64 << 20
	sizes := map[string]func(*rand.Rand) int{
		"tiny":   func(*rand.Rand) int { return 60 },
		"usual":  func(r *rand.Rand) int { return 150 + r.IntN(200) },
		"varied": func(r *rand.Rand) int { return 60 << r.IntN(12) },
		"large":  func(r *rand.Rand) int { return 100_000 + r.IntN(900_000) },
		// Each has a chunk of its own.
		"huge": func(r *rand.Rand) int { return ChunkBytes + 1 + r.IntN(ChunkBytes) },
	}
	for name, size := range sizes {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			before := heap()
			s := NewStore(Limits{Bytes: bound, Records: 1 << 30, Age: time.Hour})
			fillUp(s, 96, func() int { return size(random) }, 2*bound)
			took, st := heap()-before, s.Stats()
			t.Logf("%d records: %.2f of the bound, %.4f of what the heap holds", st.Records, float64(st.Bytes)/bound, float64(st.Bytes)/float64(took))
			if !near(took, st.Bytes) {
				t.Errorf("the heap has %d bytes more, the history says %d", took, st.Bytes)
			}
			if !near(st.Bytes, bound) {
				t.Errorf("%d bytes of %d: %+v", st.Bytes, bound, st)
			}
			if st.Evicted == 0 {
				t.Errorf("it was never full: %+v", st)
			}
			emptied(t, s, before)
		})
	}
}

// fillUp puts records into many partitions in turns, as a worker does, until so
// many bytes were put.
func fillUp(s *Store, partitions int, size func() int, bytes int64) {
	windows := make([]*window, partitions)
	for i := range windows {
		windows[i] = s.open()
	}
	frame := make([]byte, 4*ChunkBytes)
	offset, turn := int64(0), int64(0)
	for put := int64(0); put < bytes; offset++ {
		w := windows[offset%int64(partitions)]
		n := size()
		channel := fmt.Appendf(nil, "K%d.trade", offset%5000)
		copy(frame, channel)
		s.put(w, &event.Record{Offset: offset, Channel: channel, Frame: frame[:n]})
		w.apply(offset)
		put += int64(n)
		if put/(256<<10) != turn { // a turn's input
			turn = put / (256 << 10)
			s.Evict(turn)
		}
	}
	s.Evict(turn)
}

// emptied: once its records are too old nothing is held but what is spare.
func emptied(t *testing.T, s *Store, before int64) {
	t.Helper()
	s.Evict(s.now + time.Hour.Milliseconds() + 1)
	st := s.Stats()
	if st.Chunks != 0 || st.Records != 0 || st.Bytes != st.Spare || st.Spare > s.limits.headroom() {
		t.Errorf("emptied: %+v", st)
	}
	if left := heap() - before; left > s.limits.headroom()+1<<20 {
		t.Errorf("emptied, it takes %d bytes, and %d are spare", left, st.Spare)
	}
	runtime.KeepAlive(s)
}

func near(a, b int64) bool { return a-b <= b/20 && b-a <= b/20 }

// A chunk is freed whole, once its newest record is too old; where little comes it
// is closed early, so that the oldest record isn't much older than the age.
func TestOldestRecordIsNotMuchOlderThanTheAge(t *testing.T) {
	const age = 100_000
	s := NewStore(Limits{Age: age * time.Millisecond})
	w := s.open()
	for now := int64(0); now < 10*age; now += 500 {
		s.Evict(now)
		put(s, w, now, 100, true)
		if st := s.Stats(); st.Age > age+age/fillParts+500 || now > 2*age && st.Age < age {
			t.Fatalf("at %d the oldest is %d ms old: %+v", now, st.Age, st)
		}
	}
}

// What is smaller than before keeps nothing spare that it has no room for.
func TestSmallerBoundGivesBackWhatIsSpare(t *testing.T) {
	s := NewStore(Limits{Bytes: 256 << 20, Age: time.Second})
	fillUp(s, 4, func() int { return 1000 }, 16<<20)
	s.Evict(s.now + 2000)
	if st := s.Stats(); st.Spare < 2<<20 || st.Spare > s.limits.headroom() {
		t.Fatalf("%+v", st)
	}
	s.Limit(Limits{Bytes: 4 << 20, Age: time.Second})
	if st := s.Stats(); st.Bytes != 0 || s.BytesMax() != 4<<20 {
		t.Errorf("%+v", st)
	}
}
