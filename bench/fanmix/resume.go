package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// resumption is what becomes of sessions that all leave at once, miss records,
// and come back with their cursors, while others stay.
type resumption struct {
	Leavers int     `json:"leavers"`
	Stayers int     `json:"stayers"`
	Away    float64 `json:"away_s"`
	Missed  float64 `json:"missed"` // records, on average
	First   float64 `json:"first_live_s"`
	Median  float64 `json:"median_live_s"`
	Last    float64 `json:"all_live_s"` // from the first connect to the last reconnect_ack

	Stay struct {
		Before latency `json:"before"` // while all are connected
		While  latency `json:"while"`  // while the leavers come back
		Ratio  float64 `json:"p99_ratio"`
	} `json:"stayers_lat_us"`
	ServerCPU float64 `json:"server_cpu_s"` // while they come back
	ClientCPU float64 `json:"client_cpu_s"`
	EmptyCPU  float64 `json:"server_cpu_empty_s"` // of coming back where nothing was missed; with -pause
	PerRecord float64 `json:"server_us_per_record"`

	Again    int      `json:"again"`    // replays that had to be begun a second time
	Counters counters `json:"counters"` // of /metrics: what became more meanwhile
}

// absence is a session's place while it is away.
type absence struct {
	epoch    string
	offsets  []int64
	replayed int64
	live     time.Time
}

// resumeMax is how long they may take to come back.
const resumeMax = 30 * time.Second

// measureResume has the leavers leave, and measures how they come back.
func (r *running) measureResume() error {
	before, err := r.window("before", r.o.duration)
	r.report.window(before)
	if err != nil {
		return err
	}
	res := &resumption{Leavers: r.o.leavers, Stayers: r.normals - r.o.leavers, Away: r.o.away.Seconds()}
	r.report.Resume = res
	r.crowd.do(func() { r.crowd.leave() })
	if err := r.sleep(r.o.away); err != nil {
		return err
	}
	if r.o.pause {
		r.publisher.paused.Store(true)
		if err := r.sleep(time.Second); err != nil {
			return err
		}
	}
	if err := r.comeBack(res); err != nil {
		return err
	}
	if r.o.pause {
		if err := r.comeBackAtOnce(res); err != nil {
			return err
		}
		r.publisher.paused.Store(false)
	}
	res.Stay.Before = before.window.histogram.report()
	res.Stay.Ratio = res.Stay.While.P99 / max(res.Stay.Before.P99, 1)
	return nil
}

// comeBack has the leavers come back, and takes what that costs.
func (r *running) comeBack(res *resumption) error {
	counted, err := scrape(r.o.operator)
	if err != nil {
		return err
	}
	w := &window{}
	var began time.Time
	var from, to sample
	r.crowd.do(func() {
		from, began = take(r.o.pid, false), time.Now()
		r.crowd.window = w
		r.crowd.wanted = r.crowd.left()
	})
	if err := r.crowd.awaitBack(r.normals); err != nil {
		return err
	}
	r.crowd.do(func() { to, r.crowd.window = take(r.o.pid, false), nil })
	res.Counters = counters{}
	now, err := scrape(r.o.operator)
	for _, name := range []string{"odin_resumes_total", "odin_resumes_failed_total", "odin_replayed_records_total", "odin_past_reads_total",
		"odin_past_records_total", "odin_pasts_asked_total", "odin_replays_broken_total", "odin_connections_refused_total"} {
		res.Counters[name] = now[name] - counted[name]
	}
	res.Stay.While = w.histogram.report()
	res.ServerCPU, res.ClientCPU = to.user+to.system-from.user-from.system, to.client-from.client
	var times histogram
	total := int64(0)
	r.crowd.do(func() {
		res.Again = r.crowd.again
		for _, s := range r.crowd.sessions {
			if s.away != nil {
				times.add(uint64(s.away.live.Sub(began)))
				total += s.away.replayed
			}
		}
	})
	res.Missed = float64(total) / float64(res.Leavers)
	res.First, res.Median, res.Last = times.quantile(0)/1e6, times.quantile(0.5)/1e6, float64(times.max)/1e9
	return err
}

// comeBackAtOnce has them leave and come back with nothing missed: the
// difference is what the records cost.
func (r *running) comeBackAtOnce(res *resumption) error {
	r.crowd.do(func() { r.crowd.leave() })
	if err := r.sleep(2 * time.Second); err != nil {
		return err
	}
	from := take(r.o.pid, false)
	r.crowd.do(func() { r.crowd.wanted = r.crowd.left() })
	if err := r.crowd.awaitBack(r.normals); err != nil {
		return err
	}
	to := take(r.o.pid, false)
	res.EmptyCPU = to.user + to.system - from.user - from.system
	res.PerRecord = (res.ServerCPU - res.EmptyCPU) * 1e6 / max(res.Missed*float64(res.Leavers), 1)
	return nil
}

// leave cuts the connections of those who leave, and keeps their places.
func (c *crowd) leave() {
	for _, s := range c.sessions {
		if s.away == nil || s.stage != listening {
			continue
		}
		c.open.Add(-1)
		c.cut(s)
	}
}

// cut ends a connection, and takes down how far it got.
func (c *crowd) cut(s *session) {
	for p := range s.away.offsets {
		s.away.offsets[p] = max(s.away.offsets[p], int64(s.last[p]))
	}
	delete(c.byFD, s.fd)
	_ = unix.Close(s.fd)
	s.stage, s.fd, s.rest, s.away.replayed = over, -1, nil, 0
}

// comeAgain has a session whose replay could not go on come back with what it
// has got; the window that it was given is not waited for.
func (c *crowd) comeAgain(s *session) {
	c.pending--
	c.again++
	c.cut(s)
	c.wanted = append(c.wanted, s)
}

// left are the sessions that have left.
func (c *crowd) left() (list []*session) {
	for _, s := range c.sessions {
		if s.away != nil && s.stage == over && s.fault == nil {
			list = append(list, s)
		}
	}
	return list
}

func (c *crowd) awaitBack(normals int) error {
	return c.await("all are live again", resumeMax, func() bool { return c.open.Load() == int64(normals) })
}

// reconnect connects a session that was there before.
func (c *crowd) reconnect(s *session) {
	s.stage = connecting
	c.pending++
	s.began = time.Now()
	if err := c.connect(s); err != nil {
		c.lose(s, err)
	}
}

// keep takes down where a session's stream begins that will leave.
func (s *session) keep(a answer, m marks) error {
	epoch := a.Cursor[events[0].topic].Epoch
	if epoch == "" {
		return errors.New("an answer without an epoch")
	}
	s.away = &absence{epoch: epoch, offsets: m}
	return nil
}

// resumeRequest is the request that goes on where the session was.
func (c *crowd) resumeRequest(s *session) string {
	channels := strings.TrimPrefix(c.plan.request(s.number), `{"type":"subscribe","id":"s","data":{`)
	cursor := strings.ReplaceAll(fmt.Sprint(s.away.offsets), " ", ",")
	return fmt.Sprintf(`{"type":"reconnect","id":"r","data":{"cursor":{%q:{"epoch":%q,"offsets":%s}},%s`, events[0].topic, s.away.epoch, cursor, channels)
}

// resumed wants all that was missed to have come.
func (c *crowd) resumed(s *session, a answer) error {
	if !a.Recovered || len(a.Rejected) > 0 {
		return fmt.Errorf("not recovered: %q", a.Reason)
	}
	s.away.live, s.away.replayed = time.Now(), a.Replayed
	s.stage = listening
	c.pending--
	c.open.Add(1)
	return nil
}
