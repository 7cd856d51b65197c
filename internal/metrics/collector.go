package metrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/odin-ws/odin/shm"
)

// Collector reads a segment for Prometheus. It may be used from any number of
// goroutines, as long as the segment is open.
type Collector struct {
	segment    *shm.Segment
	now        func() shm.Clock
	workers    workers
	partitions partitions
	process    process
	families   []*family // all of them, by name
}

// New makes a collector of the segment.
func New(segment *shm.Segment) *Collector {
	c := &Collector{
		segment: segment, now: shm.Now,
		workers: newWorkers(segment.Layout().Slots), partitions: newPartitions(), process: newProcess(),
	}
	c.families = slices.Concat(c.workers.families(), c.partitions.families(), c.process.families())
	slices.SortFunc(c.families, func(a, b *family) int { return strings.Compare(a.name, b.name) })
	for i, f := range c.families {
		f.index = i
	}
	return c
}

// Describe names every family, so that a registry checks the series.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, f := range c.families {
		to <- f.desc
	}
}

// Collect reads the segment for a registry.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	samples := c.read()
	for i := range samples {
		to <- &samples[i]
	}
}

// Gather reads the segment as a registry with this collector alone would, at
// half of the cost: the series need no check at each scrape, for the tests
// check them, and no sorting, for they come in order.
func (c *Collector) Gather() ([]*dto.MetricFamily, error) {
	samples := c.read()
	metrics := make([]dto.Metric, len(samples))
	families := make([]*dto.MetricFamily, len(c.families))
	for i := range samples {
		s, m := &samples[i], &metrics[i]
		_ = s.Write(m) // it can't fail
		f := families[s.family.index]
		if f == nil {
			f = s.family.empty()
			families[s.family.index] = f
		}
		f.Metric = append(f.Metric, m)
	}
	return slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return f == nil }), nil
}

func (c *Collector) read() []sample {
	now := c.now()
	samples := make([]sample, 0, c.workers.series()+c.partitions.series(c.segment)+c.process.series())
	samples = c.process.collect(samples, c.segment, now)
	for i := range c.segment.Layout().Slots {
		samples = c.workers.collect(samples, c.segment.Slot(i), now)
	}
	for i := range c.segment.Partitions() {
		samples = c.partitions.collect(samples, c.segment.Progress(i, now))
	}
	return samples
}
