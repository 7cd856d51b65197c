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
	switch outcome, reason := p.judgeClaims(r); outcome {
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
	relations := p.relate(r)
	state := func(i int) resume.State { return p.stateOf(p.claimed[i], relations) }
	return resume.Decide(p.claims, state, func(i int, step resume.Step) { p.ask(p.claimed[i], step) })
}

// relate compares the epochs that a cursor names with those that are.
func (p *process) relate(r *replay) map[*topic]resume.Incarnation {
	relations := make(map[*topic]resume.Incarnation, len(r.names))
	for _, n := range r.names {
		relations[n.topic] = resume.Relate(n.epoch, n.topic.named, n.topic.eras())
	}
	return relations
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
func (p *process) stateOf(q *replayPart, relations map[*topic]resume.Incarnation) resume.State {
	if q.part == nil {
		return resume.State{Incarnation: resume.Same}
	}
	pt := q.part
	incarnation, named := relations[pt.topic]
	if !named {
		incarnation = resume.Unnamed
	}
	pos := pt.replica.Position()
	state := resume.State{
		Incarnation: incarnation, Identified: pt.topic.id != event.TopicID{}, Unbroken: pos.Era == 0,
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

// ask has something answered that a decision waits for.
func (p *process) ask(q *replayPart, step resume.Step) {
	switch step {
	case resume.AskEnd:
		p.askEnd(q)
	case resume.AskRange:
		p.askRange(q)
	}
}

// redecide looks again at all that waits for an answer.
func (p *process) redecide() {
	waiting := p.deciding
	p.deciding = p.decidingSpare[:0]
	for _, token := range waiting {
		if s := p.sessions.find(token); s != nil && s.replay != nil && s.replay.deciding {
			s.replay.deciding = false
			p.decideAgain(s)
		}
	}
	p.decidingSpare = waiting[:0]
}

func (p *process) decideAgain(s *session) {
	defer p.contain(s)
	p.decide(s)
}

// endsWithin is how long a decision waits for the log's end, or for an era to
// be met.
const endsWithin = time.Second

// hurryDecisions ends the wait for what doesn't come.
func (p *process) hurryDecisions() {
	p.readyLacking()
	if len(p.deciding) == 0 {
		return
	}
	for _, token := range p.deciding {
		if s := p.sessions.find(token); s != nil && s.replay != nil {
			p.hurry(s.replay)
		}
	}
	p.redecide()
}

func (p *process) hurry(r *replay) {
	relations := p.relate(r)
	for i := range r.parts {
		q := &r.parts[i]
		if q.now {
			continue
		}
		late := p.now > r.until
		switch resume.Judge(q.claim, p.stateOf(q, relations)).Step {
		case resume.Wait, resume.AskEnd:
			late = late || p.now-r.began > int64(endsWithin)
		}
		if late {
			q.claim.Refused = max(q.claim.Refused, resume.Unavailable)
		}
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
