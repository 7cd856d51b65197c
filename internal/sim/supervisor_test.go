package sim

import (
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

// bury keeps the furthest of what the dead have published.
func (w *world) bury(k *worker) {
	q := w.published[k.slot]
	p := replica.Published{Era: q.position.Era, Held: q.position.Held, Epoch: q.position.Epoch}
	if !q.ok || p.Epoch == event.NoEpoch {
		return
	}
	if !w.peaked || p.Era > w.peak.Era || p.Era == w.peak.Era && (p.Epoch > w.peak.Epoch || p.Epoch == w.peak.Epoch && p.Held > w.peak.Held) {
		w.peaked, w.peak = true, p
	}
}

// elect gives the partition to a worker, or to nobody if it is dead.
func (w *world) elect(k *worker) {
	o := event.Owner{Term: w.owner.Term + 1, Slot: event.Nobody}
	if k.alive {
		o.Slot, o.Generation = k.slot, k.generation
	}
	w.owner = o
	w.note("owner %v", o)
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
				l.queues[way(peer, k.slot)] = l.queues[way(peer, k.slot)][:len(l.queues[way(peer, k.slot)]):len(l.queues[way(peer, k.slot)])]
			}
		}
	}
}

// spawn starts a slot's next generation, with new links to all.
func (w *world) spawn(k *worker, fromBase bool) {
	if k.alive {
		return
	}
	w.retire(k)
	w.bury(k)
	*k = worker{
		world: w, slot: k.slot, generation: k.generation + 1, alive: true,
		ends: make([]end, len(w.workers)), seen: event.Owner{Slot: event.Nobody},
		store: replica.NewStore(w.plan.limits),
	}
	k.store.Tick(w.time)
	k.replica = replica.New(replica.Config{
		Slot: k.slot, Generation: k.generation, Base: w.plan.base, Era: w.era, FromBase: fromBase,
	}, k.store)
	for _, peer := range w.workers {
		if peer != k && peer.alive {
			w.connect(k, peer)
		}
	}
	w.check(k)
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
	if !k.alive || !peer.alive {
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
				w.spoil(&l.queues[way(k.slot, peer)], m)
				return
			}
		}
	}
}

func (w *world) spoil(q *[]message, m move) {
	i := int(m.x) % len(*q)
	switch seek := (*q)[i].kind == kindSeek; {
	case m.op == opTwice && !seek:
		*q = append(*q, (*q)[i])
	case m.op == opLose && (w.plan.relink || !seek && !w.lost):
		*q = append((*q)[:i], (*q)[i+1:]...)
		w.lost = true
	}
}

// newVersion truncates the log or makes it anew. A truncation is only told by
// leader epochs, so everybody, dead or alive, knows that of what it holds; and
// only noticed if somebody published what it removes.
func (w *world) newVersion(m move) {
	if !w.plan.eras || w.eras[w.era.Number] != len(w.kafka.versions)-1 {
		return
	}
	if m.op == opRecreate {
		w.kafka.recreate()
		return
	}
	furthest := event.None
	for _, k := range w.workers {
		p, q := k.replica.Position(), w.published[k.slot]
		if !k.alive || !p.Positioned || p.Era != w.era.Number || p.Epoch == event.NoEpoch {
			return
		}
		if !q.ok || q.position.Era != w.era.Number || q.position.Epoch == event.NoEpoch {
			return
		}
		furthest = max(furthest, q.position.Held)
	}
	v := w.kafka.now()
	if least := max(v.from, v.start) + 1; least <= furthest {
		w.kafka.truncate(least + int64(m.x)%(furthest+1-least))
	}
}

// propose is the compare-and-set of the era record.
func (w *world) propose(k *worker, e event.Era) {
	if e.Number != w.era.Number+1 {
		return
	}
	v := w.kafka.now()
	if e.From != v.from || e.Topic != v.topic || e.Epoch != v.epochBefore(e.From) {
		w.fail("rule 12", "worker %d proposes %v, the log was cut at %d", k.slot, e, v.from)
	}
	w.era = e
	w.topics = append(w.topics, v.topic)
	w.eras = append(w.eras, len(w.kafka.versions)-1)
	w.gone = event.None
}

func (w *world) topicOf(era uint32) event.TopicID { return w.topics[era] }

func (w *world) unpublished(k *worker) bool {
	p, q := k.replica.Position(), &w.published[k.slot]
	return p.Positioned && (!q.ok || q.generation != k.generation || q.position != p)
}

func (w *world) publish(k *worker) {
	w.published[k.slot] = published{true, k.generation, k.replica.Position()}
	w.publishes++
}

// positions is what a fresh owner reads in shared memory.
func (w *world) positions() []replica.Published {
	var all []replica.Published
	for slot, q := range w.published {
		k := w.workers[slot]
		if !q.ok {
			continue
		}
		p := replica.Published{
			Live: k.alive && k.generation == q.generation,
			Era:  q.position.Era, Held: q.position.Held, Epoch: q.position.Epoch,
		}
		if w.broken == anyPosition {
			p.Live, p.Era = true, w.era.Number
		}
		all = append(all, p)
	}
	if p := w.peak; p.Era == w.era.Number && w.peaked {
		all = append(all, p)
	}
	return all
}
