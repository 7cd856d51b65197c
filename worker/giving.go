package worker

import (
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
)

// giving is a sibling's WANT that this worker answers: a pointer into the past
// and the history of a partition, which goes on when there is nothing live to
// relay.
type giving struct {
	want    event.Want
	pt      *partition
	sent    int64 // all up to here was
	records int
	bytes   int
	waits   bool           // for a fill
	ended   *event.PastEnd // what the fill came to, if not to all
}

// pastBatchBytes is the most of one batch of the past: what comes live behind it
// waits no longer than that takes.
const pastBatchBytes = 64 << 10

// hearWant takes a sibling's question. One at a time is answered for a
// partition: a new one replaces the last.
func (p *process) hearWant(l *link, pt *partition, w event.Want) {
	l.stopGiving(pt)
	if w.Era != pt.replica.Position().Era {
		return // the asker will notice, and ask anew
	}
	l.gives = append(l.gives, &giving{want: w, pt: pt, sent: w.From - 1})
	p.stir(l)
}

func (l *link) stopGiving(pt *partition) {
	for i, g := range l.gives {
		if g.pt == pt {
			l.gives = append(l.gives[:i], l.gives[i+1:]...)
			return
		}
	}
}

// givable tells whether there is a part of the past to relay.
func (l *link) givable() bool {
	for _, g := range l.gives {
		if !g.waits {
			return true
		}
	}
	return false
}

// givePast encodes one part of the past, if there is one to relay.
func (p *process) givePast(l *link, room int) {
	for i, g := range l.gives {
		if g.waits {
			continue
		}
		end, done := p.giveSome(l, g, min(room, pastBatchBytes))
		if done {
			end.Partition, end.Era, end.Number = g.want.Partition, g.want.Era, g.want.Number
			l.out.PutPastEnd(end)
			l.gives = append(l.gives[:i], l.gives[i+1:]...)
		}
		return
	}
}

// giveSome sends some of what is asked for: from the history if it reaches that
// far, else from the past, and else has it read.
func (p *process) giveSome(l *link, g *giving, room int) (end event.PastEnd, done bool) {
	pos, lim := g.pt.replica.Position(), &p.config.Limits
	stop := func(why resume.Reason) (event.PastEnd, bool) {
		return event.PastEnd{To: g.sent, LogStart: g.pt.logStart, Why: uint8(why)}, true
	}
	var h replica.History
	to := min(g.want.To, pos.Applied)
	switch next := g.sent + 1; {
	case g.want.Era != pos.Era:
		return stop(resume.Unavailable)
	case g.sent >= to:
		return stop(resume.None)
	case g.records >= lim.BackfillRecordsMax || g.bytes >= lim.BackfillBytesMax:
		return stop(resume.Limit)
	case next >= pos.From:
		h = g.pt.replica.History()
	case g.pt.pastCovers(next):
		h = g.pt.past.History()
		_, covered := g.pt.past.Range()
		to = min(to, covered)
	case g.ended != nil:
		return *g.ended, true
	default:
		g.waits = true
		p.wantPast(g.pt, next)
		return event.PastEnd{}, false
	}
	records, reached := h.Records(p.relayed[:0], g.sent, to, room)
	p.relayed = records
	for i := range records {
		g.bytes += len(records[i].Frame)
	}
	g.records += len(records)
	l.out.PutPast(&event.Past{Partition: g.want.Partition, Era: g.want.Era, Number: g.want.Number, Prev: g.sent, To: reached, Records: records})
	g.sent = reached
	return event.PastEnd{}, false
}

// pastCovers tells whether an offset lies in the partition's past, as far as it
// is complete.
func (pt *partition) pastCovers(offset int64) bool {
	if pt.past == nil || pt.pastEra != pt.replica.Position().Era {
		return false
	}
	from, to := pt.past.Range()
	return from <= offset && offset <= to
}

// fillEnded has those go on who waited for a fill.
func (p *process) fillEnded(pt *partition, end event.PastEnd) {
	for _, l := range p.links {
		if l == nil {
			continue
		}
		for _, g := range l.gives {
			if g.pt != pt || !g.waits {
				continue
			}
			g.waits = false
			if end.Why != 0 {
				g.ended = &end
			}
			p.stir(l)
		}
	}
}
