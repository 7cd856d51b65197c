package shm

import (
	"slices"
	"sync/atomic"
)

// Block is the writing side of one generation of a slot: counters, gauges and
// histograms. Its methods may be called from any goroutine of the slot's
// worker, and allocate nothing.
type Block struct {
	counters   []uint64
	gauges     []uint64
	histograms [HistogramCount]histogram
}

type histogram struct {
	bounds []uint64 // upper, inclusive
	words  []uint64 // sum, then one bucket a bound and one beyond
}

func newBlock(m memory, off int) Block {
	var b Block
	b.counters = m.words(off, int(CounterCount))
	off += roundUp(int(CounterCount)*word, line)
	b.gauges = m.words(off, int(GaugeCount))
	off += roundUp(int(GaugeCount)*word, line)
	for h := range HistogramCount {
		bounds := h.Bounds()
		b.histograms[h] = histogram{bounds, m.words(off, histogramWords(h))}
		off += roundUp(histogramWords(h)*word, line)
	}
	return b
}

func histogramWords(h Histogram) int { return 2 + len(histogramTable[h].Bounds) }

// blockBytes is the size of a block.
func blockBytes() int {
	size := roundUp(int(CounterCount)*word, line) + roundUp(int(GaugeCount)*word, line)
	for h := range HistogramCount {
		size += roundUp(histogramWords(h)*word, line)
	}
	return size
}

// Add counts n more.
func (b *Block) Add(c Counter, n uint64) {
	if counted {
		atomic.AddUint64(&b.counters[c], n)
	}
}

// Set makes v the gauge's value.
func (b *Block) Set(g Gauge, v int64) { atomic.StoreUint64(&b.gauges[g], uint64(v)) }

// Change adds delta, which may be negative, to the gauge.
func (b *Block) Change(g Gauge, delta int64) { atomic.AddUint64(&b.gauges[g], uint64(delta)) }

// Observe records that v, in the histogram's unit, was measured n times.
// The sum goes first: a reader that sees the bucket sees the sum too.
func (b *Block) Observe(h Histogram, v, n uint64) {
	if !counted {
		return
	}
	hist := &b.histograms[h]
	i, _ := slices.BinarySearch(hist.bounds, v)
	atomic.AddUint64(&hist.words[0], v*n)
	atomic.AddUint64(&hist.words[1+i], n)
}

// ClearGauges sets this generation's gauges to zero, by the supervisor, after
// waitpid has reported the generation dead.
func (b *Block) ClearGauges() {
	for i := range b.gauges {
		atomic.StoreUint64(&b.gauges[i], 0)
	}
}

// HistogramSnapshot is a histogram as read: Buckets[i] counts what was in
// (Bounds[i-1], Bounds[i]], the last one what was beyond all bounds. Count is
// the sum of Buckets, so the two always agree.
type HistogramSnapshot struct {
	Buckets []uint64
	Bounds  []uint64 // not to be changed
	Sum     uint64
	Count   uint64
}

// addTo reads the buckets before the sum, the order opposite to Observe's.
func (h *histogram) addTo(snapshot *HistogramSnapshot) {
	for i := range snapshot.Buckets {
		n := atomic.LoadUint64(&h.words[1+i])
		snapshot.Buckets[i] += n
		snapshot.Count += n
	}
	snapshot.Sum += atomic.LoadUint64(&h.words[0])
}
