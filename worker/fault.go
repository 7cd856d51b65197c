package worker

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/internal/route"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// A fault is a panic: a defect of Odin's that somebody met. One that shows
// while a session is served ends that session, with 1011 and the id under
// which the log tells more, and nobody else's: what sums up over sessions
// (input, answers, the lists) is kept such that a fault at any point leaves it
// right. Likewise for one handshake, one record and one question of an
// operator's. Any other fault ends the worker, since nobody knows what it has
// left behind: the siblings go on, and the supervisor starts another one.

// contain is deferred around everything that is done for one session.
func (p *process) contain(s *session) {
	if cause := recover(); cause != nil {
		p.endFaulty(s, p.faulted(s, cause))
	}
}

// containServed is contain for a round over many sessions, of which current is
// the present one: a deferred call for each would cost 3 ns. The round goes on
// behind the one that faulted.
func (p *process) containServed() {
	if cause := recover(); cause != nil {
		s := p.served(cause)
		p.endFaulty(s, p.faulted(s, cause))
	}
}

// doomServed is containServed while records are applied: no list may change
// then, so the session's end is left to closeDoomed.
func (p *process) doomServed() {
	if cause := recover(); cause != nil {
		s := p.served(cause)
		s.doomed = true
		p.doomed = append(p.doomed, doom{token: s.token(), fault: p.faulted(s, cause)})
	}
}

// served is the session that a fault belongs to. A fault of the round itself
// goes on.
func (p *process) served(cause any) *session {
	s := p.current
	if s == nil {
		panic(cause)
	}
	p.current = nil
	return s
}

// faulted logs and counts a session's fault, and gives its id.
func (p *process) faulted(s *session, cause any) (id string) {
	f := journal.NewFault(cause)
	p.block.Add(shm.Faults, 1)
	p.log.LogAttrs(context.Background(), slog.LevelError, "a defect of Odin ended a session: please report it",
		f.Attrs(slog.String("session", p.id(s).String()), slog.String("remote", s.remote.String()))...)
	return f.ID
}

// endFaulty tells the client, unless that has been tried before or faults as
// well: then the connection ends without a word. A fault in that is the
// worker's.
func (p *process) endFaulty(s *session, id string) {
	defer func() {
		if recover() != nil {
			p.abort(s)
		}
	}()
	p.blame(s, control.InternalFault, "fault "+id)
	if s.stage != open {
		p.abort(s)
		return
	}
	lim := &p.config.Limits
	p.close(s, wire.CloseInternal, func(dst []byte) []byte {
		return wire.AppendClose(dst, wire.CloseInternal, "internal:"+id, lim.RetryMin, lim.RetryMax)
	})
}

// skipFaulty skips the records that encoding faults at: what a producer wrote
// must not end one worker after the other.
func (p *process) skipFaulty(encode kafka.Encoder) kafka.Encoder {
	return func(dst []byte, r kafka.Raw) (channel, frame []byte, skip int) {
		defer func() {
			if cause := recover(); cause != nil {
				p.recordFaulted(r, cause)
				channel, frame, skip = nil, nil, int(route.Fault)
			}
		}()
		return encode(dst, r)
	}
}

func (p *process) recordFaulted(r kafka.Raw, cause any) {
	f := journal.NewFault(cause)
	p.block.Add(shm.Faults, 1)
	p.log.LogAttrs(context.Background(), slog.LevelError, "a defect of Odin skipped a record: please report it",
		f.Attrs(slog.String("topic", r.Partition.Topic), slog.Int("partition", int(r.Partition.Number)), slog.Int64("offset", r.Offset))...)
}

// containCaller is deferred around everything that is done for one caller: it
// is answered, unless that has been done or faults as well.
func (p *process) containCaller(c *caller) {
	cause := recover()
	if cause == nil {
		return
	}
	f := journal.NewFault(cause)
	p.block.Add(shm.Faults, 1)
	p.log.LogAttrs(context.Background(), slog.LevelError, "a defect of Odin broke a handshake: please report it",
		f.Attrs(slog.String("remote", c.remote.String()))...)
	if c.fd < 0 {
		return
	}
	defer func() {
		if recover() != nil {
			p.hangUp(c)
		}
	}()
	p.give(c, refusal(http.StatusInternalServerError, "internal", f.ID))
}

// questionFaulted logs and counts the fault that a question of an operator's
// met, and gives its id.
func (p *process) questionFaulted(cause any) (id string) {
	f := journal.NewFault(cause)
	p.block.Add(shm.Faults, 1)
	p.log.LogAttrs(context.Background(), slog.LevelError, "a defect of Odin left a question without its answer: please report it", f.Attrs()...)
	return f.ID
}

// exitFault is the exit code of a worker that met a fault outside of any
// session.
const exitFault = 1

// crash tells of a fault that ends the worker, and gives the exit code. It may
// be called by any goroutine.
func (p *process) crash(where string, cause any) int {
	f := journal.NewFault(cause)
	p.block.Add(shm.Faults, 1)
	p.log.LogAttrs(context.Background(), slog.LevelError, "a defect of Odin ends the worker: please report it",
		f.Attrs(slog.String("where", where))...)
	return exitFault
}

// beside runs a goroutine of the worker's. A fault in it ends the process at
// once, like one in the loop: what it holds, such as a lock, it would hold for
// ever. (The goroutines within kafka and the libraries end it by Go's own
// means, with their stacks on standard error.)
func (p *process) beside(where string, do func()) {
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				p.die(p.crash(where, cause))
			}
		}()
		do()
	}()
}
