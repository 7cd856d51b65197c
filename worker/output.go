package worker

import (
	"slices"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// gatherMax is up to how many bytes the pieces of a session's queue are copied
// into one buffer instead of being given to the kernel one by one. Copying
// costs less than a vector's entry, and nothing at all for the next session
// that owes the very same pieces.
const gatherMax = 64 << 10

// writer turns queues into system calls.
type writer struct {
	store  *replica.Store
	past   *replica.Store // of what lies below the history
	vector loop.Vector

	plain, deflated gathered // for sessions without and with compression

	spares [][]hub.Piece // of queues that were written
}

// gathered is pieces in one buffer.
type gathered struct {
	bytes []byte
	same  []hub.Piece // what bytes holds; empty: nothing reusable
}

// sparesMax bounds how many emptied lists are kept to be used again, and
// spareLen how long one may be.
const (
	sparesMax = 16 << 10
	spareLen  = 64
)

// bytes gives what a piece of a queue stands for; nil: evicted. Then nothing
// may be written any more, since a stream with a hole is worse than none.
func (w *writer) bytes(q *hub.Queue, p hub.Piece) []byte {
	if p.Chunk == hub.Own {
		return q.Own[p.Off : p.Off+p.Len]
	}
	ref := replica.Ref{Chunk: p.Chunk, Off: p.Off, Len: p.Len}
	if ref.Past() {
		return w.past.Bytes(ref)
	}
	return w.store.Bytes(ref)
}

// gatheredFor is where a session's pieces are gathered: those of sessions with
// compression are others, and in between they must not spoil each other's.
func (w *writer) gatheredFor(s *session) *gathered {
	if s.window > 0 {
		return &w.deflated
	}
	return &w.plain
}

// write sends as much of the queue as one call takes.
func (w *writer) write(fd int, q *hub.Queue, g *gathered) (int, loop.Status) {
	if len(q.Pieces) > 1 && q.Bytes > gatherMax {
		return w.writeVector(fd, q)
	}
	var b []byte
	if len(q.Pieces) == 1 {
		b = w.bytes(q, q.Pieces[0])
	} else {
		b = w.gather(q, g)
	}
	if b == nil {
		return 0, loop.Failed
	}
	return loop.Write(fd, b)
}

func (w *writer) writeVector(fd int, q *hub.Queue) (int, loop.Status) {
	w.vector.Reset()
	for _, p := range q.Pieces {
		b := w.bytes(q, p)
		if b == nil {
			return 0, loop.Failed
		}
		if !w.vector.Add(b) {
			break
		}
	}
	return loop.Writev(fd, &w.vector)
}

// gather copies the pieces into one buffer; nil: one of them was evicted.
func (w *writer) gather(q *hub.Queue, g *gathered) []byte {
	if len(g.same) > 0 && slices.Equal(g.same, q.Pieces) {
		return g.bytes
	}
	g.bytes, g.same = g.bytes[:0], g.same[:0]
	own := false
	for _, p := range q.Pieces {
		b := w.bytes(q, p)
		if b == nil {
			return nil
		}
		g.bytes = append(g.bytes, b...)
		own = own || p.Chunk == hub.Own
	}
	if !own {
		g.same = append(g.same, q.Pieces...)
	}
	return g.bytes
}

// forget drops what was gathered: evicted chunks are used again.
func (w *writer) forget() { w.plain.same, w.deflated.same = w.plain.same[:0], w.deflated.same[:0] }

// lend gives a queue that is empty the memory of one that was.
func (w *writer) lend(q *hub.Queue) {
	if q.Pieces == nil && len(w.spares) > 0 {
		last := len(w.spares) - 1
		q.Pieces = w.spares[last]
		w.spares = w.spares[:last]
	}
}

// reclaim takes an emptied queue's memory back, so that an idle session has
// none.
func (w *writer) reclaim(q *hub.Queue) {
	if cap(q.Pieces) > 0 && cap(q.Pieces) <= spareLen && len(w.spares) < sparesMax {
		w.spares = append(w.spares, q.Pieces[:0])
	}
	q.Release()
}

// touch has the session written in this turn. One that is blocked is written
// when its socket has room again.
func (p *process) touch(s *session) {
	if s.touched || s.blocked || s.stage >= lingering {
		return
	}
	s.touched = true
	p.touched = append(p.touched, s.index)
}

// say queues an answer behind what the session is owed.
func (p *process) say(s *session, fill func(dst []byte) []byte) {
	if s.stage != open {
		return
	}
	lim := &p.config.Limits
	owed := s.queue.Bytes
	p.queueOwn(s, fill)
	p.block.Add(shm.Answers, 1)
	p.touch(s)
	if s.queue.Bytes > lim.OwedBytesMax && !s.blocked {
		p.flush(s)
	}
	switch {
	case s.stage != open || !s.blocked:
	case owed > lim.OwedBytesMax: // not by this answer alone, however large it is
		p.tooSlow(s)
	case p.answerBytes > lim.AnswerBytesMax:
		p.block.Add(shm.AnswerLimitReached, 1)
		p.closeWith(s, wire.CloseOverloaded)
	}
}

// queueOwn queues bytes of the session's own, and keeps count of all of them.
func (p *process) queueOwn(s *session, fill func(dst []byte) []byte) {
	p.writer.lend(&s.queue)
	s.queue.Say(fill)
	p.countAnswers(s)
}

// countAnswers brings the count of all bytes of answers up to date with a
// session's, which remembers what it counts for: so it stays right when
// something faults between a change and its count.
func (p *process) countAnswers(s *session) {
	p.answerBytes += len(s.queue.Own) - int(s.answers)
	s.answers = uint32(len(s.queue.Own))
}

// release gives a queue's memory back.
func (p *process) release(s *session) {
	p.writer.reclaim(&s.queue)
	p.countAnswers(s)
}

// writeTouched gives every touched session one write. Input is served
// meanwhile, since a long round would let pongs and requests wait; sessions
// that this touches are written in the next turn, or clients that never stop
// asking would never let this one end.
func (p *process) writeTouched() {
	looked := p.clock()
	round := len(p.touched)
	for i := 0; i < round; {
		i = p.writeSome(i, round, &looked)
	}
	p.touched = p.touched[:copy(p.touched, p.touched[round:])]
}

// writeSome writes to the sessions from i on, and tells how far it came: to
// the end of the round, or behind a session that faulted.
func (p *process) writeSome(i, round int, looked *int64) (next int) {
	defer p.containServed()
	for next = i; next < round; {
		s := p.sessions.at(p.touched[next])
		next++
		p.current = s
		s.touched = false
		if s.stage == open || s.stage == closing {
			p.flush(s)
		}
		if next%16 != 0 {
			continue
		}
		p.current = nil
		p.lookAtInput(next, looked)
	}
	p.current = nil
	return next
}

// lookAtInput serves input in the midst of a round of writes, if it is time to,
// for no longer than was written since it last did: when ten thousand clients
// come and go, the others' records don't wait for all of them.
func (p *process) lookAtInput(written int, looked *int64) {
	lim := &p.config.Limits
	since := p.clock() - *looked
	if (lim.InputPollSessions > 0 && written%lim.InputPollSessions == 0) || since >= int64(lim.InputPollInterval) {
		*looked = p.serveInput(time.Duration(since))
	}
}

// tally counts what happens once per session and turn; it is published once
// per turn, since an atomic addition for each would be felt.
type tally struct{ writes, bytes, deliveries, saved uint64 }

func (p *process) publishTally() {
	p.block.Add(shm.Writes, p.tally.writes)
	p.block.Add(shm.BytesSent, p.tally.bytes)
	p.block.Add(shm.Deliveries, p.tally.deliveries)
	p.block.Add(shm.DeflateSavedBytes, p.tally.saved)
	p.tally = tally{}
}

// flush writes what the session is owed until it is done or the socket full.
func (p *process) flush(s *session) {
	p.provoke(inWrite, s)
	look := func(piece hub.Piece) []byte { return p.writer.bytes(&s.queue, piece) }
	gathered := p.writer.gatheredFor(s)
	for !s.queue.Empty() {
		n, status := p.writer.write(s.fd, &s.queue, gathered)
		p.tally.writes++
		p.tally.bytes += uint64(n)
		s.sent += uint64(n)
		whole := uint64(s.queue.Written(n, look))
		p.tally.deliveries += whole
		s.whole += whole
		if status == loop.Failed {
			p.block.Add(shm.WriteErrors, 1)
			p.blame(s, control.ClientGone, "the connection broke while it was written to")
			p.end(s)
			return
		}
		if status == loop.Again {
			p.stall(s)
			return
		}
	}
	p.drained(s)
}

// stall leaves the session's pointer behind until its socket has room.
func (p *process) stall(s *session) {
	if s.blocked {
		return
	}
	p.block.Add(shm.WritesBlocked, 1)
	p.block.Observe(shm.BlockedOwedBytes, uint64(s.queue.Bytes), 1)
	s.blocked = true
	p.lag(s)
	if err := p.clients.Modify(s.fd, s.token(), loop.Input|loop.Output); err != nil {
		p.log.Error("a session can't be waited for, and ends", "err", err)
		p.blame(s, control.InternalFault, "its socket can't be waited for")
		p.end(s)
	}
}

// drained is what follows when a session owes nothing any more.
func (p *process) drained(s *session) {
	p.release(s)
	if s.blocked {
		s.blocked = false
		p.unlag(s)
		p.readyReplay(s)
		if err := p.clients.Modify(s.fd, s.token(), loop.Input); err != nil {
			p.log.Error("a session can't be waited for, and ends", "err", err)
			p.blame(s, control.InternalFault, "its socket can't be waited for")
			p.end(s)
			return
		}
	}
	if s.stage == closing {
		p.linger(s)
	}
}

// lag remembers that the session points into the history across turns.
func (p *process) lag(s *session) {
	p.lagging = append(p.lagging, s.index)
	s.lagAt = uint32(len(p.lagging))
}

func (p *process) unlag(s *session) {
	if s.lagAt == 0 {
		return
	}
	last := len(p.lagging) - 1
	moved := p.lagging[last]
	p.lagging[s.lagAt-1] = moved
	p.sessions.at(moved).lagAt = s.lagAt
	p.lagging = p.lagging[:last]
	s.lagAt = 0
}

// cutEvicted closes the sessions whose history was evicted under them.
func (p *process) cutEvicted() {
	oldest, oldestPast := p.store.OldestChunk(), p.pastStore.OldestChunk()
	for i := len(p.lagging) - 1; i >= 0; i-- {
		s := p.sessions.at(p.lagging[i])
		switch {
		case !s.queue.PointsBelow(oldest, oldestPast):
		case s.stage == open:
			if s.replay != nil {
				p.block.Add(shm.ReplaysBroken, 1)
			}
			p.tooSlow(s)
		default:
			p.abort(s)
		}
	}
}
