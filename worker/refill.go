package worker

import (
	"context"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/kafka"
)

// refill has what came lately, but before this worker was there, read into the
// past of every partition: so that clients of the worker before, or of the
// service before, find it at once. It begins once the worker is ready, and
// takes nothing from its start. Of what it can't have, resumes tell why.
func (p *process) refill() {
	window := p.config.Limits.HistoryRefill
	if window <= 0 {
		return
	}
	var names []event.Partition
	for _, pt := range p.partitions {
		names = append(names, pt.name)
	}
	within := p.config.Limits.BackfillMax
	p.beside("the refill", func() {
		ctx, cancel := context.WithTimeout(p.ctx, within)
		defer cancel()
		from, err := p.source.Resolve(ctx, names, kafka.Ago(window))
		if err != nil {
			p.log.Debug("the history is not refilled", "err", err)
			return
		}
		p.mail.post(func(p *process) { p.refillFrom(from) })
	})
}

// refillFrom asks for each partition's past: no more than one reading takes, for
// one that ends below the history is worth nothing.
func (p *process) refillFrom(from map[event.Partition]int64) {
	most := int64(p.config.Limits.BackfillRecordsMax) / 2
	for _, pt := range p.partitions {
		first, ok := from[pt.name]
		pos := pt.replica.Position()
		if first = max(first, pos.From-most); ok && first < pos.From && pt.topic.id != (event.TopicID{}) {
			p.wantPast(pt, first)
		}
	}
}
