package worker

import (
	"log/slog"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// serveInput takes what the clients' sockets have, for as long as is given,
// and tells the time.
func (p *process) serveInput(round time.Duration) int64 {
	events, err := p.clients.Wait(0)
	if err != nil {
		p.log.Error("the clients can't be waited for", "err", err)
	}
	p.serveEvents(events, round)
	return p.clock()
}

// inputRound bounds how long input is served before everything else gets its
// turn. The poller is level-triggered: who wasn't served comes again.
const inputRound = time.Millisecond

func (p *process) serveEvents(events []loop.Event, round time.Duration) {
	p.tellResets()
	began := p.clock()
	for i, ev := range events {
		// A compressed message may take a while, and everybody else waits.
		if (i%8 == 7 || p.deflating.sessions > 0) && p.clock()-began > int64(round) {
			p.block.Add(shm.InputRoundReached, 1)
			return
		}
		if s := p.sessions.find(ev.Token); s != nil {
			p.serveEvent(s, ev)
		}
	}
}

func (p *process) serveEvent(s *session, ev loop.Event) {
	defer p.contain(s)
	if ev.Output && s.stage != gone {
		p.flush(s)
	}
	if ev.Input && s.stage != gone {
		p.read(s)
	}
}

// read takes one portion of a session's input; a level-triggered poller tells
// of the rest in the next round, so no session keeps the loop to itself.
func (p *process) read(s *session) {
	held := copy(p.inbuf, s.rest)
	n, status := loop.Read(s.fd, p.inbuf[held:])
	switch status {
	case loop.Again:
		return
	case loop.EOF:
		p.blame(s, control.ClientGone, "without a close frame")
		p.end(s)
		return
	case loop.Failed:
		p.blame(s, control.ClientGone, "the connection broke")
		p.end(s)
		return
	}
	p.block.Add(shm.BytesReceived, uint64(n))
	s.received += uint64(n)
	if s.stage != open {
		p.discard(s, n)
		return
	}
	if n == len(p.inbuf)-held {
		p.block.Add(shm.InputBudgetReached, 1)
	}
	p.parse(s, p.inbuf[:held+n])
	if s.stage == gone {
		return
	}
	p.inputBytes += s.reader.Buffered() - int(s.buffered)
	s.buffered = uint32(s.reader.Buffered())
	if p.inputBytes > p.config.Limits.InputBytesMax && s.reader.Buffered() > 0 {
		p.block.Add(shm.InputLimitReached, 1)
		p.closeWith(s, wire.CloseOverloaded)
	}
}

// discard is what happens to input behind a close frame.
func (p *process) discard(s *session, n int) {
	s.discarded += uint32(n)
	if int(s.discarded) > p.config.Limits.CloseLingerBytesMax {
		p.end(s)
	}
}

// parse serves the messages that in holds and keeps what is left of it.
func (p *process) parse(s *session, in []byte) {
	for s.stage == open {
		m, rest, cerr := s.reader.Next(in, p.config.Limits.RequestBytesMax, p.deflating.inflaterFor(s))
		if cerr != nil {
			p.refuse(s, cerr)
			break
		}
		in = rest
		if m.Op == wire.Continuation {
			break
		}
		p.block.Add(shm.FramesReceived, 1)
		if m.Deflated {
			p.block.Add(shm.InflatedMessages, 1)
		}
		s.requests++
		p.receive(s, m)
	}
	if s.stage != open || len(in) == 0 {
		s.rest = nil
		return
	}
	s.rest = append(s.rest[:0:0], in...)
}

// refuse ends a session whose client broke the protocol.
func (p *process) refuse(s *session, cerr *wire.CloseError) {
	switch cerr.Code {
	case wire.CloseInvalidData:
		p.block.Add(shm.UTF8Errors, 1)
	case wire.CloseProtocolError:
		p.block.Add(shm.ProtocolErrors, 1)
	}
	p.debugOf(s, "closing: the client broke the protocol", slog.Int("code", int(cerr.Code)), slog.String("err", cerr.Message))
	p.blame(s, control.ProtocolError, cerr.Message)
	p.closeWith(s, cerr.Code)
}

// receive serves one message or control frame.
func (p *process) receive(s *session, m wire.Message) {
	if echoing && (m.Op == wire.Text || m.Op == wire.Binary) {
		p.echo(s, m)
		return
	}
	switch m.Op {
	case wire.Text:
		p.serve(s, m.Payload)
	case wire.Binary:
		p.refuse(s, &wire.CloseError{Code: wire.CloseUnsupportedData, Message: "a binary message; requests are JSON text"})
	case wire.Ping:
		p.say(s, func(dst []byte) []byte { return wire.AppendFrame(dst, wire.Pong, m.Payload) })
	case wire.Pong:
		p.block.Add(shm.PongsReceived, 1)
		s.pongAt = p.now
		if s.awaiting && s.stage == open {
			s.awaiting = false
			p.wheel.set(s, ticksUntil(s.pingAt-p.now)) // the timer stands where the pong would have been late
		}
	case wire.Close:
		p.blame(s, control.ClientClosed, closeWords(m.Payload))
		code, _ := wire.ParseClose(m.Payload)
		p.close(s, answered(code), func(dst []byte) []byte { return wire.AppendCloseReply(dst, m.Payload) })
	}
}

// answered is the code that a session ends with when its client closed it.
func answered(code wire.CloseCode) wire.CloseCode {
	switch code {
	case wire.CloseGoingAway:
		return wire.CloseGoingAway
	default:
		return wire.CloseNormal
	}
}
