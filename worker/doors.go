package worker

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/shm"
)

// doors are where clients come in: the listeners, and the callers, which are
// connections whose handshake goes on. They belong to the loop like the
// sessions: a caller costs a descriptor and the bytes of its request that have
// come, however slow or silent it is. They have a set of their own in the
// world's poller, so that a round of writes, and a rest, look at sessions
// alone: a storm of connects waits for them, and not they for it.
type doors struct {
	poller    *loop.Poller
	listeners map[int]int // descriptors by slot
	opened    bool        // the listeners are in the poller
	tired     int64       // monotonic ns until which nothing is accepted; 0: not tired

	callers callers
	input   []byte // one read of a caller
	output  []byte // one answer
}

// listenerToken marks the tokens of listeners; the rest of it is the slot.
// Those of callers are below.
const listenerToken = 1 << 63

func newDoors() (*doors, error) {
	poller, err := loop.NewPoller()
	if err != nil {
		return nil, err
	}
	return &doors{poller: poller, listeners: map[int]int{}}, nil
}

// addListener takes a slot's listener into use, at once or when the doors open.
func (p *process) addListener(slot int, f *os.File) {
	p.dropListener(slot)
	fd, err := control.Detach(f)
	if err == nil {
		err = p.prepare(fd)
	}
	if err != nil {
		p.log.Error("a listener can't be taken over: nobody accepts from it", "slot", slot, "err", err)
		return
	}
	p.doors.listeners[slot] = fd
	if p.doors.opened {
		p.watch(slot, fd)
	}
}

// prepare sets on a listener what its connections inherit: little unsent in the
// kernel, so that back-pressure is felt here; a bound for a peer that is gone;
// no waiting for more to send; and no keep-alive, which the pings do better.
func (p *process) prepare(fd int) error {
	lim := &p.config.Limits
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("worker: listener: %w", err)
	}
	for _, option := range []struct{ level, name, value int }{
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, lim.NotSentLowatBytes},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(lim.TCPUserTimeout.Milliseconds())},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0},
	} {
		if err := unix.SetsockoptInt(fd, option.level, option.name, option.value); err != nil {
			return fmt.Errorf("worker: listener's option %d: %w", option.name, err)
		}
	}
	return nil
}

// prepareListeners sets it on all of them again, for who comes from now on.
func (p *process) prepareListeners() {
	for slot, fd := range p.doors.listeners {
		if err := p.prepare(fd); err != nil {
			p.log.Warn("a listener keeps its old options", "slot", slot, "err", err)
		}
	}
}

// dropListener accepts no more from a slot's listener. What waits in its queue
// stays there for whoever accepts next: the supervisor keeps the socket.
func (p *process) dropListener(slot int) {
	fd, ok := p.doors.listeners[slot]
	if !ok {
		return
	}
	if p.doors.opened {
		p.unwatch(fd)
	}
	delete(p.doors.listeners, slot)
	_ = unix.Close(fd)
}

func (p *process) watch(slot, fd int) {
	if err := p.doors.poller.Add(fd, listenerToken|uint64(slot), loop.Input); err != nil {
		p.log.Error("a listener can't be waited for: nobody accepts from it", "slot", slot, "err", err)
	}
}

func (p *process) unwatch(fd int) {
	if err := p.doors.poller.Remove(fd); err != nil {
		p.log.Error("a listener is still waited for", "err", err)
	}
}

// openDoors accepts from all listeners.
func (p *process) openDoors() {
	if p.doors.opened {
		return
	}
	p.doors.opened = true
	for slot, fd := range p.doors.listeners {
		p.watch(slot, fd)
	}
}

// shutDoors leaves connections in the listeners' queues, for a sibling or for
// later.
func (p *process) shutDoors() {
	if !p.doors.opened {
		return
	}
	p.doors.opened = false
	for _, fd := range p.doors.listeners {
		p.unwatch(fd)
	}
}

// doorsRound bounds how long the doors are served before everything else gets
// its turn.
const doorsRound = time.Millisecond

// serveDoors accepts who knocks, and reads what callers say.
func (p *process) serveDoors() {
	events, err := p.doors.poller.Wait(0)
	if err != nil {
		p.log.Error("new connections can't be waited for", "err", err)
	}
	began := p.clock()
	for i, ev := range events {
		if i%8 == 7 && p.clock()-began > int64(doorsRound) {
			return
		}
		if ev.Token&listenerToken != 0 {
			p.acceptSome(int(ev.Token &^ listenerToken))
		} else if c := p.doors.callers.find(ev.Token); c != nil {
			p.hearCaller(c)
		}
	}
}

// acceptMax is how many connections of one listener are accepted in a row.
const acceptMax = 16

func (p *process) acceptSome(slot int) {
	fd, ok := p.doors.listeners[slot]
	if !ok {
		return
	}
	for range acceptMax {
		conn, from, status, err := loop.Accept(fd)
		switch status {
		case loop.Again:
			return
		case loop.Failed: // no descriptors or memory: that passes
			p.block.Add(shm.AcceptErrors, 1)
			p.log.Warn("connections can't be accepted: they wait in the kernel, and it is tried again", "slot", slot, "err", err)
			p.tire()
			return
		}
		p.block.Add(shm.ConnectionsAccepted, 1)
		p.receiveCaller(conn, from)
	}
}

// acceptPause is how long nothing is accepted after an error, which would come
// back at once: the listener stays readable.
const acceptPause = 100 * time.Millisecond

func (p *process) tire() {
	if p.doors.opened {
		p.shutDoors()
		p.doors.tired = p.now + int64(acceptPause)
	}
}

// reopenDoors accepts again after an error.
func (p *process) reopenDoors(now int64) {
	if p.doors.tired != 0 && now >= p.doors.tired {
		p.doors.tired = 0
		p.openDoors()
	}
}

// receiveCaller begins a handshake, or refuses it where too many go on.
func (p *process) receiveCaller(fd int, from netip.AddrPort) {
	c := p.doors.callers.add()
	c.fd, c.remote, c.began = fd, from, p.now
	c.deadline = p.now + int64(p.config.Limits.HandshakeMax)
	p.doors.callers.calling++
	if err := p.doors.poller.Add(fd, c.token(), loop.Input); err != nil {
		p.log.Error("a connection can't be waited for, and ends", "err", err)
		p.hangUp(c)
		return
	}
	if p.doors.callers.calling > p.terms.handshakesMax {
		p.turnAway(c, "handshakes", shm.RefusedHandshakes)
	}
	p.countCallers()
}

func (p *process) countCallers() { p.block.Set(shm.PendingHandshakes, int64(p.doors.callers.calling)) }

// closeDoors gives up all that isn't a session, at the process's end.
func (p *process) closeDoors() {
	for slot := range p.doors.listeners {
		p.dropListener(slot)
	}
	p.doors.callers.each(p.hangUp)
}
