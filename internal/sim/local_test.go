package sim

import (
	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
)

// local is one partition in one worker: its Replica, and what the worker does
// around it.
type local struct {
	worker  *worker
	part    *part
	replica *replica.Replica

	source source
	ranges []rangeRead      // on their way; those of an earlier term or era are void
	asked  []replica.Effect // comparisons on their way
	heard  int              // part.publishes when it listened last
	seen   event.Owner      // the word as it was read last
	missed bool             // something was missed and is asked for again, which is not answered yet

	past      *backfill.Past
	due       bool // something is wanted of it
	tended    backfill.Now
	reads     []pastRead
	ends      resume.Ends
	questions []question
	stable    int64 // as the source heard it last
	start     int64

	stream stream
	kept   [keptRefs]kept // frames that a lagging session still points to
}

func (l *local) slot() int     { return l.worker.slot }
func (l *local) world() *world { return l.worker.world }

// kept is a frame as a session remembers it.
type kept struct {
	ref     replica.Ref
	content uint64
}

const keptRefs = 8

// actions appends what the worker can do about the partition alone.
func (l *local) actions(dst []action) []action {
	i, p := l.part.index, l.part
	if p.unpublished(l) {
		dst = append(dst, action{do: doPublish, part: i})
	}
	if l.seen != p.owner || l.replica.Position().Era < p.era.Number {
		dst = append(dst, action{do: doTick, part: i})
	}
	if l.fetchable() {
		dst = append(dst, action{do: doFetch, part: i})
	}
	for n := range l.ranges {
		if q := &l.ranges[n]; q.ready || !l.stalled(q.tag.Era, q.from, q.epoch) {
			dst = append(dst, action{do: doRange, part: i, peer: n})
		}
	}
	if len(l.asked) > 0 {
		dst = append(dst, action{do: doCompare, part: i})
	}
	if l.listens() {
		dst = append(dst, action{do: doHear, part: i})
	}
	if l.due || l.past.Busy() && l.tended != l.now() {
		dst = append(dst, action{do: doTend, part: i})
	}
	for n := range l.reads {
		dst = append(dst, action{do: doPast, part: i, peer: n})
	}
	for n := range l.questions {
		dst = append(dst, action{do: doEnd, part: i, peer: n})
	}
	return dst
}

func (l *local) act(a action, x uint32) {
	switch a.do {
	case doPoll:
		l.takePoll()
	case doRelay:
		l.relay(a.peer, x)
	case doApply:
		l.apply(x)
	case doPublish:
		l.part.publish(l, x)
	case doFetch:
		l.fetch(x)
	case doRange:
		l.readRange(a.peer, x)
	case doCompare:
		l.compared()
	case doHear:
		l.hear()
	case doTend:
		l.tend()
	case doPast:
		l.readPast(a.peer, x)
	case doEnd:
		l.tellEnd(a.peer, x)
	}
}

// refresh reads the owner word and the era record, as a worker does before
// each input: after a message was read, before it is taken.
func (l *local) refresh(a action) {
	broken := l.world().broken
	if broken == lateWords && a.do == doMessage {
		return
	}
	l.seen = l.part.owner
	if broken != noWordCheck || l.seen.Is(l.slot(), l.worker.generation) || !l.replica.Owns() {
		l.run(l.replica.OwnerChanged(l.worker.fx[:0], l.seen))
	}
	if broken == noEraCheck && a.do != doTick {
		return
	}
	l.meetEra(l.part.era)
}

func (l *local) meetEra(e event.Era) {
	if e.Number > l.replica.Position().Era {
		l.worker.topics[l.part.topic] = e.Topic
		l.worker.redecides = true
		l.run(l.replica.EraChanged(l.worker.fx[:0], e))
	}
}

func (l *local) takePoll() {
	p := l.source.polls[0]
	l.source.polls = append(l.source.polls[:0], l.source.polls[1:]...)
	if l.world().broken == untaggedPolls {
		p.tag = replica.Tag{Term: l.seen.Term, Era: l.part.era.Number}
	}
	p.advance.Term, p.advance.Era = p.tag.Term, p.tag.Era
	before := l.replica.Position()
	fx := l.worker.fx[:0]
	switch p.fault {
	case truncated:
		l.run(l.replica.Truncated(fx, p.tag, p.offset, p.epoch))
		return
	case recreated:
		l.run(l.replica.Recreated(fx, p.tag, p.topic))
		return
	case trimmed:
		l.run(l.replica.TrimmedTo(fx, p.tag, p.offset))
		return
	}
	if l.replica.Owner().Term == p.tag.Term {
		l.stable, l.start = p.stable, p.start
	}
	p.advance.Records = l.world().frames(p.records)
	if l.world().broken != uncompared && l.replica.Meets(&p.advance) {
		l.run(l.replica.Met(fx, p.advance.ToEpoch, l.part.positions()))
	}
	l.run(l.replica.Polled(l.worker.fx[:0], &p.advance))
	if after := l.replica.Position(); after.Held != before.Held && !l.seen.Is(l.slot(), l.worker.generation) {
		l.world().fail("rule 2", "worker %d appends a poll, the word names %v", l.slot(), l.seen)
	}
}

// relay takes the next batch for a link and writes it, now or after a pause in
// which anything may happen.
func (l *local) relay(peer int, x uint32) {
	w, e := l.worker, &l.worker.ends[peer]
	b, fx := l.replica.Next(w.fx[:0], peer, w.world.plan.relay)
	l.run(fx)
	if b.None() {
		e.wants = append(e.wants[:0], e.wants[1:]...)
		return
	}
	if !l.seen.Is(w.slot, w.generation) {
		w.world.fail("rule 2", "worker %d relays, the word names %v", w.slot, l.seen)
	}
	m := pack(b)
	w.world.sent[m.kind]++
	if w.world.broken == emptyUnsent && m.kind == kindAdvance && len(m.records) == 0 && m.advance.Prev < m.advance.To {
		return
	}
	w.world.note("%d → %d: %v", w.slot, peer, m)
	if x>>20%4 == 0 {
		w.staged, w.to = &m, peer
		return
	}
	e.send(w.slot, peer, m)
}

// apply gives sessions what is pending, as far as the budget goes.
func (l *local) apply(x uint32) {
	w := l.worker
	w.tellResets()
	var to int64
	w.entries, to = l.replica.Pending(w.entries[:0], 1+int(x)%w.world.plan.apply, w.world.plan.relay)
	l.deliver(w.entries, to)
	l.attach(w.entries)
	l.run(l.replica.Applied(nil, to))
	for _, s := range w.sessions {
		if s.replay != nil {
			s.replay.stuck = false
		}
	}
}

// run carries out effects, in order, as the worker does. They may bring effects
// of their own.
func (l *local) run(fx []replica.Effect) {
	l.worker.fx = nil
	for i := range fx {
		l.world().effects[fx[i].Kind]++
		if l.world().trace != nil {
			l.world().note("    %d of %d: %s", l.slot(), l.part.index, effectText(&fx[i]))
		}
		l.carry(&fx[i])
	}
	l.worker.fx = fx[:0]
}

func (l *local) carry(f *replica.Effect) {
	w := l.worker
	switch f.Kind {
	case replica.Fetch:
		l.source = source{on: true, polls: l.source.polls, tag: replica.Tag{Term: f.Term, Era: f.Era}, from: l.part.beginAt(f.From), epoch: f.Epoch}
	case replica.StopFetch:
		l.source.on = false
	case replica.SendSeek:
		w.ends[f.Peer].send(w.slot, f.Peer, message{kind: kindSeek, part: l.part.index, seek: f.Seek})
	case replica.Wake:
		w.ends[f.Peer].wants = append(w.ends[f.Peer].wants, l.part.index)
	case replica.AskPublished:
		l.run(l.replica.PeerPublished(nil, l.part.positions()))
	case replica.ReadRange:
		l.ranges = append(l.ranges, rangeRead{tag: replica.Tag{Term: f.Term, Era: f.Era}, from: f.From, to: f.To, epoch: l.replica.Position().Epoch})
	case replica.Compare:
		l.asked = append(l.asked, *f)
	case replica.ProposeEra:
		l.propose(f.NewEra)
	case replica.Drain:
		for w.world.plan.prompt && l.replica.Waiting() {
			l.apply(0)
		}
	case replica.Reset:
		w.world.reset(l, f)
		w.tells = append(w.tells, told{topic: l.part.topic, lost: f.Lost, parts: 1 << l.part.index})
	case replica.Count:
		w.world.counted(l, f)
	}
}

func (l *local) propose(e event.Era) {
	if l.world().broken == localEras {
		l.run(l.replica.EraChanged(nil, e))
		return
	}
	l.part.propose(l.worker, e)
	l.meetEra(l.part.era)
}
