package worker

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// arrival is a connection that was upgraded, on its way to the loop.
type arrival struct {
	fd     int
	remote netip.AddrPort
	took   time.Duration
}

// adopt makes a session of an arrival and greets it.
func (p *process) adopt(a arrival) {
	p.block.Add(shm.Handshakes, 1)
	p.block.Observe(shm.HandshakeTime, uint64(a.took.Microseconds()), 1)
	lim := &p.config.Limits
	if err := tune(a.fd, lim.NotSentLowatBytes, lim.TCPUserTimeout); err != nil {
		p.log.Debug("the client left at once", "err", err)
	}
	s := p.sessions.add()
	p.arrived++
	s.fd, s.stage, s.remote, s.opened, s.number = a.fd, open, a.remote, p.now, p.arrived
	s.pingMS = uint32(lim.PingInterval / time.Millisecond)
	p.population.Store(int64(p.sessions.live))
	p.doors.coming.Add(-1) // only now: in between nobody would count it, and one too many be let in
	p.countSessions()
	p.greet(s)
}

func (p *process) greet(s *session) {
	defer p.contain(s)
	lim := &p.config.Limits
	if err := p.clients.Add(s.fd, s.token(), loop.Input); err != nil {
		p.log.Error("poll a session", "err", err)
		p.end(s)
		return
	}
	// Pings begin at a random time, so that they don't come all at once.
	s.pingAt = p.now + p.random.Int64N(int64(lim.PingInterval)) + int64(tick)
	p.wheel.set(s, ticksUntil(s.pingAt-p.now))
	p.say(s, func(dst []byte) []byte {
		return wire.AppendHello(dst, wire.Hello{
			Node: p.config.Node, Worker: p.slot, Time: p.wallMillis(), PingInterval: lim.PingInterval,
			ChannelsMax: lim.ChannelsMax, RequestBytesMax: lim.RequestBytesMax,
		})
	})
	p.farewell.join(p, s)
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
