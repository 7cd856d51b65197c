package metrics

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

func TestLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(registered(t, busy(t, 2, 3)))
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestNamesAndLabels(t *testing.T) {
	families, err := registered(t, newSegment(t, 2, 3)).Gather()
	must(t, err)
	if len(families) < 60 {
		t.Errorf("only %d names", len(families))
	}
	allowed := []string{"worker", "topic", "partition", "reason", "code"}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "odin_") || f.GetHelp() == "" {
			t.Errorf("name %q, help %q", f.GetName(), f.GetHelp())
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if !slices.Contains(allowed, l.GetName()) {
					t.Errorf("%s has the label %s", f.GetName(), l.GetName())
				}
			}
		}
	}
}

// Rates and alerts need the zero before the first event.
func TestEverySeriesIsThereAtZeroFromTheFirstScrape(t *testing.T) {
	empty, full := newSegment(t, 3, 2), busy(t, 3, 2)
	before, after := series(t, registered(t, empty)), series(t, registered(t, full))
	for name := range after {
		if _, ok := before[name]; !ok && !strings.HasPrefix(name, "odin_build_info") {
			t.Errorf("%s appears only later", name)
		}
	}
	equal(t, "series", len(before), len(after))
	for name, v := range before {
		if strings.Contains(name, "_total") && v != 0 {
			t.Errorf("%s begins at %v", name, v)
		}
	}
	for _, name := range []string{
		"odin_sessions_closed_total{code=4000,worker=2}", "odin_connections_refused_total{reason=fds,worker=0}",
		"odin_delivery_latency_seconds{worker=1}", "odin_respawns_total", "odin_partition_lag_records{partition=1,topic=odin.trades}",
	} {
		if _, ok := before[name]; !ok {
			t.Errorf("no %s", name)
		}
	}
}

// The short way to a scrape gives what a registry that checks everything gives.
func TestGatherIsWhatARegistryGathers(t *testing.T) {
	for _, seg := range []*shm.Segment{busy(t, 3, 12), newSegment(t, 1, 0)} {
		c := New(seg)
		now := shm.Now()
		c.now = func() shm.Clock { return now }
		registry := prometheus.NewPedanticRegistry()
		must(t, registry.Register(c))
		short, err := c.Gather()
		must(t, err)
		long, err := registry.Gather()
		must(t, err)
		equal(t, "families", len(short), len(long))
		for i := range long {
			equal(t, "family", inOrder(short[i]), inOrder(long[i]))
		}
	}
}

// inOrder writes a family with its series sorted: the two ways order them
// differently.
func inOrder(f *dto.MetricFamily) string {
	slices.SortFunc(f.Metric, func(a, b *dto.Metric) int { return strings.Compare(labelText(a), labelText(b)) })
	var out strings.Builder
	_, err := expfmt.MetricFamilyToText(&out, f)
	return fmt.Sprint(out.String(), err)
}

func TestNumberOfSeriesIsAsReserved(t *testing.T) {
	seg := newSegment(t, 3, 5)
	c := New(seg)
	n := testutil.CollectAndCount(c)
	equal(t, "series", n, c.workers.series()+c.partitions.series(seg)+c.process.series())
}

func TestValues(t *testing.T) {
	seg := newSegment(t, 2, 2)
	now := shm.Now()
	seg.Process().SetStarted(1, now.Wall-90e9)
	seg.Process().SetState(shm.Ready)
	seg.Process().Set(shm.Readiness, 1)
	seg.Process().Add(shm.Elections, 4)
	seg.Process().Add(shm.SupervisorCPUUser, 2500e6)
	seg.Process().SetName(shm.Version, "v7")
	seg.SetTopologyVersion(6)
	slot := seg.Slot(1)
	slot.SetSpawn(9, 3, now.Wall)
	slot.SetState(shm.Ready)
	slot.Beat(now.Monotonic)
	slot.CountRespawn()
	slot.SetSuspect(true)
	slot.Block(2).Add(shm.Deliveries, 40)
	slot.Block(3).Add(shm.Deliveries, 2)
	slot.Block(3).Add(shm.CPUUser, 1500e6)
	slot.Block(3).Add(shm.SessionsClosed1001, 11)
	slot.Block(3).Set(shm.Sessions, 12)
	slot.Block(3).Set(shm.SourceHealthy, 1)
	seg.SetOwner(0, event.Owner{Term: 8, Slot: 1, Generation: 3})
	slot.PublishPosition(0, shm.Position{
		Held: 70, Stable: 80, High: 95, LogStart: 5, CaughtUpNS: now.Wall - 4e9, Generation: 3, Positioned: true,
	})

	c := New(seg)
	c.now = func() shm.Clock { return shm.Clock{Wall: now.Wall, Monotonic: now.Monotonic + 500e6} }
	registry := prometheus.NewPedanticRegistry()
	must(t, registry.Register(c))
	got := series(t, registry)
	for name, want := range map[string]float64{
		"odin_build_info{code=v7}": 1, "odin_uptime_seconds": 90, "odin_ready": 1, "odin_draining": 0,
		"odin_elections_total": 4, "odin_supervisor_cpu_user_seconds_total": 2.5, "odin_workers": 2, "odin_partitions": 2,
		"odin_topology_version": 6, "odin_start_time_seconds": float64(now.Wall-90e9) / 1e9,
		"odin_deliveries_total{worker=1}": 42, "odin_cpu_user_seconds_total{worker=1}": 1.5,
		"odin_sessions_closed_total{code=1001,worker=1}": 11, "odin_sessions{worker=1}": 12,
		"odin_worker_up{worker=1}": 1, "odin_worker_up{worker=0}": 0, "odin_worker_ready{worker=1}": 1, "odin_worker_ready{worker=0}": 0,
		"odin_worker_suspect{worker=1}": 1, "odin_worker_suspect{worker=0}": 0,
		"odin_worker_heartbeat_age_seconds{worker=1}": 0.5, "odin_worker_heartbeat_age_seconds{worker=0}": 0,
		"odin_worker_generation{worker=1}": 3, "odin_worker_respawns_total{worker=1}": 1, "odin_worker_start_time_seconds{worker=0}": 0,
		partitionSeries("position", 0): 70, partitionSeries("lag_records", 0): 9, partitionSeries("lag_seconds", 0): 4,
		partitionSeries("owner", 0): 1, partitionSeries("term", 0): 8, partitionSeries("open_transaction_records", 0): 15,
		partitionSeries("stable_offset", 0): 80, partitionSeries("high_watermark", 0): 95, partitionSeries("log_start_offset", 0): 5,
		partitionSeries("era", 0): 0, partitionSeries("position", 1): -1, partitionSeries("owner", 1): -1, partitionSeries("lag_records", 1): 0,
	} {
		v, ok := got[name]
		equal(t, name+" is there", ok, true)
		equal(t, name, v, want)
	}
}

func partitionSeries(name string, partition int) string {
	return "odin_partition_" + name + "{partition=" + string(rune('0'+partition)) + ",topic=odin.trades}"
}

func TestHistogramIsCumulativeAndInSeconds(t *testing.T) {
	seg := newSegment(t, 1, 0)
	for _, micros := range []uint64{1, 250, 251, 900, 70e6} {
		seg.Slot(0).Block(0).Observe(shm.DeliveryLatency, micros, 2)
	}
	families, err := registered(t, seg).Gather()
	must(t, err)
	for _, f := range families {
		if f.GetName() != "odin_delivery_latency_seconds" {
			continue
		}
		h := f.GetMetric()[0].GetHistogram()
		equal(t, "count", h.GetSampleCount(), 10)
		equal(t, "sum", h.GetSampleSum(), float64(2*(1+250+251+900+70e6))/1e6)
		equal(t, "first bound", h.GetBucket()[0].GetUpperBound(), 0.00025)
		equal(t, "first bucket", h.GetBucket()[0].GetCumulativeCount(), 4)
		equal(t, "third bound", h.GetBucket()[2].GetUpperBound(), 0.001)
		equal(t, "third bucket", h.GetBucket()[2].GetCumulativeCount(), 8)
		equal(t, "last bucket", h.GetBucket()[len(h.GetBucket())-1].GetCumulativeCount(), 8)
		return
	}
	t.Error("no latency")
}

// A respawn changes gauges, but no counter, histogram or supervisor's number
// falls, whichever of the two blocks is in use.
func TestCountersDoNotFallOverARespawn(t *testing.T) {
	seg := busy(t, 2, 2)
	registry := registered(t, seg)
	before := series(t, registry)
	for generation := uint32(2); generation < 6; generation++ {
		slot := seg.Slot(1)
		slot.SetState(shm.Gone)
		slot.ClearGauges()
		compare(t, before, series(t, registry))
		slot.SetSpawn(int(500+generation), generation, shm.Wall())
		slot.CountRespawn()
		compare(t, before, series(t, registry))
		slot.Block(generation).Add(shm.Deliveries, 1)
		after := series(t, registry)
		compare(t, before, after)
		equal(t, "deliveries", after["odin_deliveries_total{worker=1}"], before["odin_deliveries_total{worker=1}"]+1)
		equal(t, "sessions", after["odin_sessions{worker=1}"], 0)
		before = after
	}
}

func compare(t *testing.T, before, after map[string]float64) {
	t.Helper()
	for name, v := range before {
		if isCounter := strings.Contains(name, "_total") || strings.Contains(name, "_latency_seconds"); isCounter && after[name] < v {
			t.Errorf("%s fell from %v to %v", name, v, after[name])
		}
	}
}

func TestTopicsThatAreNotUTF8DoNotSpoilTheScrape(t *testing.T) {
	seg := newSegment(t, 1, 0)
	_, err := seg.AddPartition(event.Partition{Topic: "a\xff\"b\n"}, 0)
	must(t, err)
	got := series(t, registered(t, seg))
	if _, ok := got["odin_partition_owner{partition=0,topic=a�\"b\n}"]; !ok {
		t.Error("the topic is not there")
	}
}
