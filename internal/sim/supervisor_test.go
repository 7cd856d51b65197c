package sim

import (
	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/election"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

// elect gives a partition to a worker, or to nobody if it is dead.
func (w *world) elect(p *part, k *worker) {
	if w.down {
		return
	}
	o := event.Owner{Term: p.owner.Term + 1, Slot: event.Nobody}
	if k.alive {
		o.Slot, o.Generation = k.slot, k.generation
	}
	p.owner = o
	w.note("owner of %d: %v", p.index, o)
}

// watch is the supervisor's look at all workers: who is dead or suspect owns
// nothing any more, and what moves is shared out by election.
func (w *world) watch() {
	if w.down {
		return
	}
	var live []election.Candidate
	for _, k := range w.workers {
		if k.alive && !k.frozen {
			live = append(live, election.Candidate{Slot: k.slot, Generation: k.generation})
		}
	}
	var words []event.Owner
	for _, p := range w.parts[:w.table] {
		words = append(words, p.owner)
	}
	for i, o := range election.Assign(live, words) {
		if o != words[i] {
			w.parts[i].owner = o
			w.note("owner of %d: %v", i, o)
		}
	}
}

// kill ends a worker between two of its steps. What it wrote can still be read.
func (w *world) kill(k *worker) {
	if !k.alive {
		return
	}
	k.alive, k.frozen = false, false
	for peer := range k.ends {
		e := &k.ends[peer]
		for _, l := range []*link{e.link, e.next} {
			if l != nil {
				l.closed = true
			}
		}
	}
	for _, s := range k.sessions {
		s.hangUp()
	}
	k.sessions = nil
}

// restart ends everything, and starts it anew: of shared memory only the eras
// are kept, on disk.
func (w *world) restart(x uint32) {
	for _, p := range w.parts[:w.table] {
		if p.resolve(); !p.current() {
			return // nobody would be left who could notice that it was cut
		}
	}
	for _, k := range w.workers {
		w.kill(k)
	}
	w.down = false
	w.runs++
	for _, p := range w.parts[:w.table] {
		p.forget(x)
	}
	for _, k := range w.workers {
		w.spawn(k, false)
	}
	w.watch()
}

func (w *world) respawn(k *worker) {
	if !w.down {
		w.spawn(k, false)
	}
}

// spawn starts a slot's next generation, with new links to all.
func (w *world) spawn(k *worker, serving bool) {
	if k.alive {
		return
	}
	w.retire(k)
	for _, p := range w.parts[:w.table] {
		p.bury(k.slot)
	}
	*k = worker{
		world: w, slot: k.slot, generation: k.generation + 1, alive: true, ready: serving,
		ends: make([]end, len(w.workers)), locals: k.locals[:0],
		store: replica.NewStoreIn(poison{}, w.plan.limits), past: replica.NewPastStoreIn(poison{}, w.plan.pastLimits()),
	}
	k.tickStores()
	for _, peer := range w.workers {
		if peer != k && peer.alive {
			w.connect(k, peer)
		}
	}
	k.learn()
}

// learn makes replicas of the partitions that are new in the table. They begin
// at their base where sessions wait for them (rule 14).
func (w *worker) learn() {
	had := len(w.locals)
	for i := had; i < w.world.table; i++ {
		p := w.world.parts[i]
		l := &local{
			worker: w, part: p, seen: event.Owner{Slot: event.Nobody},
			past: backfill.New(w.past), stable: event.None, start: event.None,
		}
		for len(w.topics) <= p.topic {
			w.topics = append(w.topics, event.TopicID{})
		}
		w.topics[p.topic] = p.era.Topic
		l.replica = replica.New(replica.Config{
			Partition: i, Slot: w.slot, Generation: w.generation, Base: p.base, BaseEra: p.baseEra, Era: p.era, FromBase: w.ready,
		}, w.store)
		w.locals = append(w.locals, l)
		if w.ready && p.era.Number > p.baseEra {
			w.tells = append(w.tells, told{topic: p.topic, lost: true, parts: 1 << i})
		}
		for peer := range w.ends {
			if w.ends[peer].link != nil {
				l.run(l.replica.LinkUp(w.fx[:0], peer))
			}
		}
		w.world.check(l)
	}
	if had > 0 && len(w.locals) > had && w.ready {
		w.tellResets()
		for _, l := range w.locals[had:] {
			w.tell(told{topic: l.part.topic})
		}
	}
}

// connect sends both ends of a new link to their workers.
func (w *world) connect(a, b *worker) {
	w.links++
	l := &link{id: w.links}
	for _, p := range [][2]*worker{{a, b}, {b, a}} {
		e := &p[0].ends[p[1].slot]
		if e.next != nil {
			e.next.closed = true
		}
		if e.link != nil {
			e.link.closed = true
		}
		e.next = l
	}
}

// tear breaks a worker's link to another, with some of what is in flight, and
// makes it anew.
func (w *world) tear(k *worker, x uint32) {
	peer := w.workers[(k.slot+1+int(x)%(len(w.workers)-1))%len(w.workers)]
	if !k.alive || !peer.alive || w.down {
		return
	}
	if l := k.ends[peer.slot].link; l != nil {
		for i := range l.queues {
			x = mix(x)
			l.queues[i] = l.queues[i][:int(x)%(len(l.queues[i])+1)]
		}
	}
	w.connect(k, peer)
}

// dirty loses or repeats a message on the first link that has one.
func (w *world) dirty(k *worker, m move) {
	if !w.plan.dirty {
		return
	}
	for n := range len(w.workers) {
		k := w.workers[(k.slot+n)%len(w.workers)]
		for peer := range k.ends {
			if l := k.ends[peer].link; l != nil && len(l.queues[way(k.slot, peer)]) > 0 {
				w.spoil(k, &l.queues[way(k.slot, peer)], m)
				return
			}
		}
	}
}

func (w *world) spoil(k *worker, q *[]message, m move) {
	i := int(m.x) % len(*q)
	asks := (*q)[i].kind != kindAdvance && (*q)[i].kind != kindLost // nobody would repeat it
	part := (*q)[i].part
	again := part < len(k.locals) && k.locals[part].missed // nor this, a second time
	switch {
	case m.op == opTwice && !asks:
		*q = append(*q, (*q)[i])
	case m.op == opLose && (w.plan.relink || !asks && !again && !w.lost):
		*q = append((*q)[:i], (*q)[i+1:]...)
		w.lost = true
	}
}
