package shm

// Kind is how a metric behaves.
type Kind int

// The kinds.
const (
	KindCounter   Kind = iota // only grows
	KindGauge                 // may change either way
	KindHistogram             // how often a measure fell into each bucket
)

// String gives the kind as it stands in the directory.
func (k Kind) String() string { return [...]string{"counter", "gauge", "histogram"}[k] }

// Unit is what a number in the segment counts. Times are whole numbers here
// and become seconds where they are published.
type Unit int

// The units.
const (
	Count        Unit = iota // of whatever the name says
	Bytes                    // bytes
	Nanoseconds              // published as seconds
	Microseconds             // published as seconds
	Flag                     // 1 yes, 0 no
)

// String gives the unit as it stands in the directory.
func (u Unit) String() string {
	return [...]string{"count", "bytes", "nanoseconds", "microseconds", "flag"}[u]
}

// PerBase is how many of this unit are one of the unit that is published.
func (u Unit) PerBase() float64 { return [...]float64{1, 1, 1e9, 1e6, 1}[u] }

// Metric describes one number. Metrics of one name differ by the value of
// their label, and stand one after the other.
type Metric struct {
	Name   string // as published, less the prefix odin_
	Kind   Kind
	Unit   Unit
	Help   string
	Label  string   // "reason", "code" or none
	Value  string   // the label's
	Bounds []uint64 // of a histogram's buckets: upper, inclusive, in Unit; not to be changed

	When  string // an operator looks at it when …; "" if only with others. Not in the directory
	Later bool   // what it, or this value of its label, counts is not served by this version: always 0
}

// when gives the occasion to look at the metric.
func (m Metric) when(text string) Metric {
	m.When = text
	return m
}

// laterValue marks one value of a label; other rows of the name count.
func (m Metric) laterValue() Metric {
	m.Later = true
	return m
}

// Counter names one of a worker's counters.
type Counter int

// Gauge names one of a worker's gauges.
type Gauge int

// Histogram names one of a worker's histograms.
type Histogram int

// SupervisorCounter names one of the supervisor's counters.
type SupervisorCounter int

// SupervisorGauge names one of the supervisor's gauges.
type SupervisorGauge int

// Metric describes the counter.
func (c Counter) Metric() Metric { return counterTable[c] }

// Metric describes the gauge.
func (g Gauge) Metric() Metric { return gaugeTable[g] }

// Metric describes the histogram.
func (h Histogram) Metric() Metric { return histogramTable[h] }

// Bounds are the upper bounds of the histogram's buckets, not to be changed.
func (h Histogram) Bounds() []uint64 { return histogramTable[h].Bounds }

// Metric describes the counter.
func (c SupervisorCounter) Metric() Metric { return supervisorCounterTable[c] }

// Metric describes the gauge.
func (g SupervisorGauge) Metric() Metric { return supervisorGaugeTable[g] }

// By gives the counter of c's family whose label has this value, c being the
// family's first; false if the family has none.
func (c Counter) By(value string) (Counter, bool) {
	name := counterTable[c].Name
	for ; c < CounterCount && counterTable[c].Name == name; c++ {
		if counterTable[c].Value == value {
			return c, true
		}
	}
	return 0, false
}

// ClosedBy gives the counter of sessions closed with a close code; a code
// that Odin never sends counts as 1006, an abnormal end.
func ClosedBy(code uint16) Counter {
	for i, known := range closeCodes {
		if known == code {
			return SessionsClosed1000 + Counter(i)
		}
	}
	return SessionsClosed1006
}
