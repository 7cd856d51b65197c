package worker

import (
	"context"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/resume"
)

// ends is what was asked of the end of a partition's log: one question at a
// time, whoever waits for it. A claim is only refuted by an answer to a
// question that was put after it was made.
type ends struct {
	asked uint64 // how many questions were put; the last one is numbered so
	under bool   // it is not answered yet
	next  bool   // somebody needs another one
	end   int64  // the furthest answer: all below it is, or was, in the log
	era   uint32 // in which that was
}

// endAsked is where the log ended in the present era, as far as was asked.
func (pt *partition) endAsked(era uint32) int64 {
	if pt.ends.asked == 0 || pt.ends.era != era {
		return resume.Unknown
	}
	return pt.ends.end
}

// askEnd has the log's end asked, for a claim beyond what is known.
func (p *process) askEnd(q *replayPart) {
	e := &q.part.ends
	if q.wants == 0 {
		q.wants = e.asked + 1
	}
	if q.wants > e.asked {
		if e.under {
			e.next = true
			return
		}
		p.putEnd(q.part)
	}
}

func (p *process) putEnd(pt *partition) {
	e := &pt.ends
	e.asked++
	e.under, e.next = true, false
	number, era := e.asked, pt.replica.Position().Era
	asking := p.asking
	p.beside("the asker for a log's end", func() {
		ctx, cancel := context.WithTimeout(p.ctx, endsWithin)
		defer cancel()
		end := resume.Unknown
		select {
		case asking <- struct{}{}:
			if ends, err := p.source.Ends(ctx, []event.Partition{pt.name}); err == nil {
				end = ends[pt.name].Stable
			}
			<-asking
		case <-ctx.Done():
		}
		p.mail.post(func(p *process) { p.endTold(pt, number, era, end) })
	})
}

// askingMax is how many partitions' ends are asked at once.
const askingMax = 16

// endTold takes the answer to a question, Unknown if there was none.
func (p *process) endTold(pt *partition, number uint64, era uint32, end int64) {
	e := &pt.ends
	e.under = false
	p.refresh(pt)
	if era == pt.replica.Position().Era && end != resume.Unknown {
		if e.era != era {
			e.end = end
		}
		e.era, e.end = era, max(e.end, end)
	}
	for _, token := range p.deciding {
		if s := p.sessions.find(token); s != nil && s.replay != nil {
			s.replay.endTold(pt, number, end)
		}
	}
	if e.next {
		p.putEnd(pt)
	}
	p.redecides = true
}

func (r *replay) endTold(pt *partition, number uint64, end int64) {
	for i := range r.parts {
		q := &r.parts[i]
		if q.part != pt || q.wants == 0 || q.wants > number || q.claim.End != resume.Unknown {
			continue
		}
		if q.claim.End = end; end == resume.Unknown {
			q.claim.Refused = resume.Unavailable
		}
	}
}
