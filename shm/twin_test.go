package shm

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestTwinReadsNothingBeforeTheFirstWrite(t *testing.T) {
	tw := twin{make([]uint64, twinWords(3))}
	equal(t, "ok", tw.read(make([]uint64, 3)), false)
}

// A writer killed anywhere in a write leaves the value before readable.
func TestTwinSurvivesAWriterThatDiesInTheMiddle(t *testing.T) {
	const n = 4
	for died := range n + 1 { // after so many words
		tw := twin{make([]uint64, twinWords(n))}
		tw.write([]uint64{1, 1, 1, 1})
		tw.write([]uint64{2, 2, 2, 2})
		half := tw.copyOf(atomic.LoadUint64(&tw.words[0]) + 1)
		for i := range died {
			half[i] = 99
		}
		got := make([]uint64, n)
		equal(t, "ok", tw.read(got), true)
		for _, w := range got {
			equal(t, "word", w, 2)
		}
		tw.write([]uint64{3, 3, 3, 3}) // the next generation
		equal(t, "ok", tw.read(got), true)
		equal(t, "first", got[0], 3)
		equal(t, "last", got[n-1], 3)
	}
}

// However fast the writer: a value is whole, or the reader gives up.
func TestTwinIsNeverTornAndNeverWaits(t *testing.T) {
	const n = 64
	tw := twin{make([]uint64, twinWords(n))}
	var stop atomic.Bool
	var writer sync.WaitGroup
	writer.Go(func() {
		v := make([]uint64, n)
		for i := uint64(1); !stop.Load(); i++ {
			for j := range v {
				v[j] = i
			}
			tw.write(v)
		}
	})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() { readTorn(t, tw, n) })
	}
	readers.Wait()
	stop.Store(true)
	writer.Wait()
}

func readTorn(t *testing.T, tw twin, n int) {
	got := make([]uint64, n)
	last := uint64(0)
	for range 20000 {
		if !tw.read(got) {
			continue
		}
		for _, w := range got {
			if w != got[0] {
				t.Errorf("torn: %v", got)
				return
			}
		}
		if got[0] < last {
			t.Errorf("%d was read after %d", got[0], last)
			return
		}
		last = got[0]
	}
}
