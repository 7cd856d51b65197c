package metrics

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

func newSegment(t testing.TB, workers, partitions int) *shm.Segment {
	t.Helper()
	seg, err := shm.Create(filepath.Join(t.TempDir(), "stats.shm"), shm.Layout{Slots: workers, Partitions: 256})
	must(t, err)
	t.Cleanup(func() { must(t, seg.Close()) })
	for i := range partitions {
		_, err := seg.AddPartition(event.Partition{Topic: "odin.trades", Number: int32(i)}, 0)
		must(t, err)
	}
	return seg
}

// busy fills a segment with what a running odind has in it.
func busy(t testing.TB, workers, partitions int) *shm.Segment {
	seg := newSegment(t, workers, partitions)
	seg.Process().SetName(shm.Version, "v1.4.0")
	for slot := range workers {
		s := seg.Slot(slot)
		s.SetSpawn(100+slot, 1, shm.Wall())
		s.SetState(shm.Ready)
		for c := range shm.CounterCount {
			s.Block(1).Add(c, 1e9*uint64(slot)+uint64(c))
		}
		s.Block(1).Observe(shm.DeliveryLatency, 1234, 5)
		for i := range partitions {
			s.PublishPosition(i, shm.Position{Held: 12345678, Stable: 12345700, High: 12345800, Positioned: true, Generation: 1})
		}
	}
	for i := range partitions {
		seg.SetOwner(i, event.Owner{Term: 1, Slot: i % workers, Generation: 1})
	}
	return seg
}

// registered is a registry that checks everything that it is given.
func registered(t testing.TB, seg *shm.Segment) *prometheus.Registry {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	must(t, registry.Register(New(seg)))
	return registry
}

// series gathers every series as name{label="value",…}, histograms by their
// count.
func series(t testing.TB, from prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := from.Gather()
	must(t, err)
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			all[f.GetName()+labelText(m)] = value(m)
		}
	}
	return all
}

func labelText(m *dto.Metric) string {
	text := ""
	for _, l := range m.GetLabel() {
		text += fmt.Sprintf(",%s=%s", l.GetName(), l.GetValue())
	}
	if text == "" {
		return ""
	}
	return "{" + text[1:] + "}"
}

func value(m *dto.Metric) float64 {
	switch {
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	}
	return float64(m.GetHistogram().GetSampleCount())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
