package sim

import (
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

// worker is one slot: the process that runs there, as far as rules are about it.
type worker struct {
	world      *world
	slot       int
	generation uint32
	alive      bool
	frozen     bool
	ready      bool // takes clients (rule 4)

	store, past *replica.Store
	topics      []event.TopicID // as the last era that was met names them
	locals      []*local
	ends        []end
	fills       uint32 // how many fills were begun
	fx          []replica.Effect
	entries     []replica.Entry

	doing  action   // refreshed for, not yet done: a freeze may come between
	staged *message // taken from Next, not yet written
	to     int      // whereto

	sessions  []*session
	tells     []told // resets that the sessions are to be told
	redecides bool   // something was answered that a decision may wait for
}

// action is one thing that a worker can do next: about a partition, and a peer,
// a session or whatever has a number.
type action struct {
	do   do
	peer int
	part int
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
	doLearn // take up what is new in the table
	doGive  // relay a part of the past
	doTend  // begin what is wanted of the past, or anew
	doPast  // the reader of the past answers
	doEnd   // the log's end is told
	doTell  // tell the sessions of resets
	doServe // take a client's request
	doDecide
	doHurry // decide what has waited for long
	doPlay
	doWrite
	dos
)

func (d do) String() string {
	return [...]string{
		"nothing", "poll", "message", "read", "relay", "apply", "publish", "evict", "tick", "fetch", "range", "compare", "hear", "adopt", "hangup", "flush",
		"learn", "give", "tend", "past", "end", "tell", "serve", "decide", "hurry", "play", "write",
	}[d]
}

// actions appends what the worker can do now.
func (w *worker) actions(dst []action) []action {
	if w.staged != nil {
		return append(dst, action{do: doFlush, peer: w.to})
	}
	if w.doing.do != doNothing {
		return append(dst, w.doing)
	}
	full := w.store.Full()
	if full && !w.waiting() {
		dst = append(dst, action{do: doEvict})
	}
	if len(w.locals) < w.world.table {
		dst = append(dst, action{do: doLearn, part: noPart})
	}
	for i, l := range w.locals {
		if len(l.source.polls) > 0 && !full && !l.replica.Full() {
			dst = append(dst, action{do: doPoll, part: i})
		}
	}
	for peer := range w.ends {
		dst = w.linkActions(dst, peer, full)
	}
	for _, l := range w.locals {
		dst = l.actions(dst)
	}
	dst = w.sessionActions(dst)
	for i, l := range w.locals {
		if l.replica.Waiting() && (!w.world.plan.lazy || full || l.replica.Full() || len(dst) == 0) {
			dst = append(dst, action{do: doApply, part: i}, action{do: doApply, part: i})
		}
	}
	if len(dst) == 0 && w.deciding() {
		dst = append(dst, action{do: doHurry})
	}
	return dst
}

func (w *worker) waiting() bool {
	for _, l := range w.locals {
		if l.replica.Waiting() {
			return true
		}
	}
	return false
}

func (w *worker) linkActions(dst []action, peer int, full bool) []action {
	e := &w.ends[peer]
	if len(e.inbox) > 0 && !full && !w.fullFor(e.inbox[0].part) {
		dst = append(dst, action{do: doMessage, peer: peer, part: e.inbox[0].part})
	}
	if e.readable(w.slot, peer) && !(w.world.plan.unheard && w.unpublished()) { // a turn ends with publishing
		dst = append(dst, action{do: doRead, peer: peer})
	}
	if e.writable(w.slot, peer) {
		switch {
		case len(e.wants) > 0:
			dst = append(dst, action{do: doRelay, peer: peer, part: e.wants[0]})
		case e.givable():
			dst = append(dst, action{do: doGive, peer: peer})
		}
	}
	if e.next != nil {
		dst = append(dst, action{do: doAdopt, peer: peer})
	} else if e.over(w.slot, peer) {
		dst = append(dst, action{do: doHangup, peer: peer})
	}
	return dst
}

func (w *worker) fullFor(part int) bool {
	return part < len(w.locals) && w.locals[part].replica.Full()
}

// step does one action. What needs the words reads them first, and may then be
// interrupted: halfway, by whatever the schedule has.
func (w *worker) step(a action, x uint32) {
	switch {
	case w.doing.do != doNothing:
	case a.do == doPoll, a.do == doMessage, a.do == doRelay, a.do == doTick, a.do == doRange, a.do == doCompare, a.do == doHear:
		if a.part >= len(w.locals) {
			w.learn()
		}
		w.locals[a.part].refresh(a)
		if w.paused(a, x) {
			w.doing = a
			return
		}
	}
	w.doing = action{}
	w.world.acted[a.do]++
	if a.do != doHurry {
		w.world.did++
	}
	w.act(a, x)
	if a.part < len(w.locals) {
		w.world.check(w.locals[a.part])
	}
	w.becomeReady()
}

// becomeReady: it takes clients once it knows its place in every partition, and
// has read what was before.
func (w *worker) becomeReady() {
	if w.ready {
		return
	}
	for _, l := range w.locals {
		if !l.replica.Position().Positioned {
			return
		}
	}
	w.ready = true
	for _, l := range w.locals {
		l.refill()
	}
}

// paused tells whether the schedule has something between an action and the
// reading of the words for it: more often before a fault, since an era that is
// proposed late is the hardest.
func (w *worker) paused(a action, x uint32) bool {
	switch {
	case a.do == doTick:
		return false
	case a.do == doPoll && w.locals[a.part].source.polls[0].fault != noFault:
		return x>>24%2 == 0
	}
	return x>>24%4 == 0
}

func (w *worker) act(a action, x uint32) {
	switch a.do {
	case doMessage:
		w.takeMessage(a.peer)
	case doRead:
		w.ends[a.peer].read(w.slot, a.peer, x)
	case doFlush:
		w.ends[a.peer].send(w.slot, a.peer, *w.staged)
		w.staged = nil
	case doEvict:
		w.evict()
	case doLearn:
		w.learn()
	case doGive:
		w.give(a.peer)
	case doAdopt:
		w.adopt(a.peer)
	case doHangup:
		w.hangUp(a.peer)
	case doTell:
		w.tellResets()
	case doServe, doPlay, doWrite, doDecide, doHurry:
		w.actSession(a, x)
	default:
		w.locals[a.part].act(a, x)
	}
}

// adopt takes a new link into use: what was unread in the old one is gone.
func (w *worker) adopt(peer int) {
	e := &w.ends[peer]
	if w.world.broken == oldInput && e.link != nil {
		q := &e.next.queues[way(w.slot, peer)]
		*q = append(append(append([]message(nil), e.inbox...), e.link.queues[way(w.slot, peer)]...), *q...)
	}
	*e = end{link: e.next}
	for i, l := range w.locals {
		if w.world.broken == linkUnnoticed {
			e.wants = append(e.wants, i)
			continue
		}
		l.run(l.replica.LinkUp(w.fx[:0], peer))
	}
}

func (w *worker) hangUp(peer int) {
	e := &w.ends[peer]
	*e = end{next: e.next}
	for _, l := range w.locals {
		l.run(l.replica.LinkDown(w.fx[:0], peer))
	}
}

func (w *worker) takeMessage(peer int) {
	e := &w.ends[peer]
	m := e.inbox[0]
	e.inbox = append(e.inbox[:0], e.inbox[1:]...)
	l := w.locals[m.part]
	switch m.kind {
	case kindAdvance:
		m.advance.Records = w.world.frames(m.records)
		held := l.replica.Position().Held
		l.run(l.replica.Advanced(w.fx[:0], peer, &m.advance))
		l.missed = l.missed && l.replica.Position().Held <= held
	case kindSeek:
		l.run(l.replica.Sought(w.fx[:0], peer, m.seek))
	case kindLost:
		l.run(l.replica.LostFrom(w.fx[:0], peer, m.lost))
	case kindWant:
		w.hearWant(peer, l, m.want)
	case kindPast:
		m.past.Records = w.world.frames(m.records)
		l.past.Heard(l.now(), e.link.id, &m.past)
	case kindEnd:
		if r, ok := l.past.Ended(l.now(), e.link.id, m.end); ok {
			l.filled(r)
		}
	}
}

// tickStores gives the stores the time.
func (w *worker) tickStores() {
	w.store.Tick(w.world.time)
	w.past.Tick(w.world.time)
}

// evict lets old frames go, and with them the sessions that still are owed some.
func (w *worker) evict() {
	w.store.Evict(w.world.time)
	w.past.Evict(w.world.time)
	for i := len(w.sessions) - 1; i >= 0; i-- {
		if s := w.sessions[i]; s.owesEvicted() && w.world.broken != evictedKept {
			s.close("slow")
		}
	}
}
