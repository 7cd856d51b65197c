package supervisor

import (
	"syscall"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// tick is one poll: heartbeats, deadlines, starts that are due.
func (c *crew) tick() {
	now := c.now()
	c.segment.Process().Beat(shm.Monotonic())
	changed := c.watch(now)
	c.tellRepairs()
	c.killDue(now)
	c.keepEras(now)
	if c.sources.due(now) {
		c.settleSources()
		changed = true
	}
	if changed = c.startDue(now) || changed; changed {
		c.review()
		return
	}
	if !c.stopping {
		c.lend() // time alone makes a slow start overdue
	}
	c.refresh()
}

// watch looks at every heartbeat.
func (c *crew) watch(now time.Time) (changed bool) {
	if c.liveness.begin(now) {
		c.log.Warn("the supervisor looked late at the heartbeats: the machine or odind stood still; they are counted anew")
	}
	for _, s := range c.slots {
		if s.worker == nil {
			continue
		}
		count, _ := s.shm.LastBeat()
		if next := c.liveness.look(s.index, count); next != s.worker.verdict {
			changed = true
			c.judge(s, next)
		}
	}
	return changed
}

// judge acts on a new verdict.
func (c *crew) judge(s *slot, next verdict) {
	w := s.worker
	w.verdict = next
	s.shm.SetSuspect(next != alive)
	switch next {
	case alive:
		c.log.Info("worker beats again", "worker", s.index, "pid", w.pid)
	case suspect:
		c.count(shm.Suspects)
		c.log.Warn("worker does not beat: its partitions go to others", "worker", s.index, "pid", w.pid)
	case dead:
		c.count(shm.Deaths)
		c.log.Error("worker is stuck: it is made to show its goroutines, and killed", "worker", s.index, "pid", w.pid)
		_ = w.signal(syscall.SIGQUIT) // the Go runtime dumps even if the scheduler is stuck
		c.killLater(w)
	}
}

// killLater gives a worker killGrace to end by itself.
func (c *crew) killLater(w *worker) {
	if w.killAt.IsZero() {
		w.killAt = c.now().Add(killGrace)
	}
}

// reapMax is how long the end of a worker that was killed may take to be
// reported: the kernel takes its memory and its sockets apart first.
const reapMax = 10 * time.Second

// stuck is the slot of a worker that has not beaten for longer than it takes
// to notice that, to dump it, to kill it and to wait for its end; or nobody.
// Up to then the silence is ours to deal with, and a slot without a worker
// (starting again later, given up) owes no beat. Beyond, nothing that we can
// do has helped.
func (c *crew) stuck() int {
	most := c.limits.HeartbeatDead + killGrace + reapMax
	for _, s := range c.slots {
		if s.worker != nil && c.liveness.silence(s.index) > most {
			return s.index
		}
	}
	return nobody
}

// killDue kills those whose time is up.
func (c *crew) killDue(now time.Time) {
	if c.stopping && !now.Before(c.killAt) {
		c.killAll("it did not stop in time")
	}
	for _, s := range c.slots {
		if w := s.worker; w != nil && !w.killed && !w.killAt.IsZero() && !now.Before(w.killAt) {
			c.kill(s)
		}
	}
}

// kill ends a worker now; its exit is reported like any other.
func (c *crew) kill(s *slot) {
	c.count(shm.Kills)
	s.worker.killed = true
	if err := s.worker.signal(syscall.SIGKILL); err != nil {
		c.log.Error("worker can't be killed", "worker", s.index, "pid", s.worker.pid, "err", err)
	}
}

// settleSources takes what the workers reported of their sources for true.
func (c *crew) settleSources() {
	var fell, rose []int
	reason := ""
	for _, s := range c.slots {
		w := s.worker
		if w == nil {
			continue
		}
		w.cutOff = !w.healthy && !w.everywhere
		if w.sick != w.healthy {
			continue
		}
		if w.sick = !w.healthy; w.sick {
			fell, reason = append(fell, s.index), w.reason
		} else {
			rose = append(rose, s.index)
		}
	}
	if len(fell) > 0 {
		c.log.Warn("workers can't read the source: sessions are kept, and it is tried again", "workers", fell, "reason", reason)
	}
	if len(rose) > 0 {
		c.log.Info("workers can read the source again", "workers", rose)
	}
}

// message takes what a worker says.
func (c *crew) message(s *slot, m control.Message) {
	w := s.worker
	switch m.Type {
	case control.Ready:
		w.ready = true
		c.log.Info("worker ready", "worker", s.index, "pid", w.pid, "after_ms", c.now().Sub(w.started).Milliseconds())
		c.review()
	case control.Unlistened:
		c.log.Info("listener given back", "slot", m.Slot, "worker", s.index)
		c.lending.returned(m.Slot, s.index, w.generation)
		c.review()
	case control.Topology:
		if s.index == c.scout && !c.stopping {
			c.topology(m.Topics, m.Missing)
		}
	case control.Source:
		w.healthy, w.everywhere, w.reason = m.Healthy, m.Everywhere, m.Reason
		c.sources.changed(c.now())
		c.refresh()
	case control.Unlinked:
		c.relink(s, m.Peer, m.PeerGeneration)
	case control.Stopped:
		c.log.Debug("worker has closed its sessions", "worker", s.index)
	default:
		c.log.Error("worker says what the supervisor does not know: a defect of Odin, please report it", "worker", s.index, "pid", w.pid, "type", string(m.Type))
	}
}
