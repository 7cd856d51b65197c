package sim

import (
	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
)

// replay is what a session is from its reconnect to the answer, as the worker
// has it.
type replay struct {
	epochs   []string // as the cursor names them
	legacy   bool     // it is a last_offset, which names none
	parts    []replayPart
	began    int64
	deciding bool
	playing  bool // decided: all can be had
	stuck    bool // it is ahead of the others, or lacks something, and waits
	lacking  bool // parts[at] waits for its past
	until    int64
	at       int // in parts: the one that is read, or was read last
	sent     int // records
	reading  reading
}

type replayPart struct {
	local   *local // nil: there is none of that number
	claim   resume.Claim
	wants   uint64
	fills   uint8
	now     bool // nothing is claimed: live from now
	pointer int64
}

// reading is the stretch of a history that a replay reads now.
type reading struct {
	on        bool
	history   replica.History
	to        int64
	next, end replica.Place
}

// reconnect takes a session up where its client says that it stood.
func (w *worker) reconnect(s *session) {
	c := s.asked
	s.asked = nil
	w.learn()
	r := &replay{epochs: c.epochs, legacy: c.legacy, began: w.world.time}
	for i := range max(len(c.offsets), len(w.locals)) {
		if t := w.world.parts[i].topic; s.wants.topic(t) && (c.names(t) || c.legacy || i < len(w.locals)) {
			r.parts = append(r.parts, w.claim(c, i))
		}
	}
	s.replay = r
	w.decide(s)
}

// claim is what a cursor says of a partition: nothing, if it has nothing of the
// topic.
func (w *worker) claim(c *cursor, part int) replayPart {
	q := replayPart{claim: resume.Claim{Offset: event.None, End: resume.Unknown}, now: !c.names(w.world.parts[part].topic)}
	if part < len(c.offsets) {
		q.claim.Offset = c.offsets[part]
	}
	if c.legacy {
		q.now = q.claim.Offset == event.None
	}
	if part < len(w.locals) {
		q.local = w.locals[part]
	} else {
		q.claim.Offset = resume.Unproven
	}
	return q
}

// decide finds out whether a session's replay can begin.
func (w *worker) decide(s *session) {
	r := s.replay
	for i := range r.parts {
		if l := r.parts[i].local; l != nil {
			l.refresh(action{})
		}
	}
	w.tellResets()
	if s.replay != r || s.gone() {
		return
	}
	outcome, reason := w.judge(r)
	w.world.outcomes[outcome]++
	r.deciding = outcome == resume.Pending
	switch outcome {
	case resume.Recovered:
		w.begin(s)
	case resume.Failed:
		w.goLive(s, reason)
	case resume.Pending:
	}
}

// begin begins to send what was missed.
func (w *worker) begin(s *session) {
	r := s.replay
	for i := range r.parts {
		q := &r.parts[i]
		if q.pointer = q.claim.Offset; q.now {
			q.pointer = q.local.replica.Position().Applied
		}
	}
	r.playing = true
	for t, name := range r.epochs {
		if name != "" && resume.Relate(name, w.named(t), w.eras(t)).Incarnation == resume.Earlier {
			w.world.spared++
			w.say(s, packet{kind: packetReset})
			return
		}
	}
}

func (w *worker) judge(r *replay) (resume.Outcome, resume.Reason) {
	var claimed []*replayPart
	var claims []resume.Claim
	for i := range r.parts {
		if q := &r.parts[i]; !q.now {
			claimed, claims = append(claimed, q), append(claims, q.claim)
		}
	}
	state := func(i int) resume.State { return w.stateOf(claimed[i], r) }
	return resume.Decide(claims, state, func(i int, step resume.Step) {
		q := claimed[i]
		w.world.judged[step]++
		switch step {
		case resume.AskEnd:
			q.local.askEnd(q)
		case resume.AskRange:
			q.local.wantPast(q.claim.Offset + 1)
		}
	})
}

// stateOf is what the worker knows of a partition that something is claimed of.
func (w *worker) stateOf(q *replayPart, r *replay) resume.State {
	l := q.local
	if l == nil {
		return resume.State{}
	}
	t := l.part.topic
	relation := resume.Relation{Incarnation: resume.Unnamed}
	if !r.legacy {
		relation = resume.Relate(r.epochs[t], w.named(t), w.eras(t))
	}
	pos := l.replica.Position()
	s := resume.State{
		Relation: relation, Era: l.replica.Era(), Identified: w.topics[t] != event.TopicID{}, Unbroken: pos.Era == 0,
		From: pos.From, Applied: pos.Applied, Observed: pos.From, Held: pos.Held,
		Stable: resume.Unknown, LogStart: resume.Unknown, PastTo: resume.Unknown,
	}
	owner, live := l.ownersWord()
	if q.claim.Offset > pos.Applied {
		s.Held, s.Stable = l.heldByAny(), l.ends.Known(pos.Era)
		if live {
			s.Stable = max(s.Stable, owner.stable)
		}
	}
	if next := q.claim.Offset + 1; next < pos.From {
		if s.LogStart = l.start; live {
			s.LogStart = max(s.LogStart, owner.start)
		}
		if l.past.Covers(pos.Era, next) {
			s.PastFrom, s.PastTo = l.past.Range()
		}
	}
	return s
}

// heldByAny is the furthest offset that a worker which runs holds.
func (l *local) heldByAny() int64 {
	pos := l.replica.Position()
	held := pos.Held
	for slot := range l.part.published {
		q, live := l.part.read(slot)
		if q.ok && live && q.position.Era == pos.Era {
			held = max(held, q.position.Held)
		}
	}
	return held
}

// ownersWord is what the owner published last.
func (l *local) ownersWord() (published, bool) {
	o := l.replica.Owner()
	if o.Slot < 0 {
		return published{}, false
	}
	q, _ := l.part.read(o.Slot)
	return q, q.ok && q.position.Era == l.replica.Position().Era && q.generation == o.Generation
}

// redecide looks again at all that waits for an answer.
func (w *worker) redecide() {
	w.redecides = false
	w.readyLacking()
	for i := len(w.sessions) - 1; i >= 0; i-- {
		if i < len(w.sessions) && w.sessions[i].replay != nil && w.sessions[i].replay.deciding {
			w.decide(w.sessions[i])
		}
	}
}

// endsWithin and fillsWithin are how long a decision waits, in ms.
const (
	endsWithin  = 1000
	fillsWithin = 3000
)

// hurry ends the wait for what doesn't come. Nothing else is left to do, so in
// the end time goes by faster.
func (w *worker) hurry() {
	if w.world.idle {
		w.world.time += 100
	}
	w.readyLacking()
	for _, s := range w.sessions {
		if s.replay != nil && s.replay.deciding {
			w.hurryOne(s.replay)
		}
	}
	w.redecide()
}

func (w *worker) hurryOne(r *replay) {
	waited := w.world.time - r.began
	for i := range r.parts {
		q := &r.parts[i]
		if q.now {
			continue
		}
		late := waited > fillsWithin
		switch resume.Judge(q.claim, w.stateOf(q, r)).Step {
		case resume.Wait, resume.AskEnd:
			late = late || waited > endsWithin
		}
		if late {
			q.claim.Refused = max(q.claim.Refused, resume.Unavailable)
		}
	}
}

func (r *replay) filled(l *local, result backfill.Result) {
	for i := range r.parts {
		if q := &r.parts[i]; q.local == l && !q.now {
			result.Refuse(&q.claim, &q.fills, l.replica.Position().From)
		}
	}
}

func (r *replay) endTold(l *local, number uint64, end int64) {
	for i := range r.parts {
		if q := &r.parts[i]; q.local == l {
			q.claim.EndTold(q.wants, number, end)
		}
	}
}

func (r *replay) pointerOf(l *local) int64 {
	for i := range r.parts {
		if q := &r.parts[i]; q.local == l && r.playing {
			return q.pointer
		}
	}
	return resume.Unproven
}

// play queues some of what a session missed.
func (w *worker) play(s *session, x uint32) {
	w.tellResets()
	if s.gone() {
		return
	}
	for n := 1 + int(x>>5%6); n > 0 && s.replay != nil; n-- {
		if !s.replay.reading.on && !w.beginReading(s) {
			return
		}
		w.playOne(s)
	}
}

func (w *worker) beginReading(s *session) bool {
	r := s.replay
	i, move := resume.Onward(len(r.parts), r.at, func(i int) int64 {
		return r.parts[i].local.replica.Position().Applied - r.parts[i].pointer
	})
	switch move {
	case resume.Await:
		r.stuck = true
	case resume.Live:
		w.world.checkProven(r)
		w.goLive(s, resume.None)
	case resume.Read:
		l := r.parts[i].local
		h, to, covered := l.past.Above(l.now(), r.parts[i].pointer)
		if r.at = i; !covered {
			w.awaitPast(s, &r.parts[i])
			return false
		}
		if r.lacking && w.topics[l.part.topic] == (event.TopicID{}) {
			w.world.fail("rule 17", "worker %d goes on by the log of %d", w.slot, i)
		}
		first, end := h.Above(r.parts[i].pointer)
		r.lacking, r.reading = false, reading{on: true, history: h, to: to, next: first, end: end}
		return true
	}
	return false
}

// awaitPast has a replay go on when what was evicted is had once more.
func (w *worker) awaitPast(s *session, q *replayPart) {
	r := s.replay
	if !r.lacking {
		r.lacking, r.until = true, w.world.time+fillsWithin
		q.claim.Offset = q.pointer
	}
	byLog := w.stateOf(q, r).ByLog() || w.world.broken == logUnproven
	if q.claim.Refused != resume.None || w.world.time > r.until || !byLog {
		w.world.broke++
		s.close("trimmed")
		return
	}
	r.stuck = true
	q.local.wantPast(q.claim.Offset + 1)
	w.world.lacked++
}

// readyLacking has those look again who wait for what was evicted.
func (w *worker) readyLacking() {
	for _, s := range w.sessions {
		if s.replay != nil && s.replay.lacking {
			s.replay.stuck = false
		}
	}
}

// playOne goes on with the reading until a record is queued, or it is done.
func (w *worker) playOne(s *session) {
	rd, q := &s.replay.reading, &s.replay.parts[s.replay.at]
	for ; rd.next != rd.end; rd.next++ {
		e, there := rd.history.At(rd.next)
		if !there {
			rd.on = false
			return
		}
		if s.wants.has(q.local.part, e.Offset) {
			rd.next++
			s.queue = append(s.queue, q.local.packet(&e))
			q.pointer = e.Offset
			s.replay.sent++
			w.world.replayed++
			return
		}
	}
	q.pointer, rd.on = rd.to, false
}

// goLive subscribes the session and answers its reconnect.
func (w *worker) goLive(s *session, reason resume.Reason) {
	sent := s.replay.sent
	s.replay, s.live = nil, true
	w.world.resumed[reason]++
	w.say(s, packet{kind: packetResumed, recovered: reason == resume.None, reason: reason, replayed: sent})
}
