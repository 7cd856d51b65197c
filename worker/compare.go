package worker

import (
	"context"
	"errors"
	"log/slog"

	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/kafka"
)

// compare asks the brokers whether what some worker published is in the log,
// beside the loop (rule 12). The replica takes nothing of a leader epoch that it
// has met before it knows.
func (p *process) compare(pt *partition, e replica.Effect) {
	p.debugOn(pt, "comparing what was published with the log", slog.Int64("held", e.From), slog.Int("leader_epoch", int(e.Epoch)))
	mark := kafka.Mark{Topic: pt.replica.Era().Topic, Offset: e.From, Epoch: e.Epoch}
	asking := p.asking
	p.beside("the comparer of logs", func() {
		p.insist(asking, pt, e, func() error {
			f, err := p.compareOnce(pt, mark, int32(e.To))
			if err == nil {
				p.mail.post(func(p *process) { p.compared(pt, e, f) })
			}
			return err
		})
	})
}

func (p *process) compareOnce(pt *partition, mark kafka.Mark, met int32) (kafka.Fault, error) {
	ctx, cancel := context.WithTimeout(p.ctx, endsWithin)
	defer cancel()
	f, err := p.source.Compare(ctx, pt.name, mark, met)
	if errors.Is(err, kafka.ErrRecreated) {
		return kafka.Fault{}, nil // the source meets it too, and tells
	}
	return f, err
}

func (p *process) compared(pt *partition, e replica.Effect, f kafka.Fault) {
	c := replica.Comparison{Tag: replica.Tag{Term: e.Term, Era: e.Era}}
	if f.Kind == kafka.Truncated {
		c.Parted, c.End, c.Epoch = true, f.Offset, f.Epoch
		p.log.Warn("the log lacks records that a worker had read: it was truncated", "topic", pt.name.Topic, "partition", pt.name.Number,
			"held", e.From, "from", f.Offset, "err", f.Err)
	}
	p.refresh(pt)
	p.carryOut(pt, pt.replica.Compared(p.effects(), c))
}

// hearPublished has the owner's replicas look at what all workers published
// since: one that was frozen may come with what is not in the log any more.
func (p *process) hearPublished() {
	for _, pt := range p.partitions {
		if !pt.replica.Owns() {
			continue
		}
		p.refresh(pt)
		if fx := pt.replica.Heard(p.effects(), p.published(pt)); len(fx) > 0 {
			p.carryOut(pt, fx)
		} else {
			p.effectLists = append(p.effectLists, fx)
		}
	}
}
