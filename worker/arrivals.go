package worker

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// adopt makes a session of a caller whose handshake is done, and who was
// greeted with so many bytes. window is what was agreed on for compression.
func (p *process) adopt(c *caller, greeting int, window uint8) {
	p.block.Add(shm.Handshakes, 1)
	p.block.Observe(shm.HandshakeTime, uint64(p.clock()-c.began)/1000, 1)
	p.block.Add(shm.Answers, 1)
	p.tally.writes++
	p.tally.bytes += uint64(greeting)
	lim := &p.config.Limits
	s := p.sessions.add()
	p.arrived++
	s.fd, s.stage, s.remote, s.opened, s.number = c.fd, open, c.remote, p.now, p.arrived
	s.pingMS = uint32(lim.PingInterval / time.Millisecond)
	s.sent = uint64(greeting)
	p.deflating.join(s, window)
	if err := p.move(c, s); err != nil {
		p.log.Error("a session can't be waited for, and ends", "err", err)
		p.blame(s, control.InternalFault, "its socket can't be waited for")
		p.end(s)
		return
	}
	p.countSessions()
	if echoing { // a pong would be taken for a part of the frame that Autobahn is in the middle of
		return
	}
	// Pings begin at a random time, so that they don't come all at once.
	s.pingAt = p.now + p.random.Int64N(int64(lim.PingInterval)) + int64(tick)
	p.wheel.set(s, ticksUntil(s.pingAt-p.now))
}

// move has the clients' poller tell of a descriptor, in place of the doors'.
func (p *process) move(c *caller, s *session) error {
	err := p.doors.poller.Remove(c.fd)
	p.settleCaller(c)
	p.doors.callers.remove(c)
	if err != nil {
		return err
	}
	return p.clients.Add(s.fd, s.token(), loop.Input)
}

func (p *process) appendHello(dst []byte) []byte {
	if echoing {
		return dst
	}
	lim := &p.config.Limits
	return wire.AppendHello(dst, wire.Hello{
		Node: p.config.Node, Worker: p.slot, Time: p.wallMillis(), PingInterval: lim.PingInterval,
		ChannelsMax: lim.ChannelsMax, RequestBytesMax: lim.RequestBytesMax,
	})
}

// terms are on how many clients are let in.
type terms struct {
	sessionsMax   int // of this worker: its share of the configured connections
	descriptors   int // sessions for which there are descriptors
	handshakesMax int // at once
}

// settleTerms makes those of the configuration in force, and tells of them.
func (p *process) settleTerms() {
	t := &p.terms
	t.sessionsMax = p.config.ConnectionsPerWorker()
	t.descriptors, t.handshakesMax = p.descriptors()
	p.block.Set(shm.SessionsMax, int64(min(t.sessionsMax, t.descriptors)))
}

// descriptors is for how many sessions, and handshakes at once, there are
// descriptors.
func (p *process) descriptors() (sessions, handshakes int) {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return p.config.ConnectionsPerWorker(), p.config.Limits.HandshakesPendingMax
	}
	return p.config.Limits.Descriptors(int(min(lim.Cur, 1<<30)))
}
