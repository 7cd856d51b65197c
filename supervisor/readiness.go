package supervisor

import (
	"fmt"
	"strings"

	"github.com/odin-ws/odin/shm"
)

// readiness is the answer of /readyz, made by the crew, read by all.
type readiness struct {
	ready   bool
	was     bool     // it was true once: only draining, stopping and nobody accepting end it
	reasons []string // why not

	draining  bool     // or stopping
	accepting int      // workers that take clients
	complete  bool     // every worker does that was not given up
	fault     string   // why some worker's source is not healthy
	missing   []string // topics
}

// refresh brings readiness, and odind's state in the segment, up to date.
func (c *crew) refresh() {
	before := c.readiness.Load()
	was := before != nil && before.was
	reasons := c.reasons(was)
	next := &readiness{
		ready: len(reasons) == 0, was: was || len(reasons) == 0, reasons: reasons,
		draining: c.draining || c.stopping, accepting: c.accepting(), complete: c.complete(), fault: c.anyFault(), missing: c.missing,
	}
	c.readiness.Store(next)
	c.publish(next)
	if before != nil && before.was && before.ready != next.ready && !next.draining {
		c.sayReady(next)
	}
}

// sayReady says that /readyz answers otherwise than before.
func (c *crew) sayReady(is *readiness) {
	if is.ready {
		c.log.Info("ready again")
		return
	}
	c.log.Error("not ready any more: new clients are refused", "reason", strings.Join(is.reasons, "; "))
}

// publish tells the readers of the segment.
func (c *crew) publish(is *readiness) {
	p := c.segment.Process()
	c.publishDrain()
	p.SetState(state(is.draining, is.was))
	ready := int64(0)
	if is.ready {
		ready = 1
	}
	p.Set(shm.Readiness, ready)
	p.Set(shm.TopicsMissing, int64(len(is.missing)))
}

func state(draining, was bool) shm.State {
	switch {
	case draining:
		return shm.Draining
	case was:
		return shm.Ready
	}
	return shm.Starting
}

// reasons are why we are not ready. Once we were, a topic or broker that goes
// away only degrades, unless ready.require_source is set.
func (c *crew) reasons(was bool) (why []string) {
	if c.stopping {
		return []string{"stopping"}
	}
	if c.draining {
		return []string{draining}
	}
	accepting := c.accepting()
	if accepting == 0 {
		why = append(why, "no worker accepts")
	}
	if sick := c.sourceFault(); sick != "" && (!was || c.inForce.Ready.RequireSource) {
		why = append(why, sick)
	}
	if was {
		return why
	}
	if c.segment.TopologyVersion() == 0 {
		return append(why, "kafka: topics and partitions are not known yet")
	}
	if len(c.missing) > 0 {
		why = append(why, "missing topics: "+strings.Join(c.missing, ", "))
	}
	if n := c.unpositioned(); accepting > 0 && n > 0 {
		why = append(why, fmt.Sprintf("%d of %d partitions have no position yet", n, c.segment.Partitions()))
	}
	return why
}

// accepting counts the workers that take clients.
func (c *crew) accepting() int {
	if c.draining || c.stopping {
		return 0
	}
	return len(those(c.views(), func(v view) bool { return v.sound() && v.ready }))
}

// complete tells whether every worker accepts. Slots that were given up have
// none, and are not waited for.
func (c *crew) complete() bool {
	for slot, v := range c.views() {
		if !c.slots[slot].givenUp && !(v.sound() && v.ready) {
			return false
		}
	}
	return true
}

// sourceFault is why no worker's source is healthy, "" if one's is.
func (c *crew) sourceFault() (why string) {
	for _, s := range c.slots {
		switch {
		case s.worker == nil:
		case s.worker.healthy:
			return ""
		case why == "":
			why = "kafka: " + strings.TrimPrefix(s.worker.reason, "kafka: ")
		}
	}
	return why
}

// anyFault is why some worker's source is not healthy.
func (c *crew) anyFault() string {
	for _, s := range c.slots {
		if w := s.worker; w != nil && !w.healthy {
			return w.reason
		}
	}
	return ""
}

// unpositioned counts the partitions in which no ready worker has a position.
func (c *crew) unpositioned() (n int) {
	for i := range c.segment.Partitions() {
		if !c.positioned(i) {
			n++
		}
	}
	return n
}

func (c *crew) positioned(partition int) bool {
	for _, s := range c.slots {
		if s.worker == nil || !s.worker.ready {
			continue
		}
		p, ok := s.shm.Position(partition)
		if ok && p.Positioned && p.Generation == s.worker.generation {
			return true
		}
	}
	return false
}
