package supervisor

import (
	"time"

	"github.com/odin-ws/odin/internal/control"
)

// killBefore is how long before limits.stop_ms_max what is left is killed, so
// that odind itself is gone by then.
const killBefore = 500 * time.Millisecond

// stop asks every worker to close its sessions and end. Asked again, it ends
// them at once.
func (c *crew) stop(why string) {
	if c.stopping {
		c.log.Info("stopping at once", "reason", why)
		c.killAll("asked again to stop")
		return
	}
	c.stopping, c.draining = true, false
	c.killAt = c.now().Add(max(c.limits.StopMax-killBefore, c.limits.StopMax/2))
	c.log.Info("stopping", "reason", why, "over_ms", c.limits.StopOver.Milliseconds(), "running", c.running())
	for _, s := range c.slots {
		if s.worker != nil {
			c.tell(s, control.Message{Type: control.Stop, OverMS: c.limits.StopOver.Milliseconds()})
		}
	}
	c.refresh()
}

// killAll kills every worker that runs and was not killed yet.
func (c *crew) killAll(why string) {
	for _, s := range c.slots {
		if w := s.worker; w != nil && !w.killed {
			c.log.Warn("worker is killed", "worker", s.index, "pid", w.pid, "reason", why)
			c.kill(s)
		}
	}
}

// dump has every worker write the stacks of its goroutines.
func (c *crew) dump() {
	for _, s := range c.slots {
		if s.worker != nil {
			c.tell(s, control.Message{Type: control.Dump})
		}
	}
}
