package worker

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// close sends a close frame behind the frame that is half written, or, where
// nothing is wrong with the client, behind all that it is owed. Then the
// connection is half-closed and lingers, so that the frame arrives.
func (p *process) close(s *session, code wire.CloseCode, fill func(dst []byte) []byte) {
	if s.stage != open {
		return
	}
	p.blame(s, endingOf(code), "")
	owed := code == wire.CloseNormal || code == wire.CloseGoingAway
	if !owed && !s.queue.Cut(func(piece hub.Piece) []byte { return p.writer.bytes(&s.queue, piece) }) {
		s.code = code
		p.block.Add(shm.SlowAborts, 1)
		p.abort(s)
		return
	}
	p.leave(s)
	p.queueOwn(s, fill)
	s.stage, s.code = closing, code
	p.leaving++
	s.deadline = p.now + int64(p.config.Limits.CloseLinger)
	p.wheel.set(s, int(p.config.Limits.CloseLinger/tick)+1)
	p.touch(s)
}

// closeWith closes with the code's usual reason and, where the client should
// come back, the configured window.
func (p *process) closeWith(s *session, code wire.CloseCode) {
	m, _ := code.Meaning()
	reason := ""
	if n := len(m.Reasons); n > 0 {
		reason = m.Reasons[n-1]
	}
	lim := &p.config.Limits
	var least, most time.Duration
	switch {
	case code == wire.CloseOverloaded:
		least, most = lim.RetryOverloadMin, lim.RetryOverloadMax
	case m.RetryMax > 0:
		least, most = lim.RetryMin, lim.RetryMax
	}
	p.close(s, code, func(dst []byte) []byte { return wire.AppendClose(dst, code, reason, least, most) })
}

// leave takes the session out of all lists: it gets no more records.
func (p *process) leave(s *session) {
	p.dropReplay(s)
	p.hub.Clear(&s.subs, p.subscriptionsOf)
}

// linger half-closes and discards input for a while: closing with unread input
// would send RST, and the peer might never see the close frame.
func (p *process) linger(s *session) {
	s.stage = lingering
	if err := unix.Shutdown(s.fd, unix.SHUT_WR); err != nil {
		p.end(s)
		return
	}
	s.deadline = p.now + int64(p.config.Limits.CloseLinger)
	p.wheel.set(s, int(p.config.Limits.CloseLinger/tick)+1)
}

// abort ends a connection that can't take a close frame, with RST.
func (p *process) abort(s *session) {
	if s.stage == gone || s.stage == free {
		return
	}
	linger := unix.Linger{Onoff: 1}
	// It fails only on a descriptor that is no socket; the close follows anyway.
	_ = unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger)
	p.end(s)
}

// end gives the session up. Its descriptor is closed at the end of the turn,
// so that no event of this turn can meet another one under its number.
func (p *process) end(s *session) {
	if s.stage == gone || s.stage == free {
		return
	}
	if s.code == 0 {
		s.code = wire.CloseAbnormal
	}
	p.blame(s, endingOf(s.code), "")
	p.leave(s)
	p.unlag(s)
	p.deflating.leave(s)
	p.remember(s)
	delete(p.called, s.index)
	p.inputBytes -= int(s.buffered)
	p.answerBytes -= int(s.answers)
	p.block.Add(shm.ClosedBy(uint16(s.code)), 1)
	if s.stage != open {
		p.leaving--
	}
	s.stage = gone
	s.due = 0
	p.ended = append(p.ended, s.index)
}

// closeEnded gives descriptors and table slots back.
func (p *process) closeEnded() {
	for _, index := range p.ended {
		s := p.sessions.at(index)
		if err := unix.Close(s.fd); err != nil {
			p.log.Error("a session's descriptor can't be closed", "err", err)
		}
		p.sessions.remove(s)
	}
	p.ended = p.ended[:0]
	p.countSessions()
}
