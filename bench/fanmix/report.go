package main

import (
	"fmt"
	"runtime"
)

// report is what is printed; fanload's names mean what they mean there.
type report struct {
	policy string
	rate   float64

	Connections    int     `json:"connections"`
	Opened         int     `json:"opened"`
	Closed         int     `json:"closed"`
	HandshakeCPU   float64 `json:"handshake_cpu_us"` // subscribing included
	Window         float64 `json:"window_s"`
	Deliveries     uint64  `json:"deliveries"`
	DeliveriesRate float64 `json:"deliveries_per_s"`
	PerRecord      float64 `json:"deliveries_per_record"`
	Writes         float64 `json:"writes_per_s"` // by odin_writes_total

	BytesPerDelivery float64 `json:"bytes_per_delivery"` // as they came, headers included

	TotalDeliveries uint64  `json:"total_deliveries"`
	Latency         latency `json:"lat_us"`
	Gaps            uint64  `json:"gaps"`
	Dups            uint64  `json:"dups"`
	Missing         uint64  `json:"missing"`

	ServerCPU   float64 `json:"server_cpu_s"`
	ServerUS    float64 `json:"server_us_per_delivery"`
	ServerCores float64 `json:"server_cores"`
	AnonIdle    float64 `json:"anon_idle_kib"`
	AnonOpen    float64 `json:"anon_kib_per_conn"`
	AnonLoad    float64 `json:"anon_load_kib_per_conn"`
	PSSOpen     float64 `json:"pss_kib_per_conn"`
	PSSLoad     float64 `json:"pss_load_kib_per_conn"`

	ClientCPU   float64 `json:"client_cpu_s"` // publishing included
	ClientUS    float64 `json:"client_us_per_delivery"`
	MachineBusy float64 `json:"machine_busy_pct"`
	Steal       float64 `json:"machine_steal_pct"`
	Foreign     float64 `json:"foreign_cores"`

	Published struct {
		Published int64   `json:"published"`
		LateMost  float64 `json:"late_max_ms"`
	} `json:"published"`
	Slow     *slowReport `json:"slow,omitempty"`
	Resume   *resumption `json:"resume,omitempty"`
	Faults   []string    `json:"faults,omitempty"` // the first ones, in words
	idle     sample
	complain func(format string, a ...any)
}

// slowReport is about slow sessions, and what they did to the others.
type slowReport struct {
	Policy     string  `json:"policy"`
	Stuck      int     `json:"stuck"`
	Throttled  int     `json:"throttled"`
	P99Before  float64 `json:"p99_before_us"`
	P99        float64 `json:"p99_us"`
	P99After   float64 `json:"p99_after_us"`
	P99Ratio   float64 `json:"p99_ratio"` // with slow sessions to the mean without
	AnonBefore float64 `json:"anon_before_kib"`
	AnonMost   float64 `json:"anon_max_kib"`

	Records     uint64 `json:"records"`   // that slow sessions got
	Announced   uint64 `json:"announced"` // dropped, and told by notices
	Notices     uint64 `json:"notices"`
	Counted     uint64 `json:"counted"`     // dropped and conflated, by /metrics
	Unannounced uint64 `json:"unannounced"` // sessions with a record missing that nobody told of
	CaughtUp    int    `json:"caught_up"`   // read on at the end, and had everything
	Closed4000  int    `json:"closed_4000"`
	Aborted     int    `json:"aborted"`
	Lost        int    `json:"lost"` // ended as they should not

	OthersDropped uint64 `json:"others_dropped"` // records that normal sessions were too slow for
	OthersClosed  int    `json:"others_closed"`

	Counters counters `json:"counters"` // of /metrics: what became more meanwhile
}

// faultsTold is how many are told in words.
const faultsTold = 5

func newReport(o *settings) *report {
	r := &report{policy: o.policy, rate: o.rate, Connections: o.picking.sessions}
	r.complain = func(format string, a ...any) {
		if len(r.Faults) < faultsTold {
			r.Faults = append(r.Faults, fmt.Sprintf(format, a...))
		}
	}
	if o.stuck+o.throttled > 0 {
		r.Slow = &slowReport{Policy: o.policy, Stuck: o.stuck, Throttled: o.throttled}
	}
	return r
}

// phase is one window, with what was used in it.
type phase struct {
	name          string
	window        *window
	before, after sample
	memory        sample // right behind it
	counted       counters
	anonMost      float64
}

func (r *report) normals() float64 {
	n := r.Connections
	if r.Slow != nil {
		n -= r.Slow.Stuck + r.Slow.Throttled
	}
	return float64(n)
}

func (r *report) connected(idle, now sample) {
	r.idle, r.AnonIdle = idle, idle.anon
	r.Opened = int(r.normals())
	r.HandshakeCPU = (now.user + now.system - idle.user - idle.system) * 1e6 / r.normals()
}

func (r *report) opened(idle, now sample) {
	r.AnonOpen, r.PSSOpen = (now.anon-idle.anon)/r.normals(), (now.pss-idle.pss)/r.normals()
}

// window takes over the window that counts.
func (r *report) window(p *phase) {
	if p == nil {
		return
	}
	a, b := p.before, p.after
	r.Window = b.at.Sub(a.at).Seconds()
	r.Deliveries = p.window.deliveries
	n := float64(max(r.Deliveries, 1))
	r.DeliveriesRate = n / r.Window
	r.PerRecord = r.DeliveriesRate / r.rate
	r.BytesPerDelivery = float64(p.window.bytes) / n
	r.Writes = p.counted["odin_writes_total"] / r.Window
	r.Latency = p.window.histogram.report()
	r.ServerCPU = b.user + b.system - a.user - a.system
	r.ServerUS, r.ServerCores = r.ServerCPU*1e6/n, r.ServerCPU/r.Window
	r.AnonLoad, r.PSSLoad = (p.memory.anon-r.idle.anon)/r.normals(), (p.memory.pss-r.idle.pss)/r.normals()
	r.ClientCPU = b.client - a.client
	r.ClientUS = r.ClientCPU * 1e6 / n
	busy, steal := b.busy-a.busy, b.steal-a.steal
	all := max(busy+steal+b.idle-a.idle, 0.01)
	r.MachineBusy, r.Steal = 100*busy/all, 100*steal/all
	r.Foreign = busy/all*float64(runtime.NumCPU()) - r.ServerCores - r.ClientCPU/r.Window
}

// countSlow takes what Odin counted as dropped since the slow ones came.
func (r *report) countSlow(before counters, operator string) error {
	now, err := scrape(operator)
	more := counters{}
	for _, name := range []string{
		"odin_slow_dropped_records_total", "odin_slow_conflated_records_total", "odin_slow_closes_total",
		"odin_slow_aborts_total", "odin_ping_timeouts_total", "odin_write_errors_total", "odin_gaps_announced_total",
	} {
		more[name] = now[name] - before[name]
	}
	r.Slow.Counters = more
	r.Slow.Counted = uint64(more["odin_slow_dropped_records_total"] + more["odin_slow_conflated_records_total"])
	return err
}

func (r *report) compare(before, with, after *phase) {
	if before == nil || with == nil || after == nil {
		return
	}
	s := r.Slow
	s.P99Before, s.P99, s.P99After = before.window.histogram.quantile(0.99), with.window.histogram.quantile(0.99), after.window.histogram.quantile(0.99)
	s.P99Ratio = s.P99 / max((s.P99Before+s.P99After)/2, 1)
	s.AnonBefore, s.AnonMost = before.memory.anon, with.anonMost
}

// wrong says what must not be, empty if nothing is.
func (r *report) wrong() string {
	bad := r.Missing + r.Gaps + r.Dups + uint64(r.Closed)
	if s := r.Slow; s != nil {
		bad += s.Unannounced + uint64(s.Lost)
		if s.Counted != s.Announced {
			r.complain("%d records counted as dropped, %d announced", s.Counted, s.Announced)
			bad++
		}
	}
	if bad == 0 {
		return ""
	}
	return fmt.Sprint("records are missing, repeated or not announced, or sessions ended: ", r.Faults)
}
