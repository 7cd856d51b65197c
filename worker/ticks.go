package worker

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// runTicks does what is due every 100 ms, once for each tick that has passed;
// after a long stop the lost ones are not made up for.
func (p *process) runTicks(now int64) {
	for n := 0; now-p.ticked >= int64(tick); n++ {
		p.ticked += int64(tick)
		p.wheel.advance(p.sessionDue)
		if n == 10 {
			p.ticked = now
		}
	}
	p.ticks++
	p.mine.Beat(now)
	p.lookAround()
	p.hearPublished()
	p.countSessions()
	p.openEarly()
	p.reopenDoors(now)
	p.hurryCallers(now)
	p.sendReports()
	p.hurryDecisions()
	p.settle()
	if p.ticks%5 == 1 {
		p.watchSource()
	}
	if p.ticks%10 == 1 {
		p.gauge()
	}
}

// sessionDue looks at a session whose timer came.
func (p *process) sessionDue(token uint64) {
	s := p.sessions.find(token)
	if s == nil || s.due != p.wheel.now {
		return
	}
	defer p.contain(s)
	s.due = 0
	p.provoke(inTimer, s)
	switch s.stage {
	case open:
		p.checkPing(s)
	case closing, lingering:
		if p.now < s.deadline {
			p.wheel.set(s, ticksUntil(s.deadline-p.now))
			return
		}
		if s.stage == closing {
			p.block.Add(shm.SlowAborts, 1)
			p.abort(s)
			return
		}
		p.end(s)
	}
}

// checkPing pings a session, or ends one whose pong is late. Of a client that
// takes nothing the kernel lets go (limits.tcp_user_timeout_ms).
func (p *process) checkPing(s *session) {
	switch {
	case s.awaiting && p.now >= s.deadline && s.takesStill():
		s.deadline = p.now + int64(p.config.Limits.PongWait)
	case s.awaiting && p.now >= s.deadline:
		p.block.Add(shm.PingTimeouts, 1)
		p.debugOf(s, "closing: no pong in time")
		p.blame(s, control.PingTimeout, "")
		p.abort(s)
		return
	case !s.awaiting && p.now >= s.pingAt:
		p.block.Add(shm.PingsSent, 1)
		p.say(s, func(dst []byte) []byte { return wire.AppendFrame(dst, wire.Ping, nil) })
		if s.stage != open {
			return
		}
		s.awaiting, s.pingEnd = true, s.sent+uint64(s.queue.Bytes)
		s.deadline = p.now + int64(p.config.Limits.PongWait)
		s.pingAt = p.now + int64(s.pingMS)*int64(time.Millisecond)
	}
	next := s.pingAt
	if s.awaiting {
		next = s.deadline
	}
	if s.stage == open {
		p.wheel.set(s, ticksUntil(next-p.now))
	}
}

// takesStill says whether a late pong may come yet: the ping is on its way,
// behind what a slow client has yet to take; or the client's kernel has it, is
// full, and has taken more since it was looked at last, so that somebody reads.
func (s *session) takesStill() bool {
	taken, end := s.acknowledged(), min(s.pingEnd, s.sent+uint64(s.queue.Bytes))
	if taken < end {
		return true
	}
	if !s.blocked || taken == end {
		return false
	}
	s.pingEnd = taken
	return true
}

// acknowledged is how many bytes the client's kernel has taken, of all that were
// sent; where that can't be told, all of them.
func (s *session) acknowledged() uint64 {
	left, err := unix.IoctlGetInt(s.fd, unix.SIOCOUTQ)
	if err != nil {
		return s.sent
	}
	return s.sent - uint64(left)
}

func ticksUntil(ns int64) int { return int((ns + int64(tick) - 1) / int64(tick)) }

// openEarly lets a worker that can't become ready (no broker, no topic) tell
// its clients so, instead of leaving them in the listener's queue: after a
// while, and only while no sibling serves its listener.
func (p *process) openEarly() {
	if p.state != shm.Starting {
		return
	}
	lent := p.mine.Lent() >= 0
	if p.ticks < uint64(p.config.Limits.LendAfter/tick)*2 || lent {
		p.shutDoors()
		return
	}
	p.openDoors()
}

func (p *process) becomeReady() {
	p.fresh = nil
	p.watchSource() // or whoever looks at a ready worker sees a source that nobody has looked at
	p.enter(shm.Ready)
	if p.farewell.on {
		p.enter(shm.Draining)
	}
	p.publish()
	p.openDoors()
	p.report(readyMessage())
	p.refill()
	p.log.Debug("ready", "partitions", len(p.partitions))
}
