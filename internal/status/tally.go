package status

import (
	"time"

	"github.com/odin-ws/odin/shm"
)

// rate is one of the numbers of a Flow, and how it is counted in the segment.
type rate int

const (
	deliveries rate = iota
	deliveryBytes
	records
	cpuNS
	handshakes
	closes
	slowCloses
	slowDrops
	gaps
	rateCount
)

// tally is all that only grows: two of them make a Flow.
type tally struct {
	counts         [rateCount]uint64
	latency, turns shm.HistogramSnapshot
}

func readTally(slot *shm.Slot) tally {
	return tally{
		counts: [rateCount]uint64{
			deliveries:    slot.Counter(shm.Deliveries),
			deliveryBytes: slot.Counter(shm.BytesSent),
			records:       slot.Counter(shm.RecordsFetched),
			cpuNS:         slot.Counter(shm.CPUUser) + slot.Counter(shm.CPUSystem),
			handshakes:    slot.Counter(shm.Handshakes),
			closes:        family(slot, shm.SessionsClosed1000),
			slowCloses:    slot.Counter(shm.SlowCloses),
			slowDrops:     slot.Counter(shm.SlowDrops) + slot.Counter(shm.SlowConflations),
			gaps:          slot.Counter(shm.Gaps),
		},
		latency: slot.Histogram(shm.DeliveryLatency),
		turns:   slot.Histogram(shm.TurnLength),
	}
}

func (t *tally) add(more tally) {
	for i, n := range more.counts {
		t.counts[i] += n
	}
	t.latency = merge(t.latency, more.latency)
	t.turns = merge(t.turns, more.turns)
}

func flow(before, after tally, apart time.Duration) Flow {
	var each [rateCount]float64
	for i, n := range after.counts {
		if n > before.counts[i] {
			each[i] = perSecond(n-before.counts[i], apart)
		}
	}
	return Flow{
		Deliveries: each[deliveries], Bytes: each[deliveryBytes], Records: each[records], Cores: round(each[cpuNS] / 1e9),
		Handshakes: each[handshakes], Closed: each[closes], SlowCloses: each[slowCloses], SlowDrops: each[slowDrops], Gaps: each[gaps],
		Latency: spread(before.latency, after.latency), Turn: spread(before.turns, after.turns),
	}
}

// perSecond is 0 for what took no time.
func perSecond(n uint64, apart time.Duration) float64 {
	if apart <= 0 {
		return 0
	}
	return round(float64(n) / apart.Seconds())
}

func merge(a, b shm.HistogramSnapshot) shm.HistogramSnapshot {
	sum := shm.HistogramSnapshot{Buckets: make([]uint64, max(len(a.Buckets), len(b.Buckets))), Bounds: a.Bounds}
	if len(b.Bounds) > len(a.Bounds) {
		sum.Bounds = b.Bounds
	}
	for _, h := range []shm.HistogramSnapshot{a, b} {
		for i, n := range h.Buckets {
			sum.Buckets[i] += n
		}
		sum.Sum += h.Sum
		sum.Count += h.Count
	}
	return sum
}

// spread is what was observed between two snapshots of a histogram of
// microseconds.
func spread(before, after shm.HistogramSnapshot) Spread {
	between := make([]uint64, len(after.Buckets))
	var s Spread
	for i, n := range after.Buckets {
		if i < len(before.Buckets) {
			n -= min(n, before.Buckets[i])
		}
		between[i] = n
		s.Count += n
	}
	if s.Count > 0 {
		p50 := round(quantile(between, after.Bounds, s.Count, 0.50) / 1000)
		p99 := round(quantile(between, after.Bounds, s.Count, 0.99) / 1000)
		s.P50MS, s.P99MS = &p50, &p99
	}
	return s
}

// quantile is Prometheus' histogram_quantile: what lies in a bucket is taken
// to be spread evenly over it, and what is beyond all bounds to be at the last.
func quantile(buckets, bounds []uint64, count uint64, q float64) float64 {
	rank, below := q*float64(count), 0.0
	for i, n := range buckets {
		if below+float64(n) < rank || n == 0 {
			below += float64(n)
			continue
		}
		if i == len(bounds) {
			break
		}
		from := 0.0
		if i > 0 {
			from = float64(bounds[i-1])
		}
		return from + (float64(bounds[i])-from)*(rank-below)/float64(n)
	}
	return float64(bounds[len(bounds)-1])
}
