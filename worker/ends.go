package worker

import (
	"context"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/resume"
)

// askEnd has the log's end asked, for a claim beyond what is known.
func (p *process) askEnd(q *replayPart) {
	if number, put := q.part.ends.Ask(&q.wants); put {
		p.putEnd(q.part, number)
	}
}

func (p *process) putEnd(pt *partition, number uint64) {
	era := pt.replica.Position().Era
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
	p.refresh(pt)
	next, put := pt.ends.Told(era, pt.replica.Position().Era, end)
	for _, token := range p.deciding {
		if s := p.sessions.find(token); s != nil && s.replay != nil {
			s.replay.endTold(pt, number, end)
		}
	}
	if put {
		p.putEnd(pt, next)
	}
	p.redecides = true
}

func (r *replay) endTold(pt *partition, number uint64, end int64) {
	for i := range r.parts {
		if q := &r.parts[i]; q.part == pt {
			q.claim.EndTold(q.wants, number, end)
		}
	}
}
