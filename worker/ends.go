package worker

import (
	"context"
	"errors"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/resume"
	"github.com/odin-ws/odin/kafka"
)

// askEnd has the log's end asked, for a claim beyond what is known.
func (p *process) askEnd(q *replayPart) {
	if number, put := q.part.ends.Ask(&q.wants); put {
		p.putEnd(q.part, number)
	}
}

func (p *process) putEnd(pt *partition, number uint64) {
	era, topic := pt.replica.Position().Era, pt.replica.Era().Topic
	asking := p.asking
	p.beside("the asker for a log's end", func() {
		ctx, cancel := context.WithTimeout(p.ctx, endsWithin)
		defer cancel()
		end := resume.Unknown
		select {
		case asking <- struct{}{}:
			if ends, err := p.endsOf(ctx, pt, topic, era); err == nil {
				end = ends.Stable
			}
			<-asking
		case <-ctx.Done():
		}
		p.mail.post(func(p *process) { p.endTold(pt, number, era, end) })
	})
}

func (p *process) endsOf(ctx context.Context, pt *partition, topic event.TopicID, era uint32) (ends kafka.Ends, err error) {
	err = p.orNextEra(ctx, pt, era, func() (err error) {
		ends, err = p.source.Ends(ctx, pt.name, topic)
		return err
	})
	return ends, err
}

// ofAnotherLog tells of a log that isn't the one that the present era is of. One
// that ends below what was held of it is none either: its owner meets that, too.
func ofAnotherLog(err error) bool {
	return errors.Is(err, kafka.ErrRecreated) || errors.Is(err, kafka.ErrRegrown) || errors.Is(err, kafka.ErrTruncated)
}

// orNextEra has the log read, and if it is another one waits for the era that
// tells so. Who asked is judged by that one.
func (p *process) orNextEra(ctx context.Context, pt *partition, era uint32, read func() error) error {
	for {
		err := read()
		if !ofAnotherLog(err) || p.segment.EraNumber(pt.index) != era {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryAfter):
		}
	}
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
