package supervisor

import (
	"slices"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// spawn starts the next incarnation of a slot. A start that fails counts like
// a worker that ended at once.
func (c *crew) spawn(s *slot) {
	founder := len(those(c.views(), func(v view) bool { return v.sound() && v.ready })) == 0
	s.generation = s.generation%generationMax + 1
	p, err := c.start(s.index, s.generation)
	if s.generation > 1 {
		c.count(shm.Respawns)
		s.shm.CountRespawn()
	}
	if err != nil {
		c.log.Error("worker can't be started", "worker", s.index, "err", err)
		c.retry(s, 0)
		return
	}
	s.worker = &worker{process: p, generation: s.generation, started: c.now(), founder: founder, healthy: true}
	s.due = time.Time{}
	s.shm.SetSpawn(p.pid, s.generation, shm.Wall())
	c.liveness.restart(s.index)
	c.log.Info("worker started", "worker", s.index, "pid", p.pid, "generation", s.generation)
	c.tell(s, control.Message{Type: control.Config, Config: c.config, Slot: s.index, Generation: s.generation, Slots: len(c.slots)})
	if c.draining {
		c.tellDrain(s) // before it has a listener
	}
	c.tellLevel(s)
	c.link(s)
}

// link joins a new worker to every sibling by a socketpair. What was between
// the siblings and its predecessor is replaced.
func (c *crew) link(s *slot) {
	for _, peer := range c.slots {
		if peer == s || peer.worker == nil {
			continue
		}
		if !c.join(s, peer) {
			return
		}
	}
}

// join makes a link between two workers. Without a descriptor for it the
// first is killed: it would never know all positions, and the next one may
// find a free descriptor.
func (c *crew) join(s, peer *slot) bool {
	ours, theirs, err := control.Socketpair()
	if err != nil {
		c.log.Error("two workers can't be linked: the first is started anew", "worker", s.index, "pid", s.worker.pid, "peer", peer.index, "err", err)
		c.kill(s)
		return false
	}
	c.tell(s, control.Message{Type: control.Link, Peer: peer.index, PeerGeneration: peer.worker.generation}, ours)
	c.tell(peer, control.Message{Type: control.Link, Peer: s.index, PeerGeneration: s.worker.generation}, theirs)
	return true
}

// relink joins two workers anew whose link broke though both live. What one
// says of a sibling that was replaced meanwhile is late.
func (c *crew) relink(s *slot, peer int, generation uint32) {
	if peer <= s.index || peer >= len(c.slots) || c.stopping {
		return
	}
	if w := c.slots[peer].worker; w == nil || w.generation != generation {
		return
	}
	if pair := (repaired{s.index, peer, s.worker.generation, generation}); !slices.Contains(c.repaired, pair) {
		c.repaired = append(c.repaired, pair)
	}
	c.join(s, c.slots[peer])
}

// repaired is a link that was made anew between two workers.
type repaired struct {
	slot, peer                 int
	generation, peerGeneration uint32
}

// tellRepairs speaks of them at the next tick: mostly the sibling was dying,
// which is told of by itself.
func (c *crew) tellRepairs() {
	for _, r := range c.repaired {
		if c.find(r.slot, r.generation) != nil && c.find(r.peer, r.peerGeneration) != nil {
			c.log.Warn("two workers were linked anew: their link broke", "worker", r.slot, "peer", r.peer)
		}
	}
	c.repaired = c.repaired[:0]
}

// exited takes note that waitpid has reported a worker's end.
func (c *crew) exited(s *slot, how string) {
	w := s.worker
	up := c.now().Sub(w.started)
	w.close()
	s.worker = nil
	s.shm.ClearGauges()
	s.shm.SetSuspect(false)
	s.shm.SetState(shm.Gone)
	c.segment.Bury(s.index) // the slot's next worker publishes over it
	c.count(shm.WorkersExited)
	if c.stopping {
		c.log.Info("worker ended", "worker", s.index, "pid", w.pid, "exit", how)
		c.refresh()
		return
	}
	c.log.Error("worker ended unasked", "worker", s.index, "pid", w.pid, "exit", how, "up_ms", up.Milliseconds())
	c.review() // the others take over before the new one is started
	c.retry(s, up)
	c.startDue(c.now())
	c.review()
}

// retry plans the slot's next start, or none.
func (c *crew) retry(s *slot, up time.Duration) {
	wait, giveUp := s.backoff.next(up, c.random())
	if giveUp {
		s.givenUp = true
		c.count(shm.WorkersGivenUp)
		c.log.Error("worker is given up: it keeps failing; restart odind once the cause is mended", "worker", s.index, "attempts", s.backoff.attempts)
		return
	}
	s.due = c.now().Add(wait)
	if wait > 0 {
		c.log.Warn("worker is started again later", "worker", s.index, "wait_ms", wait.Milliseconds(), "attempts", s.backoff.attempts)
	}
}

// startDue starts the workers whose time has come. None while stopping.
func (c *crew) startDue(now time.Time) (started bool) {
	for _, s := range c.slots {
		if s.worker == nil && !s.givenUp && !c.stopping && !now.Before(s.due) {
			c.spawn(s)
			started = true
		}
	}
	return started
}

// allGivenUp tells that there is nothing left to supervise.
func (c *crew) allGivenUp() bool {
	for _, s := range c.slots {
		if !s.givenUp {
			return false
		}
	}
	return true
}

// running counts the processes that have not been waited for.
func (c *crew) running() (n int) {
	for _, s := range c.slots {
		if s.worker != nil {
			n++
		}
	}
	return n
}
