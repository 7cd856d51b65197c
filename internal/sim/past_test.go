package sim

import (
	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
)

// pastRead is a reading of the log for sessions that resume: done at one moment,
// told at a later one.
type pastRead struct {
	number   uint32
	from, to int64
	epoch    int32 // of what was held when it was asked for
	ready    bool
	records  []event.Record
	result   backfill.Result
}

// question is one for the log's end.
type question struct {
	number uint64
	era    uint32
	ready  bool
	end    int64
}

// now is what a step of the partition's past needs to know.
func (l *local) now() backfill.Now {
	pos := l.replica.Position()
	n := backfill.Now{Era: pos.Era, From: pos.From, Applied: pos.Applied, Owner: l.replica.Owner(), Owns: l.replica.Owns(), History: l.replica.History()}
	if o := n.Owner.Slot; !n.Owns && o >= 0 && l.worker.ends[o].link != nil {
		n.Link = l.worker.ends[o].link.id
	}
	return n
}

func (l *local) wantPast(from int64) {
	l.due = l.past.Want(l.replica.Position().Era, from) || l.due
}

// refill wants what was before the worker was.
func (l *local) refill() {
	if pos := l.replica.Position(); l.world().plan.refill > 0 {
		if first := max(pos.From-int64(l.world().plan.refill), 0); first < pos.From {
			l.wantPast(first)
		}
	}
}

// tend begins what is wanted.
func (l *local) tend() {
	w := l.worker
	l.due, l.tended = false, l.now()
	number := w.fills + 1
	a := l.past.Tend(l.tended, number)
	w.world.asks[a.Step]++
	noted := l.tended
	noted.History = replica.History{} // two runs have it elsewhere
	w.world.note("    %d wants %+v of the past of %d; now %+v", w.slot, a, l.part.index, noted)
	switch a.Step {
	case backfill.Nothing:
		return
	case backfill.Moot:
		w.redecides = true
		return
	case backfill.ReadLog:
		l.reads = append(l.reads, pastRead{number: number, from: a.From, to: a.To, epoch: l.replica.Position().Epoch})
	case backfill.AskOwner:
		peer := l.replica.Owner().Slot
		w.ends[peer].send(w.slot, peer, message{kind: kindWant, part: l.part.index, want: event.Want{
			Partition: l.part.index, Era: l.replica.Position().Era, Number: number, From: a.From, To: a.To,
		}})
	}
	w.fills = number
}

// readPast reads the log, or tells what was read.
func (l *local) readPast(i int, x uint32) {
	q := &l.reads[i]
	if !q.ready {
		q.ready = true
		l.readLog(q, x)
		return
	}
	r := *q
	l.reads = append(l.reads[:i], l.reads[i+1:]...)
	l.refresh(action{})
	if result, ok := l.past.Read(l.now(), r.number, r.records, r.result); ok {
		l.filled(result)
	}
}

// readLog answers as the reader beside the loop does.
func (l *local) readLog(q *pastRead, x uint32) {
	v, w := l.part.kafka.now(), l.world()
	q.result = backfill.Result{Reached: q.from - 1, LogStart: resume.Unknown}
	to := l.pastTo(l.replica.Position().Era, q.from, q.to, q.epoch)
	switch {
	case w.plan.compacts:
		q.result.Why = resume.Trimmed
	case x%8 == 0 && !w.calm:
		q.result.Why = resume.Unavailable
	case q.from < v.start:
		q.result.Why, q.result.LogStart = resume.Trimmed, v.start
	case to < q.from:
		q.result.Why = resume.Unavailable
	default:
		if most := q.from + int64(w.plan.backfill) - 1; to > most {
			to, q.result.Why = most, resume.Limit
		}
		q.records, q.result.Reached = w.copies(v.read(nil, q.from, to)), to
	}
}

// filled has all go on who waited for what the past lacked.
func (l *local) filled(r backfill.Result) {
	w := l.worker
	w.world.fills[r.Why]++
	w.world.excused = w.world.excused || r.Why == resume.Unavailable
	w.world.note("    %d has (%d, %d] of the past of %d: %v, log start %d", w.slot, r.From-1, r.Reached, l.part.index, r.Why, r.LogStart)
	l.start = max(l.start, r.LogStart)
	for _, s := range w.sessions {
		if s.replay != nil && s.replay.deciding {
			s.replay.filled(l, r)
		}
		if s.replay != nil && s.replay.lacking && s.replay.parts[s.replay.at].local == l {
			q := &s.replay.parts[s.replay.at]
			r.Refuse(&q.claim, &q.fills, l.replica.Position().From)
		}
	}
	for peer := range w.ends {
		for _, g := range w.ends[peer].gives {
			if g.Partition() == l.part.index {
				g.Filled(r)
			}
		}
	}
	w.redecides = true
}

func (w *worker) hearWant(peer int, l *local, q event.Want) {
	e := &w.ends[peer]
	kept := e.gives[:0]
	for _, g := range e.gives {
		if g.Partition() != l.part.index {
			kept = append(kept, g)
		}
	}
	if e.gives = kept; q.Era == l.replica.Position().Era {
		e.gives = append(e.gives, backfill.Give(q))
	}
}

// give relays a part of the past to who asked for it.
func (w *worker) give(peer int) {
	e := &w.ends[peer]
	for i, g := range e.gives {
		if g.Waits() {
			continue
		}
		l := w.locals[g.Partition()]
		most := backfill.Limit{Records: w.world.plan.backfill, Bytes: 1 << 20}
		part := g.Next(nil, l.now(), l.past, l.start, w.world.plan.relay, most)
		m := message{part: g.Partition()}
		switch part.Kind {
		case backfill.Some:
			m.kind, m.records, m.past = kindPast, packed(part.Past.Records), part.Past
			m.past.Records = nil
		case backfill.End:
			m.kind, m.end = kindEnd, part.End
			e.gives = append(e.gives[:i], e.gives[i+1:]...)
		case backfill.Need:
			l.wantPast(part.Need)
			return
		}
		w.world.sent[m.kind]++
		if w.world.losesPast(&m) {
			return
		}
		w.world.note("%d → %d: %v", w.slot, peer, m)
		e.send(w.slot, peer, m)
		return
	}
}

// losesPast tells whether a link loses a part of the past.
func (w *world) losesPast(m *message) bool {
	lost := w.plan.holes && !w.calm && m.kind == kindPast && mix(uint32(w.time)+uint32(m.past.To))%4 == 0
	if lost {
		w.lost = true
		w.holes++
	}
	return lost
}

// askEnd has the log's end asked for a claim.
func (l *local) askEnd(q *replayPart) {
	if number, put := l.ends.Ask(&q.wants); put {
		l.questions = append(l.questions, question{number: number, era: l.replica.Position().Era})
	}
}

// tellEnd looks at the log's end, or tells what it was.
func (l *local) tellEnd(i int, x uint32) {
	q := &l.questions[i]
	if !q.ready {
		q.ready, q.end = true, l.part.kafka.now().stable
		if x%8 == 0 && !l.world().calm {
			q.end = resume.Unknown
		}
		return
	}
	a, w := *q, l.worker
	w.world.excused = w.world.excused || a.end == resume.Unknown
	l.questions = append(l.questions[:i], l.questions[i+1:]...)
	l.refresh(action{})
	next, put := l.ends.Told(a.era, l.replica.Position().Era, a.end)
	for _, s := range w.sessions {
		if s.replay != nil && s.replay.deciding {
			s.replay.endTold(l, a.number, a.end)
		}
	}
	if put {
		l.questions = append(l.questions, question{number: next, era: l.replica.Position().Era})
	}
	w.redecides = true
}
