package main

import "math/bits"

// histogram of latencies in ns: 128 steps for each power of two, as fanload's.
type histogram struct {
	counts [36 * 128]uint64
	n, sum uint64
	max    uint64
}

const stepBits = 7

func bucket(v uint64) int {
	if v < 1<<stepBits {
		return int(v)
	}
	e := bits.Len64(v) - 1
	i := (e-stepBits+1)<<stepBits | int(v>>(e-stepBits))&(1<<stepBits-1)
	return min(i, len(histogram{}.counts)-1)
}

// edge is the upper edge of a bucket.
func edge(i int) uint64 {
	if i < 1<<stepBits {
		return uint64(i)
	}
	e := i>>stepBits + stepBits - 1
	return uint64(1<<stepBits+i&(1<<stepBits-1)+1)<<(e-stepBits) - 1
}

func (h *histogram) add(v uint64) {
	h.counts[bucket(v)]++
	h.n++
	h.sum += v
	h.max = max(h.max, v)
}

func (h *histogram) quantile(q float64) float64 {
	acc := uint64(0)
	for i, c := range h.counts {
		acc += c
		if c > 0 && float64(acc) >= q*float64(h.n) {
			return float64(edge(i)) / 1e3
		}
	}
	return 0
}

// latency is what is printed, in µs.
type latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

func (h *histogram) report() latency {
	return latency{
		Mean: float64(h.sum) / float64(max(h.n, 1)) / 1e3,
		P50:  h.quantile(0.5), P90: h.quantile(0.9), P99: h.quantile(0.99), P999: h.quantile(0.999),
		Max: float64(h.max) / 1e3,
	}
}
