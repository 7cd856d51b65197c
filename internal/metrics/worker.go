package metrics

import (
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/odin-ws/odin/shm"
)

// workers is what is published for each slot, with the labels of all of them.
type workers struct {
	counters   [shm.CounterCount]*family
	gauges     [shm.GaugeCount]*family
	histograms [shm.HistogramCount]*family
	labels     [][shm.CounterCount][]*dto.LabelPair // by slot, of counters
	plain      [][]*dto.LabelPair                   // by slot: the worker alone

	up, ready, suspect, beat, generation, started, respawns *family
}

func newWorkers(slots int) workers {
	w := workers{
		up:         yesOrNo("worker_up", "1 while the worker's process lives and its heartbeat is not stale, else 0.", "worker").when("always"),
		ready:      yesOrNo("worker_ready", "1 while the worker takes clients, else 0.", "worker"),
		suspect:    yesOrNo("worker_suspect", "1 while the supervisor misses the worker's heartbeat, else 0.", "worker"),
		beat:       gauge("worker_heartbeat_age_seconds", "Seconds since the worker's last heartbeat, 0 if none is awaited.", "worker"),
		generation: gauge("worker_generation", "Incarnation of the worker.", "worker"),
		started:    gauge("worker_start_time_seconds", "When the worker was started, since 1970; 0 if it never was.", "worker"),
		respawns:   counter("worker_respawns_total", "How often the worker was replaced.", "worker").when("sessions fall on one worker"),
	}
	for c := range w.counters {
		if c > 0 && shm.Counter(c).Metric().Name == shm.Counter(c-1).Metric().Name {
			w.counters[c] = w.counters[c-1]
			continue
		}
		w.counters[c] = familyOf(shm.Counter(c).Metric(), "worker")
	}
	for g := range w.gauges {
		w.gauges[g] = familyOf(shm.Gauge(g).Metric(), "worker")
	}
	for h := range w.histograms {
		w.histograms[h] = familyOf(shm.Histogram(h).Metric(), "worker")
	}
	w.label(slots)
	return w
}

func (w *workers) label(slots int) {
	w.labels = make([][shm.CounterCount][]*dto.LabelPair, slots)
	for slot := range slots {
		for c := range shm.CounterCount {
			w.labels[slot][c] = metricPairs(c.Metric(), slot)
		}
		w.plain = append(w.plain, metricPairs(shm.Metric{}, slot))
	}
}

func (w *workers) families() []*family {
	all := slices.Compact(slices.Clone(w.counters[:]))
	all = append(all, w.gauges[:]...)
	all = append(all, w.histograms[:]...)
	return append(all, w.derived()...)
}

func (w *workers) derived() []*family {
	return []*family{w.up, w.ready, w.suspect, w.beat, w.generation, w.started, w.respawns}
}

// workerSeriesDerived is how many series of a worker are not in shm's table.
const workerSeriesDerived = 7

func (w *workers) series() int {
	return len(w.labels) * (len(w.counters) + len(w.gauges) + len(w.histograms) + workerSeriesDerived)
}

func (w *workers) collect(to []sample, slot *shm.Slot, now shm.Clock) []sample {
	plain := w.plain[slot.Index()]
	for c, f := range w.counters {
		value := float64(slot.Counter(shm.Counter(c))) / f.perBase
		to = append(to, sample{family: f, labels: w.labels[slot.Index()][c], value: value})
	}
	for g, f := range w.gauges {
		to = append(to, sample{family: f, labels: plain, value: float64(slot.Gauge(shm.Gauge(g))) / f.perBase})
	}
	for h, f := range w.histograms {
		to = append(to, sample{family: f, labels: plain, histogram: f.cumulative(slot.Histogram(shm.Histogram(h)))})
	}
	return w.derive(to, slot, now)
}

func (w *workers) derive(to []sample, slot *shm.Slot, now shm.Clock) []sample {
	plain, state := w.plain[slot.Index()], slot.State()
	_, generation, started := slot.Spawned()
	lives := state == shm.Starting || state == shm.Ready || state == shm.Draining
	age := 0.0
	if lives {
		age = slot.BeatAge(now).Seconds()
	}
	return append(to,
		sample{family: w.up, labels: plain, value: oneIf(lives && !slot.Stale(now))},
		sample{family: w.ready, labels: plain, value: oneIf(state == shm.Ready)},
		sample{family: w.suspect, labels: plain, value: oneIf(slot.Suspect())},
		sample{family: w.beat, labels: plain, value: age},
		sample{family: w.generation, labels: plain, value: float64(generation)},
		sample{family: w.started, labels: plain, value: float64(started) / 1e9},
		sample{family: w.respawns, labels: plain, value: float64(slot.Respawns())},
	)
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
