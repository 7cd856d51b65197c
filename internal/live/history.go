package live

import "github.com/odin-ws/odin/internal/status"

// HistoryMax is how many looks are kept: five minutes of them.
const HistoryMax = 300

// History is the past minutes, the oldest first: entry i of each list was seen
// at TS[i], and rates are those since the look before.
type History struct {
	// IntervalMS is the time between two looks.
	IntervalMS int64 `json:"interval_ms"`
	// TS is milliseconds since 1970.
	TS []int64 `json:"ts"`
	// Deliveries: records written to sessions.
	Deliveries []float64 `json:"deliveries_per_s"`
	// Records fetched from the source.
	Records []float64 `json:"records_per_s"`
	// P50 is the latency's, null where nothing was delivered.
	P50 []*float64 `json:"latency_p50_ms"`
	// P99 is the latency's, null where nothing was delivered.
	P99 []*float64 `json:"latency_p99_ms"`
	// Sessions connected.
	Sessions []int64 `json:"sessions"`
	// Lag is the records behind, of all partitions; looked at every
	// 10 s only while nobody watches.
	Lag []int64 `json:"lag"`
	// Cores is CPU seconds a second, of the workers.
	Cores []float64 `json:"cores"`
}

// point is one look's part of the history.
type point struct {
	ts       int64
	flow     status.Flow
	sessions int64
	lag      int64
}

// past holds the newest points.
type past struct {
	points [HistoryMax]point
	count  int // of all that were ever added
}

func (r *past) add(p point) {
	r.points[r.count%HistoryMax] = p
	r.count++
}

func (r *past) history() History {
	h := History{
		IntervalMS: interval.Milliseconds(), TS: []int64{}, Deliveries: []float64{}, Records: []float64{},
		P50: []*float64{}, P99: []*float64{}, Sessions: []int64{}, Lag: []int64{}, Cores: []float64{},
	}
	for i := max(0, r.count-HistoryMax); i < r.count; i++ {
		p := r.points[i%HistoryMax]
		h.TS = append(h.TS, p.ts)
		h.Deliveries = append(h.Deliveries, p.flow.Deliveries)
		h.Records = append(h.Records, p.flow.Records)
		h.P50 = append(h.P50, p.flow.Latency.P50MS)
		h.P99 = append(h.P99, p.flow.Latency.P99MS)
		h.Sessions = append(h.Sessions, p.sessions)
		h.Lag = append(h.Lag, p.lag)
		h.Cores = append(h.Cores, p.flow.Cores)
	}
	return h
}
