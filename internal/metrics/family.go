package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/odin-ws/odin/shm"
)

// prefix of every name.
const prefix = "odin_"

// family is one name: what its rows have in common.
type family struct {
	shm.Metric        // the first row
	name       string // as published
	labels     []string
	index      int // among all of a collector, by name
	desc       *prometheus.Desc
	perBase    float64
}

func familyOf(m shm.Metric, labels ...string) *family {
	if m.Label != "" {
		labels = append([]string{m.Label}, labels...)
	}
	return &family{
		Metric: m, name: prefix + m.Name, labels: labels,
		desc: prometheus.NewDesc(prefix+m.Name, m.Help, labels, nil), perBase: m.Unit.PerBase(),
	}
}

// empty is the family without its series, for one scrape.
func (f *family) empty() *dto.MetricFamily {
	kind := map[shm.Kind]dto.MetricType{
		shm.KindCounter: dto.MetricType_COUNTER, shm.KindGauge: dto.MetricType_GAUGE, shm.KindHistogram: dto.MetricType_HISTOGRAM,
	}[f.Kind]
	return &dto.MetricFamily{Name: &f.name, Help: &f.Help, Type: &kind}
}

func gauge(name, help string, labels ...string) *family {
	return familyOf(shm.Metric{Name: name, Kind: shm.KindGauge, Help: help}, labels...)
}

func yesOrNo(name, help string, labels ...string) *family {
	return familyOf(shm.Metric{Name: name, Kind: shm.KindGauge, Unit: shm.Flag, Help: help}, labels...)
}

func counter(name, help string, labels ...string) *family {
	return familyOf(shm.Metric{Name: name, Kind: shm.KindCounter, Help: help}, labels...)
}

// when gives the occasion to look at the family.
func (f *family) when(text string) *family {
	f.When = text
	return f
}

// sample is one series at one moment. It implements prometheus.Metric itself:
// the library's constant metrics check and sort the labels anew each time,
// which is most of a scrape's cost.
type sample struct {
	family    *family
	labels    []*dto.LabelPair // in the order of their names, shared, never changed
	value     float64
	histogram *dto.Histogram
}

// Desc is the family's description.
func (s *sample) Desc() *prometheus.Desc { return s.family.desc }

// Write gives the sample to the registry.
func (s *sample) Write(m *dto.Metric) error {
	m.Label = s.labels
	switch s.family.Kind {
	case shm.KindCounter:
		m.Counter = &dto.Counter{Value: &s.value}
	case shm.KindGauge:
		m.Gauge = &dto.Gauge{Value: &s.value}
	case shm.KindHistogram:
		m.Histogram = s.histogram
	}
	return nil
}

// pairs makes labels from names and values in turn; names are in order.
func pairs(namesAndValues ...string) []*dto.LabelPair {
	labels := make([]*dto.LabelPair, 0, len(namesAndValues)/2)
	for i := 0; i < len(namesAndValues); i += 2 {
		labels = append(labels, &dto.LabelPair{Name: &namesAndValues[i], Value: &namesAndValues[i+1]})
	}
	return labels
}

func metricPairs(m shm.Metric, slot int) []*dto.LabelPair {
	worker := strconv.Itoa(slot)
	if m.Label == "" {
		return pairs("worker", worker)
	}
	return pairs(m.Label, m.Value, "worker", worker) // code and reason come before worker
}

// cumulative turns a snapshot into what Prometheus wants: buckets that
// include the ones before, and the unit that is published.
func (f *family) cumulative(h shm.HistogramSnapshot) *dto.Histogram {
	count, sum := uint64(0), float64(h.Sum)/f.perBase
	out := &dto.Histogram{SampleCount: &h.Count, SampleSum: &sum, Bucket: make([]*dto.Bucket, len(h.Bounds))}
	buckets := make([]struct {
		dto.Bucket
		count uint64
		bound float64
	}, len(h.Bounds))
	for i := range h.Bounds {
		b := &buckets[i]
		count += h.Buckets[i]
		b.count, b.bound = count, float64(h.Bounds[i])/f.perBase
		b.CumulativeCount, b.UpperBound = &b.count, &b.bound
		out.Bucket[i] = &b.Bucket
	}
	return out
}
