package supervisor

import (
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// drain has every worker take no more sessions, and close those it has spread
// over a window: each slices it for its own, and the sum is as flat. They go on
// to own partitions and to keep replicas, also when no session is left, until
// undrain or stop. Asked again, who is left leaves over the new window.
func (c *crew) drain(over time.Duration) {
	now := c.now()
	if !c.draining {
		c.draining, c.drainStart, c.drainSessions = true, now, c.sessions()
		c.count(shm.Drains)
	}
	c.drainEnd = now.Add(over)
	c.log.Info("draining", "over_ms", over.Milliseconds(), "sessions", c.sessions())
	c.refresh()
	for _, s := range c.slots {
		if s.worker != nil {
			c.tellDrain(s)
		}
	}
}

// tellDrain has a worker drain over what is left of the window.
func (c *crew) tellDrain(s *slot) {
	left := max(0, c.drainEnd.Sub(c.now()))
	c.tell(s, control.Message{Type: control.Drain, WindowMS: left.Milliseconds()})
}

// undrain has every worker take sessions again, and keep those it has.
func (c *crew) undrain() {
	c.draining = false
	c.count(shm.Undrains)
	c.log.Info("drain taken back", "sessions", c.sessions())
	for _, s := range c.slots {
		if s.worker != nil {
			c.tell(s, control.Message{Type: control.Undrain})
		}
	}
	c.refresh()
}

// sessions counts those of all workers.
func (c *crew) sessions() (n int64) {
	for _, s := range c.slots {
		n += s.shm.Gauge(shm.Sessions)
	}
	return n
}

// publishDrain tells the readers of the segment how a drain was meant; how far
// it is they see by the sessions. The beginning comes last, and goes first.
func (c *crew) publishDrain() {
	p := c.segment.Process()
	if !c.draining {
		p.Set(shm.DrainStart, 0)
		p.Set(shm.DrainEnd, 0)
		p.Set(shm.DrainSessions, 0)
		return
	}
	p.Set(shm.DrainSessions, c.drainSessions)
	p.Set(shm.DrainEnd, c.drainEnd.UnixNano())
	p.Set(shm.DrainStart, c.drainStart.UnixNano())
}

// drain serves odinctl. A drain that goes on is planned anew only over a window
// that was named.
func (d *desk) drain(r control.Request) control.Response {
	if r.OverMS != nil && (*r.OverMS < 0 || *r.OverMS > config.DrainOverMax.Milliseconds()) {
		return control.Refused("a drain over %d ms, allowed: 0 to %d", *r.OverMS, config.DrainOverMax.Milliseconds())
	}
	return d.steer(func(c *crew) {
		over := c.limits.DrainOver
		if r.OverMS != nil {
			over = time.Duration(*r.OverMS) * time.Millisecond
		}
		if !c.draining || r.OverMS != nil {
			c.drain(over)
		}
	})
}

// undrain serves odinctl. Where there is no drain it is done already.
func (d *desk) undrain() control.Response {
	return d.steer(func(c *crew) {
		if c.draining {
			c.undrain()
		}
	})
}

// steer has the crew do something about a drain, and says whether there was one.
func (d *desk) steer(do func(*crew)) control.Response {
	answer := control.Response{OK: true}
	err := d.order(func(c *crew) {
		if c.stopping {
			answer = control.Refused("odind is stopping")
			return
		}
		answer.WasDraining = c.draining
		do(c)
	})
	if err != nil {
		return control.Refused("%v", err)
	}
	return answer
}
