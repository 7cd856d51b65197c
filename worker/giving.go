package worker

import (
	"slices"

	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/event"
)

// pastBatchBytes is the most of one batch of the past: what comes live behind it
// waits no longer than that takes.
const pastBatchBytes = 64 << 10

// hearWant takes a sibling's question. One at a time is answered for a
// partition: a new one replaces the last.
func (p *process) hearWant(l *link, pt *partition, w event.Want) {
	l.gives = slices.DeleteFunc(l.gives, func(g *backfill.Giving) bool { return g.Partition() == pt.index })
	if w.Era != pt.replica.Position().Era {
		return // the asker will notice, and ask anew
	}
	l.gives = append(l.gives, backfill.Give(w))
	p.stir(l)
}

// givable tells whether there is a part of the past to relay.
func (l *link) givable() bool {
	return slices.ContainsFunc(l.gives, func(g *backfill.Giving) bool { return !g.Waits() })
}

// givePast encodes one part of the past, if there is one to relay.
func (p *process) givePast(l *link, room int) {
	i := slices.IndexFunc(l.gives, func(g *backfill.Giving) bool { return !g.Waits() })
	if i < 0 {
		return
	}
	g, lim := l.gives[i], &p.config.Limits
	pt := p.partitions[g.Partition()]
	most := backfill.Limit{Records: lim.BackfillRecordsMax, Bytes: lim.BackfillBytesMax}
	part := g.Next(p.relayed[:0], p.pastNow(pt), pt.past, pt.logStart, min(room, pastBatchBytes), most)
	switch part.Kind {
	case backfill.Some:
		p.relayed = part.Past.Records
		l.out.PutPast(&part.Past)
	case backfill.End:
		l.out.PutPastEnd(part.End)
		l.gives = slices.Delete(l.gives, i, i+1)
	case backfill.Need:
		p.wantPast(pt, part.Need)
	}
}

// givingFilled has those go on who waited for a fill of the partition.
func (l *link) givingFilled(pt *partition, r backfill.Result) (stirred bool) {
	for _, g := range l.gives {
		stirred = g.Partition() == pt.index && g.Filled(r) || stirred
	}
	return stirred
}
