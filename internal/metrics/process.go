package metrics

import (
	"github.com/odin-ws/odin/shm"
)

// process is what is published once.
type process struct {
	counters [shm.SupervisorCounterCount]*family
	gauges   [shm.SupervisorGaugeCount]*family

	build, started, uptime, draining, beat, workers, partitions, topology *family
}

func newProcess() process {
	p := process{
		build:      gauge("build_info", "1; the label code is odind's version.", "code"),
		started:    gauge("start_time_seconds", "When odind was started, since 1970.").when("sessions fell all at once"),
		uptime:     gauge("uptime_seconds", "Seconds since odind was started."),
		draining:   yesOrNo("draining", "1 while odind drains or stops, else 0.").when("new clients are refused"),
		beat:       gauge("supervisor_heartbeat_age_seconds", "Seconds since the supervisor's last heartbeat.").when("workers that end are not replaced"),
		workers:    gauge("workers", "Slots of workers."),
		partitions: gauge("partitions", "Partitions known."),
		topology:   gauge("topology_version", "Version of the set of topics and partitions; 0 until it is first known."),
	}
	for c := range p.counters {
		p.counters[c] = familyOf(shm.SupervisorCounter(c).Metric())
	}
	for g := range p.gauges {
		p.gauges[g] = familyOf(shm.SupervisorGauge(g).Metric())
	}
	return p
}

func (p *process) derived() []*family {
	return []*family{p.build, p.started, p.uptime, p.draining, p.beat, p.workers, p.partitions, p.topology}
}

func (p *process) families() []*family {
	return append(append(p.derived(), p.counters[:]...), p.gauges[:]...)
}

func (p *process) series() int { return len(p.families()) }

func (p *process) collect(to []sample, segment *shm.Segment, now shm.Clock) []sample {
	from := segment.Process()
	for c, f := range p.counters {
		to = append(to, sample{family: f, value: float64(from.Counter(shm.SupervisorCounter(c))) / f.perBase})
	}
	for g, f := range p.gauges {
		to = append(to, sample{family: f, value: float64(from.Gauge(shm.SupervisorGauge(g))) / f.perBase})
	}
	started, state, uptime := from.StartedNS(), from.State(), 0.0
	if started != 0 {
		uptime = max(0, float64(now.Wall-started)/1e9)
	}
	return append(to,
		sample{family: p.build, labels: pairs("code", from.Name(shm.Version)), value: 1},
		sample{family: p.started, value: float64(started) / 1e9},
		sample{family: p.uptime, value: uptime},
		sample{family: p.draining, value: oneIf(state == shm.Draining || state == shm.Gone)},
		sample{family: p.beat, value: from.BeatAge(now).Seconds()},
		sample{family: p.workers, value: float64(segment.Layout().Slots)},
		sample{family: p.partitions, value: float64(segment.Partitions())},
		sample{family: p.topology, value: float64(segment.TopologyVersion())},
	)
}
