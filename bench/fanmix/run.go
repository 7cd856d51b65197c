package main

import (
	"errors"
	"os"
	"strings"
	"time"
)

// running is one run.
type running struct {
	o         *settings
	plan      *plan
	crowd     *crowd
	publisher *publisher
	stop      <-chan os.Signal
	report    *report
	normals   int
	before    counters // of /metrics, before the first session
}

func run(o *settings) (*report, error) {
	p, err := newPlan(o.channels, o.topics, o.picking)
	if err != nil {
		return nil, err
	}
	c, err := newCrowd(p, reader{o.topics, o.partitions}, o.url, o.inflight, o.throttle)
	if err != nil {
		return nil, err
	}
	pub, err := newPublisher(p, strings.Split(o.brokers, ",")[0], o.partitions, o.size, o.picking.seed)
	if err != nil {
		return nil, err
	}
	r := &running{o: o, plan: p, crowd: c, publisher: pub, stop: interrupted(), report: newReport(o)}
	r.normals = o.picking.sessions - o.stuck - o.throttled
	if o.deflate {
		c.inflater = newInflater()
	}
	pub.json = o.json
	c.stayers = o.picking.sessions - o.leavers
	go c.run()
	if err := r.connect(); err != nil {
		return nil, err
	}
	go pub.run(o.rate)
	if err := r.measure(); err != nil {
		return r.report, err
	}
	return r.report, r.settle()
}

// connect opens the normal sessions and takes their cost.
func (r *running) connect() (err error) {
	if r.before, err = scrape(r.o.operator); err != nil {
		return err
	}
	idle := take(r.o.pid, true)
	r.crowd.do(func() { r.crowd.want(0, r.normals, normal) })
	err = r.crowd.await("all sessions are subscribed", 60*time.Second, func() bool {
		return r.crowd.open.Load() == int64(r.normals)
	})
	if err != nil {
		return err
	}
	r.report.connected(idle, take(r.o.pid, false))
	if err := r.sleep(r.o.settle); err != nil {
		return err
	}
	r.report.opened(idle, take(r.o.pid, true))
	return nil
}

func (r *running) measure() error {
	if err := r.sleep(r.o.warmup); err != nil {
		return err
	}
	if r.o.ready != "" {
		if err := os.WriteFile(r.o.ready, nil, 0o644); err != nil {
			return err
		}
	}
	switch {
	case r.o.stuck+r.o.throttled > 0:
		return r.measureSlow()
	case r.o.leavers > 0:
		return r.measureResume()
	}
	p, err := r.window("window", r.o.duration)
	r.report.window(p)
	return err
}

// measureSlow measures the normal sessions without slow ones, with them, and
// without them again.
func (r *running) measureSlow() error {
	before, err := r.window("before", r.o.calm)
	if err != nil {
		return err
	}
	r.crowd.do(func() {
		r.crowd.replace = r.o.policy == "close"
		r.crowd.want(r.normals, r.o.stuck, stuck)
		r.crowd.want(r.normals+r.o.stuck, r.o.throttled, throttled)
	})
	slow := int64(r.o.stuck + r.o.throttled)
	if err := r.crowd.await("the slow sessions are subscribed", 60*time.Second, func() bool {
		return r.crowd.open.Load() >= int64(r.normals)+slow
	}); err != nil {
		return err
	}
	with, err := r.window("slow", r.o.duration)
	r.report.window(with)
	if err != nil {
		return err
	}
	if err := r.dismiss(); err != nil {
		return err
	}
	after, err := r.window("after", r.o.calm)
	r.report.compare(before, with, after)
	return err
}

// dismiss has the slow sessions read all that they are owed, asks for a cursor
// that says up to where that is, and lets them go. Nothing is published meanwhile:
// what were dropped behind the cursor would be counted, and told to nobody.
func (r *running) dismiss() error {
	r.publisher.paused.Store(true)
	defer r.publisher.paused.Store(false)
	r.crowd.do(func() {
		r.crowd.replace, r.crowd.dismissed, r.crowd.wanted = false, true, nil
		for _, s := range r.crowd.sessions {
			if s.kind != normal {
				r.crowd.resume(s)
			}
		}
	})
	if err := r.crowd.await("the last slow sessions are subscribed", 30*time.Second, func() bool {
		return r.crowd.slowOnes(func(s *session) bool { return s.stage != listening }) == 0
	}); err != nil {
		return err
	}
	if err := r.sleep(2 * time.Second); err != nil { // until all that was published has been delivered
		return err
	}
	r.crowd.do(func() {
		for _, s := range r.crowd.sessions {
			if s.kind != normal && s.stage == listening {
				r.crowd.send(s, clientFrame(opText, []byte(`{"type":"heartbeat"}`)))
			}
		}
	})
	return r.crowd.await("the slow sessions have caught up", 30*time.Second, func() bool {
		return r.crowd.slowOnes(func(*session) bool { return true }) == 0
	})
}

// window measures for a while.
func (r *running) window(name string, d time.Duration) (*phase, error) {
	w := &window{}
	writes, err := scrape(r.o.operator)
	if err != nil {
		return nil, err
	}
	p := &phase{name: name, window: w}
	r.crowd.do(func() { p.before, r.crowd.window = take(r.o.pid, false), w })
	for end := time.Now().Add(d); time.Now().Before(end); {
		if err := r.sleep(min(time.Until(end), time.Second)); err != nil {
			return nil, err
		}
		if d > 10*time.Second { // a look costs some ms of CPU
			p.anonMost = max(p.anonMost, take(r.o.pid, true).anon)
		}
	}
	r.crowd.do(func() { p.after, r.crowd.window = take(r.o.pid, false), nil })
	p.memory = take(r.o.pid, true)
	p.anonMost = max(p.anonMost, p.memory.anon)
	p.counted, err = scrape(r.o.operator)
	for name := range p.counted {
		p.counted[name] -= writes[name]
	}
	return p, err
}

func (r *running) sleep(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-r.stop:
		return errors.New("interrupted")
	}
}

// settle stops publishing, waits until everybody has everything, or nothing
// comes any more, and holds it against the ledger.
func (r *running) settle() error {
	if err := r.publisher.finish(); err != nil {
		return err
	}
	owed := r.publisher.ledger.owed(r.plan)
	total := uint64(0)
	for _, a := range owed[:r.normals] {
		total += a.records
	}
	last, moved := uint64(0), time.Now()
	for time.Since(moved) < 3*time.Second {
		got := uint64(0)
		r.crowd.do(func() {
			for _, s := range r.crowd.sessions {
				if s.kind == normal {
					got += s.got.records
				}
			}
		})
		if got == total {
			break
		}
		if got != last {
			last, moved = got, time.Now()
		}
		time.Sleep(5 * tick)
	}
	if r.report.Slow != nil {
		if err := r.report.countSlow(r.before, r.o.operator); err != nil {
			return err
		}
	}
	r.crowd.do(func() {
		r.judge(owed)
		r.crowd.done = true
	})
	r.report.Published.Published = r.publisher.published
	r.report.Published.LateMost = float64(r.publisher.lateMost.Microseconds()) / 1e3
	return nil
}
