package sim

import (
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

// worker is one slot: the Replica of the process that runs there, and what the
// process does around it.
type worker struct {
	world      *world
	slot       int
	generation uint32
	alive      bool
	frozen     bool

	store   *replica.Store
	replica *replica.Replica
	ends    []end
	fx      []replica.Effect
	entries []replica.Entry

	source source
	ranges []rangeRead      // on their way; those of an earlier term or era are void
	asked  []replica.Effect // comparisons on their way
	seen   event.Owner      // the word as it was read last

	heard  int      // world.publishes when it listened last
	doing  action   // refreshed for, not yet done: a freeze may come between
	staged *message // taken from Next, not yet written
	to     int      // whereto
	stream stream
	kept   [keptRefs]kept // frames that a lagging session still points to
}

// source is the worker's fetching half. Polls wait in a queue, tagged.
type source struct {
	on      bool
	stopped bool // a fault was told
	tag     replica.Tag
	from    int64
	epoch   int32
	polls   []poll
}

type poll struct {
	advance event.Advance
	records []record
	fault   fault
	tag     replica.Tag
	offset  int64
	epoch   int32
	topic   event.TopicID
}

type fault uint8

const (
	noFault fault = iota
	truncated
	recreated
	trimmed
)

// kept is a frame as a session remembers it.
type kept struct {
	ref     replica.Ref
	content uint64
}

const keptRefs = 8

// pollsMax bounds what is fetched and not yet taken.
const pollsMax = 4

type rangeRead struct {
	tag      replica.Tag
	from, to int64
	ready    bool
	answer   replica.Range
}

// action is one thing that a worker can do next.
type action struct {
	do   do
	peer int
}

type do uint8

const (
	doNothing do = iota
	doPoll       // take a poll
	doMessage    // take a message that was read
	doRead       // read from a link
	doRelay      // relay a batch
	doApply
	doPublish
	doEvict
	doTick    // look at the words
	doFetch   // the source fetches
	doRange   // the second reader answers
	doCompare // the leader answers a comparison
	doHear    // what others published is looked at
	doAdopt   // use a new link
	doHangup
	doFlush // write what was staged
	dos
)

func (d do) String() string {
	return [...]string{
		"nothing", "poll", "message", "read", "relay", "apply", "publish", "evict", "tick", "fetch", "range", "compare", "hear", "adopt", "hangup", "flush",
	}[d]
}

// actions appends what the worker can do now.
func (w *worker) actions(dst []action) []action {
	if w.staged != nil {
		return append(dst, action{doFlush, w.to})
	}
	if w.doing.do != doNothing {
		return append(dst, w.doing)
	}
	full := w.store.Full() || w.replica.Full()
	if w.store.Full() && !w.replica.Waiting() {
		dst = append(dst, action{do: doEvict})
	}
	if len(w.source.polls) > 0 && !full {
		dst = append(dst, action{do: doPoll})
	}
	for peer := range w.ends {
		dst = w.linkActions(dst, peer, full)
	}
	if w.world.unpublished(w) {
		dst = append(dst, action{do: doPublish})
	}
	if w.seen != w.world.owner || w.replica.Position().Era != w.world.era.Number {
		dst = append(dst, action{do: doTick})
	}
	if w.fetchable() {
		dst = append(dst, action{do: doFetch})
	}
	for i := range w.ranges {
		if q := &w.ranges[i]; q.ready || !w.stalled(q) {
			dst = append(dst, action{doRange, i})
		}
	}
	if len(w.asked) > 0 {
		dst = append(dst, action{do: doCompare})
	}
	if w.listens() {
		dst = append(dst, action{do: doHear})
	}
	if w.replica.Waiting() && (!w.world.plan.lazy || full || len(dst) == 0) {
		dst = append(dst, action{do: doApply}, action{do: doApply})
	}
	return dst
}

func (w *worker) linkActions(dst []action, peer int, full bool) []action {
	e := &w.ends[peer]
	if len(e.inbox) > 0 && !full {
		dst = append(dst, action{doMessage, peer})
	}
	if e.readable(w.slot, peer) {
		dst = append(dst, action{doRead, peer})
	}
	if e.woken && e.writable(w.slot, peer) {
		dst = append(dst, action{doRelay, peer})
	}
	if e.next != nil {
		dst = append(dst, action{doAdopt, peer})
	} else if e.over(w.slot, peer) {
		dst = append(dst, action{doHangup, peer})
	}
	return dst
}

// step does one action. What needs the words reads them first, and may then be
// interrupted: halfway, by whatever the schedule has.
func (w *worker) step(a action, x uint32) {
	fresh := w.doing.do == doNothing
	if fresh {
		switch a.do {
		case doPoll, doMessage, doRelay, doTick, doRange, doCompare, doHear:
			w.refresh(a)
			if w.paused(a, x) {
				w.doing = a
				return
			}
		}
	}
	w.doing = action{}
	w.world.acted[a.do]++
	w.act(a, x)
	w.world.check(w)
}

// paused tells whether the schedule has something between an action and the
// reading of the words for it: more often before a fault, since an era that is
// proposed late is the hardest.
func (w *worker) paused(a action, x uint32) bool {
	switch {
	case a.do == doTick:
		return false
	case a.do == doPoll && w.source.polls[0].fault != noFault:
		return x>>24%2 == 0
	}
	return x>>24%4 == 0
}

func (w *worker) act(a action, x uint32) {
	e := &end{}
	if a.peer < len(w.ends) {
		e = &w.ends[a.peer]
	}
	switch a.do {
	case doPoll:
		w.takePoll()
	case doMessage:
		w.takeMessage(a.peer)
	case doRead:
		e.read(w.slot, a.peer, x)
	case doRelay:
		w.relay(a.peer, x)
	case doFlush:
		e.send(w.slot, a.peer, *w.staged)
		w.staged = nil
	case doApply:
		w.apply(x)
	case doPublish:
		w.world.publish(w)
	case doEvict:
		w.store.Evict(w.world.time)
	case doFetch:
		w.fetch(x)
	case doRange:
		w.readRange(a.peer, x)
	case doCompare:
		w.compared()
	case doHear:
		w.heard = w.world.publishes
		w.run(w.replica.Heard(w.fx[:0], w.world.positions()))
	case doAdopt:
		w.adopt(a.peer)
	case doHangup:
		e.link = nil
		e.woken = false
		w.run(w.replica.LinkDown(w.fx[:0], a.peer))
	}
}

// refresh reads the owner word and the era record, as a worker does before
// each input: after a message was read, before it is taken.
func (w *worker) refresh(a action) {
	if w.world.broken == lateWords && a.do == doMessage {
		return
	}
	w.seen = w.world.owner
	if w.world.broken != noWordCheck || w.seen.Is(w.slot, w.generation) || !w.replica.Owns() {
		w.run(w.replica.OwnerChanged(w.fx[:0], w.seen))
	}
	if w.world.broken == noEraCheck && a.do != doTick {
		return
	}
	w.run(w.replica.EraChanged(w.fx[:0], w.world.era))
}

// adopt takes a new link into use: what was unread in the old one is gone.
func (w *worker) adopt(peer int) {
	e := &w.ends[peer]
	if w.world.broken == oldInput && e.link != nil {
		q := &e.next.queues[way(w.slot, peer)]
		*q = append(append(append([]message(nil), e.inbox...), e.link.queues[way(w.slot, peer)]...), *q...)
	}
	*e = end{link: e.next}
	if w.world.broken == linkUnnoticed {
		e.woken = true
		w.run(nil)
		return
	}
	w.run(w.replica.LinkUp(w.fx[:0], peer))
}

func (w *worker) takePoll() {
	p := w.source.polls[0]
	w.source.polls = append(w.source.polls[:0], w.source.polls[1:]...)
	if w.world.broken == untaggedPolls {
		p.tag = replica.Tag{Term: w.seen.Term, Era: w.world.era.Number}
	}
	p.advance.Term, p.advance.Era = p.tag.Term, p.tag.Era
	before := w.replica.Position()
	switch p.fault {
	case truncated:
		w.run(w.replica.Truncated(w.fx[:0], p.tag, p.offset, p.epoch))
		return
	case recreated:
		w.run(w.replica.Recreated(w.fx[:0], p.tag, p.topic))
		return
	case trimmed:
		w.run(w.replica.TrimmedTo(w.fx[:0], p.tag, p.offset))
		return
	}
	p.advance.Records = w.world.frames(p.records)
	if w.world.broken != uncompared && w.replica.Meets(&p.advance) {
		w.run(w.replica.Met(w.fx[:0], p.advance.ToEpoch, w.world.positions()))
	}
	w.run(w.replica.Polled(w.fx[:0], &p.advance))
	if after := w.replica.Position(); after.Held != before.Held && !w.seen.Is(w.slot, w.generation) {
		w.world.fail("rule 2", "worker %d appends a poll, the word names %v", w.slot, w.seen)
	}
}

func (w *worker) takeMessage(peer int) {
	e := &w.ends[peer]
	m := e.inbox[0]
	e.inbox = append(e.inbox[:0], e.inbox[1:]...)
	switch m.kind {
	case kindAdvance:
		m.advance.Records = w.world.frames(m.records)
		w.run(w.replica.Advanced(w.fx[:0], peer, &m.advance))
	case kindSeek:
		w.run(w.replica.Sought(w.fx[:0], peer, m.seek))
	case kindLost:
		w.run(w.replica.LostFrom(w.fx[:0], peer, m.lost))
	}
}

// relay takes the next batch for a link and writes it, now or after a pause in
// which anything may happen.
func (w *worker) relay(peer int, x uint32) {
	b, fx := w.replica.Next(w.fx[:0], peer, w.world.plan.relay)
	w.run(fx)
	if b.None() {
		w.ends[peer].woken = false
		return
	}
	if !w.seen.Is(w.slot, w.generation) {
		w.world.fail("rule 2", "worker %d relays, the word names %v", w.slot, w.seen)
	}
	m := w.world.pack(b)
	w.world.sent[m.kind]++
	if w.world.broken == emptyUnsent && m.kind == kindAdvance && len(m.records) == 0 && m.advance.Prev < m.advance.To {
		return
	}
	w.world.note("%d → %d: %v", w.slot, peer, m)
	if x>>20%4 == 0 {
		w.staged, w.to = &m, peer
		return
	}
	w.ends[peer].send(w.slot, peer, m)
}

// apply gives sessions what is pending, as far as the budget goes.
func (w *worker) apply(x uint32) {
	var to int64
	w.entries, to = w.replica.Pending(w.entries[:0], 1+int(x)%w.world.plan.apply, w.world.plan.relay)
	w.world.deliver(w, w.entries, to)
	w.run(w.replica.Applied(w.fx[:0], to))
}

// run carries effects out.
func (w *worker) run(fx []replica.Effect) {
	w.fx = nil // an effect may bring effects of its own
	for i := range fx {
		w.effect(&fx[i])
	}
	w.fx = fx[:0]
}

func (w *worker) effect(f *replica.Effect) {
	if w.world.trace != nil {
		w.world.note("  %d: %s", w.slot, effectText(f))
	}
	w.world.effects[f.Kind]++
	switch f.Kind {
	case replica.Fetch:
		w.source = source{on: true, polls: w.source.polls, tag: replica.Tag{Term: f.Term, Era: f.Era}, from: f.From, epoch: f.Epoch}
	case replica.StopFetch:
		w.source.on = false
	case replica.SendSeek:
		w.ends[f.Peer].send(w.slot, f.Peer, message{kind: kindSeek, seek: f.Seek})
	case replica.Wake:
		w.ends[f.Peer].woken = true
	case replica.AskPublished:
		w.run(w.replica.PeerPublished(nil, w.world.positions()))
	case replica.ReadRange:
		w.ranges = append(w.ranges, rangeRead{tag: replica.Tag{Term: f.Term, Era: f.Era}, from: f.From, to: f.To})
	case replica.Compare:
		w.asked = append(w.asked, *f)
	case replica.ProposeEra:
		w.world.propose(w, f.NewEra)
		w.run(w.replica.EraChanged(nil, w.world.era))
	case replica.Drain:
		for w.world.plan.prompt && w.replica.Waiting() {
			w.apply(0)
		}
	case replica.Reset:
		w.world.reset(w, f)
	case replica.Count:
		w.world.counted(w, f)
	}
}
