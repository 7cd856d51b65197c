package worker

import (
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/resume"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// decide finds out whether a session's replay can begin, as often as something
// that it may depend on was answered.
func (p *process) decide(s *session) {
	r := s.replay
	for i := range r.parts {
		if pt := r.parts[i].part; pt != nil {
			p.refresh(pt)
		}
	}
	p.tellResets()
	if s.replay != r || s.stage != open {
		return
	}
	outcome, reason := p.judgeClaims(r)
	if r.late { // for what would be waited for: that is refused now
		outcome, reason = p.judgeClaims(r)
	}
	switch outcome {
	case resume.Recovered:
		p.beginReplay(s)
	case resume.Failed:
		p.unrecovered(s, reason)
	case resume.Pending:
		if !r.deciding {
			r.deciding = true
			p.deciding = append(p.deciding, s.token())
		}
	}
}

func (p *process) judgeClaims(r *replay) (resume.Outcome, resume.Reason) {
	p.claimed, p.claims = p.claimed[:0], p.claims[:0]
	for i := range r.parts {
		if q := &r.parts[i]; !q.now {
			p.claimed = append(p.claimed, q)
			p.claims = append(p.claims, q.claim)
		}
	}
	r.relate()
	state := func(i int) resume.State { return p.stateOf(r, p.claimed[i]) }
	return resume.Decide(p.claims, state, func(i int, step resume.Step) { p.ask(r, p.claimed[i], step) })
}

// relate compares the epochs that a cursor names with those that are.
func (r *replay) relate() {
	for i := range r.names {
		n := &r.names[i]
		n.relation = resume.Relate(n.epoch, n.topic.named, n.topic.eras())
	}
}

// relationTo is how what the cursor says of a topic relates to it.
func (r *replay) relationTo(t *topic) resume.Relation {
	for i := range r.names {
		if r.names[i].topic == t {
			return r.names[i].relation
		}
	}
	return resume.Relation{Incarnation: resume.Unnamed}
}

// eras is the sum of its partitions' era numbers.
func (t *topic) eras() (sum uint64) {
	for _, pt := range t.parts {
		if pt != nil {
			sum += uint64(pt.replica.Position().Era)
		}
	}
	return sum
}

// stateOf is what this worker knows of a partition that something is claimed
// of. What only others know is looked up where it matters.
func (p *process) stateOf(r *replay, q *replayPart) resume.State {
	if q.part == nil {
		return resume.State{} // it proves nothing
	}
	pt := q.part
	pos := pt.replica.Position()
	state := resume.State{
		Relation: r.relationTo(pt.topic), Era: pt.replica.Era(), Identified: pt.topic.id != event.TopicID{}, Unbroken: pos.Era == 0,
		From: pos.From, Applied: pos.Applied, Observed: pos.From, Held: pos.Held,
		Stable: resume.Unknown, LogStart: resume.Unknown, PastTo: resume.Unknown,
	}
	if q.claim.Offset > pos.Applied {
		state.Held, state.Stable = p.heldByAny(pt, pos.Era), max(p.owners(pt).Stable, pt.ends.Known(pos.Era))
	}
	if next := q.claim.Offset + 1; next < pos.From {
		state.LogStart = max(p.owners(pt).LogStart, pt.logStart)
		if pt.past.Covers(pos.Era, next) {
			state.PastFrom, state.PastTo = pt.past.Range()
		}
	}
	return state
}

// heldByAny is the furthest offset that a worker which runs holds.
func (p *process) heldByAny(pt *partition, era uint32) int64 {
	held := pt.replica.Position().Held
	for _, other := range p.published(pt) {
		if other.Live && other.Era == era {
			held = max(held, other.Held)
		}
	}
	return held
}

// owners is what the owner of a partition published last.
func (p *process) owners(pt *partition) shm.Position {
	none := shm.Position{Stable: resume.Unknown, LogStart: resume.Unknown}
	owner := pt.replica.Owner()
	if owner.Slot < 0 || owner.Slot >= p.segment.Layout().Slots {
		return none
	}
	pos, ok := p.segment.Slot(owner.Slot).Position(pt.index)
	if !ok || pos.Era != pt.replica.Position().Era || pos.Generation != owner.Generation {
		return none
	}
	return pos
}

// endsWithin is how long a decision waits for the log's end, or for an era to
// be met.
const endsWithin = time.Second

// ask has something answered that a decision waits for, and refuses what doesn't
// come in time.
func (p *process) ask(r *replay, q *replayPart, step resume.Step) {
	switch {
	case p.now > r.until, step != resume.AskRange && p.now-r.began > int64(endsWithin):
		q.claim.Refused, r.late = resume.Unavailable, true
	case step == resume.AskEnd:
		p.askEnd(q)
	case step == resume.AskRange:
		p.askRange(q)
	}
}

// decideLooks bounds the claims that are judged again in one turn: live records
// wait no longer than that takes.
const decideLooks = 4096

// redecide looks again at those who wait for an answer, those who came first
// first, until all have had their turn, or this one's budget is used up.
func (p *process) redecide() {
	i := 0
	for looks := decideLooks; p.undecided > 0 && i < len(p.deciding) && looks > 0; i++ {
		p.undecided--
		looks--
		if s := p.sessions.find(p.deciding[i]); s != nil && s.replay != nil && s.replay.deciding {
			looks -= len(s.replay.parts)
			s.replay.deciding = false
			p.decideAgain(s)
		}
	}
	p.deciding = p.deciding[:copy(p.deciding, p.deciding[i:])]
	p.undecided = min(p.undecided, len(p.deciding))
}

func (p *process) decideAgain(s *session) {
	defer p.contain(s)
	p.decide(s)
}

// hurryDecisions has those who wait looked at, since what they wait for may be
// there without an answer, or late.
func (p *process) hurryDecisions() {
	p.readyLacking()
	if p.undecided == 0 {
		p.undecided = len(p.deciding)
	}
}

// unrecovered answers that not all can be had, and the session goes on from
// now.
func (p *process) unrecovered(s *session, reason resume.Reason) {
	if c, ok := shm.ResumesFailedEpoch.By(reason.String()); ok {
		p.block.Add(c, 1)
	}
	p.goLive(s, wire.UnrecoveredReason(reason.String()))
}
