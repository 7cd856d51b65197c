package worker

import (
	"context"
	"errors"

	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// askRange has what lies between a claim and the history read. It begins when
// all of this turn's claims are known.
func (p *process) askRange(q *replayPart) {
	p.wantPast(q.part, q.claim.Offset+1)
}

func (p *process) wantPast(pt *partition, from int64) {
	if !pt.past.Want(pt.replica.Position().Era, from) {
		return
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
		p.tendFill(pt)
		if pt.filling = pt.past.Busy(); pt.filling {
			kept = append(kept, pt)
		}
	}
	clear(p.filling[len(kept):])
	p.filling = kept
}

func (p *process) tendFill(pt *partition) {
	number := p.fillNumber + 1
	switch a := pt.past.Tend(p.pastNow(pt), number); a.Step {
	case backfill.Nothing:
	case backfill.Moot:
		p.redecides = true
	case backfill.ReadLog:
		p.fillNumber = number
		p.block.Add(shm.PastsAsked, 1)
		p.readPast(pt, number, a.From, a.To)
	case backfill.AskOwner:
		p.fillNumber = number
		p.block.Add(shm.PastsAsked, 1)
		l := p.linkToOwner(pt)
		l.out.PutWant(event.Want{Partition: pt.index, Era: pt.replica.Position().Era, Number: number, From: a.From, To: a.To})
		p.stir(l)
	}
}

// pastNow is what a step of a partition's past needs to know.
func (p *process) pastNow(pt *partition) backfill.Now {
	pos := pt.replica.Position()
	now := backfill.Now{Era: pos.Era, From: pos.From, Applied: pos.Applied, Owner: pt.replica.Owner(), Owns: pt.replica.Owns(), History: pt.replica.History()}
	if l := p.linkToOwner(pt); l != nil {
		now.Link = l.number
	}
	return now
}

// linkToOwner is nil where this worker is the owner, or there is no way to it.
func (p *process) linkToOwner(pt *partition) *link {
	owner := pt.replica.Owner()
	if pt.replica.Owns() || owner.Slot < 0 || owner.Slot >= len(p.links) {
		return nil
	}
	return p.links[owner.Slot]
}

// pastRead is what a reader of the log came to.
type pastRead struct {
	records []event.Record
	backfill.Result
}

func nothingRead(from int64, why resume.Reason) pastRead {
	return pastRead{Result: backfill.Result{Reached: from - 1, LogStart: resume.Unknown, Why: why}}
}

// readPast reads a range of the log beside the loop, as the partition's owner.
func (p *process) readPast(pt *partition, number uint32, from, to int64) {
	p.block.Add(shm.PastReads, 1)
	lim := &p.config.Limits
	pasts, most := p.pasts, kafka.RangeLimit{Records: lim.BackfillRecordsMax, Bytes: lim.BackfillBytesMax}
	within, held, era := lim.BackfillMax, pt.mark(), pt.replica.Position().Era
	p.beside("the reader of what sessions missed", func() {
		ctx, cancel := context.WithTimeout(p.ctx, within)
		defer cancel()
		read := nothingRead(from, resume.Unavailable)
		select {
		case pasts <- struct{}{}:
			_ = p.orNextEra(ctx, pt, era, func() (err error) {
				read, err = p.readPastOnce(ctx, pt.name, held, from, to, most)
				return err
			})
			<-pasts
		case <-ctx.Done():
		}
		p.mail.post(func(p *process) { p.pastWasRead(pt, number, read) })
	})
}

func (p *process) readPastOnce(ctx context.Context, name event.Partition, held kafka.Mark, from, to int64, most kafka.RangeLimit) (pastRead, error) {
	if most.Records <= 0 || most.Bytes <= 0 {
		return nothingRead(from, resume.Limit), nil
	}
	read := nothingRead(from, resume.None)
	compacted, err := p.source.Compacted(ctx, name.Topic)
	if compacted {
		read.Why = resume.Trimmed
		return read, nil
	}
	if err == nil {
		read.records, read.Reached, err = p.source.Range(ctx, name, held, from, to, most)
	}
	switch {
	case errors.Is(err, kafka.ErrTrimmed):
		read.Why = resume.Trimmed
		var ends kafka.Ends
		if ends, err = p.source.Ends(ctx, name, held.Topic); err == nil {
			read.LogStart = ends.LogStart
		}
	case errors.Is(err, kafka.ErrNotAllowed):
		p.log.Warn("what clients missed can't be read from the log: a right is missing", "topic", name.Topic, "err", err)
		read.Why = resume.Unavailable
	case err != nil:
		p.log.Debug("what sessions missed can't be read", "topic", name.Topic, "partition", name.Number, "err", err)
		read.Why = resume.Unavailable
	case read.Reached < to:
		read.Why = resume.Limit
	}
	return read, err
}

func (p *process) pastWasRead(pt *partition, number uint32, read pastRead) {
	p.refresh(pt)
	if result, ok := pt.past.Read(p.pastNow(pt), number, read.records, read.Result); ok {
		p.block.Add(shm.PastRecords, uint64(len(read.records)))
		p.filled(pt, result)
	}
}

// filled has all go on who waited for what a partition's past lacked.
func (p *process) filled(pt *partition, r backfill.Result) {
	pt.logStart = max(pt.logStart, r.LogStart)
	for _, token := range p.deciding {
		if s := p.sessions.find(token); s != nil && s.replay != nil {
			s.replay.filled(pt, r)
		}
	}
	for _, token := range p.lacking {
		if s := p.sessions.find(token); s != nil && s.replay != nil && s.replay.lacks(pt) {
			s.replay.parts[s.replay.at].filled(r)
		}
	}
	for _, l := range p.links {
		if l != nil && l.givingFilled(pt, r) {
			p.stir(l)
		}
	}
	p.redecides = true
}

// filled refuses what can't be had.
func (r *replay) filled(pt *partition, result backfill.Result) {
	for i := range r.parts {
		if q := &r.parts[i]; q.part == pt && !q.now {
			q.filled(result)
		}
	}
}

func (q *replayPart) filled(result backfill.Result) {
	result.Refuse(&q.claim, &q.fills, q.part.replica.Position().From)
}

// awaitPast has a replay go on when what was evicted before it came there is had
// once more, for all who lack it. What can't be had, or not in time, ends it; and
// so does a log that proves nothing (rule 17).
func (p *process) awaitPast(s *session, q *replayPart) {
	r := s.replay
	if !r.lacking {
		r.lacking, r.until = true, p.now+int64(p.config.Limits.BackfillMax)
		q.claim.Offset = q.pointer
	}
	r.relate()
	if q.claim.Refused != resume.None || p.now > r.until || !p.stateOf(r, q).ByLog() {
		p.breakReplay(s)
		return
	}
	r.queued = true
	p.lacking = append(p.lacking, s.token())
	p.askRange(q)
}

func (r *replay) lacks(pt *partition) bool { return r.lacking && r.parts[r.at].part == pt }

// readyLacking has those look again who wait for what was evicted.
func (p *process) readyLacking() {
	p.readied = append(p.readied, p.lacking...)
	p.lacking = p.lacking[:0]
}

// hearPast takes a part of an answer to this worker's question.
func (p *process) hearPast(l *link, pt *partition, m *event.Past) {
	if pt.past.Heard(p.pastNow(pt), l.number, m) {
		p.block.Add(shm.PastRecords, uint64(len(m.Records)))
	}
}

func (p *process) hearPastEnd(l *link, pt *partition, m event.PastEnd) {
	if result, ok := pt.past.Ended(p.pastNow(pt), l.number, m); ok {
		p.filled(pt, result)
	}
}

// pastLimits bound the past of all partitions together. It is kept as long as
// the history, for others who need it; and behind as much as one reading gives,
// there is as much room for what leaves the history meanwhile.
func (p *process) pastLimits() replica.Limits {
	lim := &p.config.Limits
	return replica.Limits{Bytes: int64(lim.BackfillKeptBytesMax), Age: lim.HistoryAgeMax, Records: max(2*lim.BackfillRecordsMax, 1), Hold: lim.BackfillMax}
}
