package supervisor

import (
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/shm"
)

// Words of /health.
const (
	healthy    = "healthy"
	degraded   = "degraded"
	overloaded = "overloaded"
	draining   = "draining"
)

// nearLimit is the part of a limit from which on it is worth a look.
const nearLimit = 0.9

// Health is the body of /health.
type Health struct {
	// Status: healthy and degraded are answered with 200, overloaded and
	// draining with 503.
	Status string `json:"status"`
	// Checks by name: capacity (sessions), cpu (cores), memory (bytes), kafka
	// (workers whose source answers), workers (that accept), goroutines,
	// state (1: state_dir can't be written).
	Checks map[string]Check `json:"checks"`
	// Workers by slot, as in /api/status.
	Workers []status.Worker `json:"workers"`
}

// Check is one thing that can be too much or too little.
type Check struct {
	Value  float64 `json:"value"`
	Limit  float64 `json:"limit"` // 0: none
	Status string  `json:"status"`
	Reason string  `json:"reason,omitempty"` // why it is not healthy
}

// physician makes the health from the segment and what the crew says. diagnose
// may be called from any goroutine.
type physician struct {
	segment *shm.Segment
	quota   float64 // cores
	group   float64 // bytes that the control group allows; 0: any
	bounds  atomic.Pointer[bounds]
	cores   atomic.Uint64

	samples []sample // oldest first; of measure alone
}

// bounds are what is too much: replaced whole by a reload.
type bounds struct {
	config.Limits
	cpus   float64 // of the configuration or the quota
	memory float64 // of the configuration or the control group; 0: none
}

// sample is the CPU time that all processes had used at one moment.
type sample struct {
	at   time.Time
	used time.Duration
}

// samplesMax is how many measurements the cores in use are averaged over.
const samplesMax = 6

func newPhysician(segment *shm.Segment, limits config.Limits, cpus float64, memory int64) *physician {
	p := &physician{segment: segment, quota: cpus, group: float64(memory)}
	p.follow(limits)
	return p
}

// follow takes the limits of a configuration.
func (p *physician) follow(limits config.Limits) {
	b := &bounds{Limits: limits, cpus: p.quota, memory: p.group}
	if limits.CPUsMax > 0 {
		b.cpus = limits.CPUsMax
	}
	if limits.MemoryBytesMax > 0 {
		b.memory = float64(limits.MemoryBytesMax)
	}
	p.bounds.Store(b)
	p.segment.Process().Set(shm.MemoryLimitBytes, int64(b.memory))
}

// measure takes the cores in use, by the crew's goroutine.
func (p *physician) measure(now time.Time) {
	process := p.segment.Process()
	used := process.Counter(shm.SupervisorCPUUser) + process.Counter(shm.SupervisorCPUSystem)
	for i := range p.segment.Layout().Slots {
		slot := p.segment.Slot(i)
		used += slot.Counter(shm.CPUUser) + slot.Counter(shm.CPUSystem)
	}
	p.samples = append(p.samples, sample{now, time.Duration(used)})
	p.samples = p.samples[max(0, len(p.samples)-samplesMax):]
	first := p.samples[0]
	if over := now.Sub(first.at); over > 0 {
		p.cores.Store(math.Float64bits((time.Duration(used) - first.used).Seconds() / over.Seconds()))
	}
}

// diagnose reads what is, and says how that is.
func (p *physician) diagnose(is *readiness, now shm.Clock) Health {
	s, b := status.Read(p.segment, now), p.bounds.Load()
	process := p.segment.Process()
	memory, goroutines := process.Gauge(shm.SupervisorResidentBytes), process.Gauge(shm.SupervisorGoroutines)
	sources := 0
	for i := range p.segment.Layout().Slots {
		slot := p.segment.Slot(i)
		memory += slot.Gauge(shm.ResidentBytes)
		goroutines += slot.Gauge(shm.Goroutines)
		sources += int(slot.Gauge(shm.SourceHealthy))
	}
	h := Health{Workers: s.Workers, Checks: map[string]Check{
		"capacity":   most(float64(s.Sessions), float64(b.ConnectionsMax), true, "sessions"),
		"cpu":        most(math.Float64frombits(p.cores.Load()), b.cpus, b.CPUsMax > 0, "cores in use"),
		"memory":     most(float64(memory), b.memory, b.MemoryBytesMax > 0, "bytes in use"),
		"goroutines": most(float64(goroutines), float64(b.GoroutinesMax), true, "goroutines"),
		"kafka":      kafkaCheck(sources, len(s.Workers), is),
		"workers":    workersCheck(is, len(s.Workers)),
		"state":      stateCheck(process.Gauge(shm.StateUnwritten)),
	}}
	h.Status = h.worst(is.draining)
	return h
}

// most checks what should stay below its limit. Only a limit that somebody has
// set can overload: running at the machine's own is what it is there for.
func most(value, limit float64, set bool, what string) Check {
	c := Check{Value: math.Round(value*1000) / 1000, Limit: limit, Status: healthy}
	switch {
	case limit == 0 || value < nearLimit*limit:
	case value >= limit && set:
		c.Status, c.Reason = overloaded, what+" at the limit"
	default:
		c.Status, c.Reason = degraded, what+" near the limit"
	}
	return c
}

func kafkaCheck(sources, workers int, is *readiness) Check {
	c := Check{Value: float64(sources), Limit: float64(workers), Status: healthy}
	var why []string
	if is.fault != "" {
		why = append(why, is.fault)
	}
	if len(is.missing) > 0 {
		why = append(why, "missing topics: "+strings.Join(is.missing, ", "))
	}
	if len(why) > 0 {
		c.Status, c.Reason = degraded, strings.Join(why, "; ")
	}
	return c
}

func workersCheck(is *readiness, wanted int) Check {
	c := Check{Value: float64(is.accepting), Limit: float64(wanted), Status: healthy}
	switch {
	case is.draining:
		c.Status, c.Reason = draining, "no worker accepts until undrain"
	case is.accepting == 0:
		c.Status, c.Reason = overloaded, "no worker accepts"
	case is.accepting < wanted:
		c.Status, c.Reason = degraded, "not every worker accepts"
	}
	return c
}

func stateCheck(unwritten int64) Check {
	if unwritten == 0 {
		return Check{Status: healthy}
	}
	return Check{Value: float64(unwritten), Status: degraded, Reason: "state_dir can't be written; the log says why"}
}

// worst is the status of the whole.
func (h *Health) worst(drains bool) string {
	if drains {
		return draining
	}
	worst := healthy
	for _, c := range h.Checks {
		if c.Status == overloaded || worst == healthy {
			worst = c.Status
		}
	}
	return worst
}

// code is the HTTP status that goes with it.
func (h *Health) code() int {
	if h.Status == healthy || h.Status == degraded {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}
