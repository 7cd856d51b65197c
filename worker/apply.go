package worker

import (
	"time"

	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/shm"
)

// applied is one record of this turn: when the producer made it, and to how
// many sessions it goes.
type applied struct {
	timeMillis int64
	sessions   int
}

// applyWaiting attaches what is new to the sessions that want it, up to the
// turn's budget. No input is taken meanwhile, so no list changes under the
// iteration; a session that turns out too slow is closed behind it.
func (p *process) applyWaiting() {
	p.tellResets()
	may := p.deliverable()
	records, bytes := min(p.config.Limits.TurnRecordsMax, may), p.turnBytes()
	i := 0
	for ; i < len(p.waiting) && records > 0 && bytes > 0; i++ {
		pt := p.waiting[i]
		pt.waiting = false
		n, size := p.apply(pt, records, bytes)
		records, bytes = records-n, bytes-size
	}
	rest := copy(p.waiting, p.waiting[i:]) // one that isn't done has joined the end
	clear(p.waiting[rest:])
	p.waiting = p.waiting[:rest]
	switch {
	case rest > 0 && records == 0 && may <= p.config.Limits.TurnRecordsMax:
		p.block.Add(shm.DeliverRateReached, 1)
	case rest > 0:
		p.block.Add(shm.ApplyBudgetReached, 1)
	}
	p.closeDoomed()
}

// turnBytes is how much one turn applies: less than a session's queue holds,
// so that nobody is called slow before having been written to, and no more than
// is compressed in a moment.
func (p *process) turnBytes() int {
	most := min(p.config.Limits.TurnBytesMax, p.config.Limits.OwedBytesMax/2)
	if p.deflating.sessions > 0 {
		most = min(most, p.config.Limits.TurnDeflatedBytesMax)
	}
	return max(most, 1)
}

// apply attaches up to so many records of one partition, and tells how many
// and how large they were.
func (p *process) apply(pt *partition, records, bytes int) (n, size int) {
	entries, to := pt.replica.Pending(p.entries[:0], records, bytes)
	for i := range entries {
		p.deliver(&entries[i])
		size += int(entries[i].Ref.Len)
	}
	n = len(entries)
	p.paces.deliver.spend(n)
	p.entries = entries[:0]
	p.carryOut(pt, pt.replica.Applied(p.effects(), to))
	return n, size
}

// applyAll attaches all that a partition holds, whatever the budget.
func (p *process) applyAll(pt *partition) {
	p.tellResets()
	for pt.replica.Waiting() {
		p.apply(pt, p.config.Limits.TurnRecordsMax, p.turnBytes())
	}
	p.closeDoomed() // before any input is answered with a cursor that covers what they were denied
}

// deliver attaches one record to each session that wants it, once however
// many of its patterns match.
func (p *process) deliver(e *replica.Entry) {
	for _, s := range p.samples {
		s.count(e)
	}
	p.lists = p.hub.Match(p.lists[:0], e.Channel)
	p.deflating.next()
	count := 0
	p.mark++
	for done := false; !done; {
		done = p.attachAll(hub.Piece(e.Ref), &count)
	}
	if count > 0 {
		p.applied = append(p.applied, applied{e.Time, count})
	}
}

// attachAll attaches a record to those that it was not attached to yet. It is
// not done when it met a fault, and is to go on with the others then.
func (p *process) attachAll(piece hub.Piece, count *int) (done bool) {
	defer p.doomServed()
	for _, list := range p.lists {
		for _, m := range list.Members {
			s := p.sessions.at(m.Session)
			if s.mark == p.mark || s.doomed {
				continue
			}
			s.mark = p.mark
			p.current = s
			if s.window == 0 {
				p.attach(s, piece)
			} else {
				p.attach(s, p.formFor(s, piece))
			}
			*count++
		}
	}
	p.current = nil
	return true
}

func (p *process) attach(s *session, piece hub.Piece) {
	p.provoke(inApply, s)
	p.writer.lend(&s.queue)
	s.queue.Attach(piece)
	if s.blocked && s.queue.Bytes > p.config.Limits.OwedBytesMax && s.queue.Bytes > int(piece.Len) {
		p.owedTooMuch(s)
	}
	p.touch(s)
}

// ageMax is the most that a record's age counts for: a timestamp may be
// anything, and the sum of all ages must not overflow.
const ageMax = 10 * time.Minute

// observeLatency records, for the records written in this turn, the time from
// the producer's timestamp to now, once for each delivery.
func (p *process) observeLatency() {
	if len(p.applied) == 0 {
		return
	}
	now := time.Duration(shm.Wall())
	for _, a := range p.applied {
		p.block.Observe(shm.DeliveryLatency, uint64(age(now, a.timeMillis).Microseconds()), uint64(a.sessions))
	}
	p.applied = p.applied[:0]
}

// age is the time from a record's timestamp to now, both since 1970; 0 if its
// clock is ahead of ours.
func age(now time.Duration, timeMillis int64) time.Duration {
	oldest := now - ageMax
	if timeMillis <= oldest.Milliseconds() {
		return ageMax
	}
	return max(now-time.Duration(min(timeMillis, now.Milliseconds()+1))*time.Millisecond, 0)
}
