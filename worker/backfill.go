package worker

import (
	"context"
	"errors"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// fill is how a partition's past is had: what lies below the history and
// sessions need that resume. The owner reads it from the log, once for all who
// ask; the others ask the owner.
type fill struct {
	under  bool // it is being read, or asked for
	number uint32
	era    uint32
	from   int64 // of what is under way
	wanted int64 // the lowest offset that somebody needs besides; -1: none
	link   *link // that was asked; nil: this worker reads
	owner  event.Owner
}

// noneWanted is no offset to begin at.
const noneWanted int64 = -1

// askRange has what lies between a claim and the history read. It begins when
// all of this turn's claims are known.
func (p *process) askRange(q *replayPart) {
	p.wantPast(q.part, q.claim.Offset+1)
}

func (p *process) wantPast(pt *partition, from int64) {
	f := &pt.fill
	if f.under && f.from <= from && f.era == pt.replica.Position().Era {
		return
	}
	if f.wanted == noneWanted || from < f.wanted {
		f.wanted = from
	}
	p.fillsDue = true
	if !pt.filling {
		pt.filling = true
		p.filling = append(p.filling, pt)
	}
}

// tendFills begins what is wanted, and asks anew where the owner, or the link to
// it, has changed.
func (p *process) tendFills() {
	p.fillsDue = false
	kept := p.filling[:0]
	for _, pt := range p.filling {
		f := &pt.fill
		if f.under && (f.era != pt.replica.Position().Era || f.owner != pt.replica.Owner() || f.link != p.linkToOwner(pt)) {
			f.under = false
			f.want(f.from)
		}
		if !f.under && f.wanted != noneWanted {
			p.beginFill(pt)
		}
		if pt.filling = f.under || f.wanted != noneWanted; pt.filling {
			kept = append(kept, pt)
		}
	}
	clear(p.filling[len(kept):])
	p.filling = kept
}

func (f *fill) want(from int64) {
	if f.wanted == noneWanted || from < f.wanted {
		f.wanted = from
	}
}

// linkToOwner is nil where this worker is the owner, or there is no way to it.
func (p *process) linkToOwner(pt *partition) *link {
	owner := pt.replica.Owner()
	if pt.replica.Owns() || owner.Slot < 0 || owner.Slot >= len(p.links) {
		return nil
	}
	return p.links[owner.Slot]
}

func (p *process) beginFill(pt *partition) {
	l := p.linkToOwner(pt)
	if l == nil && !pt.replica.Owns() {
		return // a new owner, or a new link, will be asked
	}
	pos, f := pt.replica.Position(), &pt.fill
	to := pos.From - 1 + (pos.Applied-pos.From+1)/2 // the history moves on meanwhile
	from := f.wanted
	if f.wanted = noneWanted; from > to {
		p.redecides = true
		return
	}
	p.fillNumber++
	f.under, f.number, f.era, f.from, f.link, f.owner = true, p.fillNumber, pos.Era, from, l, pt.replica.Owner()
	p.block.Add(shm.PastsAsked, 1)
	p.incomingOf(pt).Begin(from)
	if l == nil {
		p.readPast(pt, f.number, from, to)
		return
	}
	l.out.PutWant(event.Want{Partition: pt.index, Era: pos.Era, Number: f.number, From: from, To: to})
	p.stir(l)
}

// incomingOf is where a fill goes. The past stays meanwhile, for those who are
// being replayed from it.
func (p *process) incomingOf(pt *partition) *replica.Past {
	if pt.incoming == nil {
		pt.incoming = replica.NewPast(p.pastStore)
	}
	return pt.incoming
}

// pastRead is what a reader of the log came to.
type pastRead struct {
	records  []event.Record
	reached  int64
	logStart int64
	why      resume.Reason
}

// readPast reads a range of the log beside the loop, as the partition's owner.
func (p *process) readPast(pt *partition, number uint32, from, to int64) {
	p.block.Add(shm.PastReads, 1)
	lim := &p.config.Limits
	ranges, most := p.ranges, kafka.RangeLimit{Records: lim.BackfillRecordsMax, Bytes: lim.BackfillBytesMax}
	within := lim.BackfillMax
	p.beside("the reader of what sessions missed", func() {
		ctx, cancel := context.WithTimeout(p.ctx, within)
		defer cancel()
		read := pastRead{reached: from - 1, logStart: resume.Unknown, why: resume.Unavailable}
		select {
		case ranges <- struct{}{}:
			read = p.readPastOnce(ctx, pt.name, from, to, most)
			<-ranges
		case <-ctx.Done():
		}
		p.mail.post(func(p *process) { p.pastWasRead(pt, number, read) })
	})
}

func (p *process) readPastOnce(ctx context.Context, name event.Partition, from, to int64, most kafka.RangeLimit) pastRead {
	read := pastRead{reached: from - 1, logStart: resume.Unknown}
	compacted, err := p.source.Compacted(ctx, name.Topic)
	if compacted {
		read.why = resume.Trimmed
		return read
	}
	if err == nil {
		read.records, read.reached, err = p.source.Range(ctx, name, from, to, most)
	}
	switch {
	case errors.Is(err, kafka.ErrTrimmed):
		read.why = resume.Trimmed
		if ends, err := p.source.Ends(ctx, []event.Partition{name}); err == nil {
			read.logStart = ends[name].LogStart
		}
	case err != nil:
		p.log.Debug("what sessions missed can't be read", "topic", name.Topic, "partition", name.Number, "err", err)
		read.why = resume.Unavailable
	case read.reached < to:
		read.why = resume.Limit
	}
	return read
}

func (p *process) pastWasRead(pt *partition, number uint32, read pastRead) {
	f := &pt.fill
	if !f.under || f.number != number {
		return
	}
	p.refresh(pt)
	if f.era != pt.replica.Position().Era {
		return // tendFills begins anew
	}
	pt.incoming.Append(read.records, read.reached)
	p.block.Add(shm.PastRecords, uint64(len(read.records)))
	p.filled(pt, read.reached, read.logStart, read.why)
}

// filled takes the end of a fill: what it reached is in the partition's past.
func (p *process) filled(pt *partition, reached, logStart int64, why resume.Reason) {
	f := &pt.fill
	f.under = false
	pt.logStart = max(pt.logStart, logStart)
	if !pt.reachesHistory(pt.past) || pt.reachesHistory(pt.incoming) {
		pt.past, pt.incoming, pt.pastEra = pt.incoming, pt.past, f.era
	}
	for _, token := range p.deciding {
		if s := p.sessions.find(token); s != nil && s.replay != nil {
			s.replay.filled(pt, reached, logStart, why)
		}
	}
	p.fillEnded(pt, event.PastEnd{To: reached, LogStart: logStart, Why: uint8(why)})
	p.redecides = true
}

// reachesHistory tells whether nothing is missing between a past and the
// history.
func (pt *partition) reachesHistory(past *replica.Past) bool {
	if past == nil || past == pt.past && pt.pastEra != pt.replica.Position().Era {
		return false
	}
	_, to := past.Range()
	return to+1 >= pt.replica.Position().From
}

// fillsMax is how often a claim is read for. It takes more than once only where
// the history moves on faster than it is read, or all that is missing together
// is more than is kept.
const fillsMax = 3

// filled refuses what can't be had. Where the bound of one reading was met, so
// is every claim that misses as many offsets; who misses less is asked for anew.
func (r *replay) filled(pt *partition, reached, logStart int64, why resume.Reason) {
	f := &pt.fill
	from := pt.replica.Position().From
	for i := range r.parts {
		q := &r.parts[i]
		next := q.claim.Offset + 1
		if q.part != pt || q.now || q.claim.Refused != resume.None || next < f.from || next >= from {
			continue
		}
		switch q.fills++; why {
		case resume.None, resume.Limit:
			if q.fills > fillsMax {
				q.claim.Refused = resume.Limit
			}
			if why == resume.Limit && reached+1 < from && from-next >= reached+1-f.from {
				q.claim.Refused = resume.Limit
			}
		case resume.Trimmed:
			if logStart == resume.Unknown || next < logStart {
				q.claim.Refused = resume.Trimmed
			}
		default:
			q.claim.Refused = why
		}
	}
}

// hearPast takes a part of an answer to this worker's question.
func (p *process) hearPast(l *link, pt *partition, m *event.Past) {
	f := &pt.fill
	if !f.under || f.link != l || f.number != m.Number || f.era != m.Era || m.Era != pt.replica.Position().Era {
		return
	}
	if _, to := pt.incoming.Range(); m.Prev == to {
		p.block.Add(shm.PastRecords, uint64(len(m.Records)))
		pt.incoming.Append(m.Records, m.To)
	}
}

func (p *process) hearPastEnd(l *link, pt *partition, m event.PastEnd) {
	f := &pt.fill
	if !f.under || f.link != l || f.number != m.Number || f.era != m.Era || m.Era != pt.replica.Position().Era {
		return
	}
	p.filled(pt, m.To, m.LogStart, resume.Reason(m.Why))
}

// pastLimits bound the past of all partitions together. It is kept as long as
// the history, for others who need it.
func (p *process) pastLimits() replica.Limits {
	lim := &p.config.Limits
	return replica.Limits{Bytes: int64(lim.BackfillKeptBytesMax), Age: lim.HistoryAgeMax, Records: max(lim.BackfillRecordsMax, 1)}
}
