package sim

import (
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

// part is one partition: the truth about it, and what stands in shared memory.
type part struct {
	world     *world
	index     int
	topic     int
	kafka     *kafka
	base      int64 // rule 3's b
	baseEra   uint32
	owner     event.Owner
	era       event.Era
	topics    []event.TopicID   // by era
	eras      []int             // the version that each era is of
	renamed   map[int]int       // versions that nobody had to hear of
	published []published       // by slot
	peak      replica.Published // the furthest of those whose slot has another worker now
	peaked    bool
	publishes int   // how often somebody published
	gone      int64 // ranges up to here were refused for good
}

// published is what a worker has in shared memory: the last whole position, and
// the half of the next that a death may leave.
type published struct {
	ok         bool
	generation uint32
	position   replica.Position
	stable     int64 // as the owner heard it last
	start      int64
	torn       bool
	next       replica.Position
}

func newPart(w *world, index int) *part {
	topic := index % w.plan.topics
	p := &part{world: w, index: index, topic: topic, kafka: newKafka(index, w.idOf(topic, 1)), gone: event.None, eras: []int{0}}
	p.published = make([]published, w.plan.workers)
	p.owner = event.Owner{Slot: event.Nobody}
	p.era = event.Era{Topic: p.kafka.now().topic, Epoch: event.NoEpoch}
	p.topics = []event.TopicID{p.era.Topic}
	return p
}

// seed fills the log as it is before anybody looks.
func (p *part) seed(x uint32) {
	v := p.kafka.now()
	for ; v.end() < int64(p.world.plan.seeded); p.kafka.produce(x) {
		x = mix(x + 1)
	}
	v.stable = v.end()
	p.base = min(p.world.plan.base, v.end())
}

// appear puts a partition into the table, that was added to the topic as it is.
func (p *part) appear() {
	now := p.world.parts[p.topic].kafka.now()
	p.kafka.now().topic, p.era.Topic, p.topics[0] = now.topic, now.topic, now.topic
}

// version is the one that an era is of.
func (p *part) version(era uint32) *version { return p.kafka.versions[p.eras[era]] }

// current tells whether the era record names the log as it is.
func (p *part) current() bool { return p.eras[p.era.Number] == len(p.kafka.versions)-1 }

// propose is the compare-and-set of the era record.
func (p *part) propose(k *worker, e event.Era) {
	if e.Number != p.era.Number+1 {
		return
	}
	v := p.kafka.now()
	if e.From != v.from || e.Topic != v.topic || e.Epoch != event.NoEpoch && e.Epoch != v.epochBefore(e.From) {
		p.world.fail("rule 12", "worker %d proposes %v, the log was cut at %d", k.slot, e, v.from)
	}
	p.era = e
	p.topics = append(p.topics, v.topic)
	p.eras = append(p.eras, len(p.kafka.versions)-1)
	p.gone = event.None
}

func (p *part) unpublished(l *local) bool {
	pos, q := l.replica.Position(), &p.published[l.slot()]
	return pos.Positioned && (!q.ok || q.torn || q.generation != l.worker.generation || q.position != pos)
}

// publish writes a position whole, or is interrupted halfway. Then the last
// whole one stays what is read.
func (p *part) publish(l *local, x uint32) {
	q := &p.published[l.slot()]
	if x>>22%8 == 0 && !q.torn {
		q.torn, q.next = true, l.replica.Position()
		return
	}
	p.publishes++
	*q = published{ok: true, generation: l.worker.generation, position: l.replica.Position(), stable: l.stable, start: l.start}
}

// read is what shared memory says of a slot.
func (p *part) read(slot int) (q published, live bool) {
	q, k := p.published[slot], p.world.workers[slot]
	if q.torn && p.world.broken == tornReads {
		q.ok, q.position.Held = true, q.next.Held
	}
	return q, k.alive && k.generation == q.generation
}

// positions is what a fresh owner reads in shared memory.
func (p *part) positions() []replica.Published {
	var all []replica.Published
	for slot := range p.published {
		q, live := p.read(slot)
		if !q.ok {
			continue
		}
		pos := replica.Published{Live: live, Era: q.position.Era, Held: q.position.Held, Epoch: q.position.Epoch}
		if p.world.broken == anyPosition {
			pos.Live, pos.Era = true, p.era.Number
		}
		all = append(all, pos)
	}
	if p.peaked && p.peak.Era == p.era.Number {
		all = append(all, p.peak)
	}
	return all
}

// beginAt is where an owner begins to fetch: behind what it holds.
func (p *part) beginAt(from int64) int64 {
	if p.world.broken == sharedMaximum {
		for _, q := range p.positions() {
			from = max(from, q.Held+1)
		}
	}
	return from
}

// bury keeps the furthest of what the dead have published.
func (p *part) bury(slot int) {
	q := p.published[slot]
	d := replica.Published{Era: q.position.Era, Held: q.position.Held, Epoch: q.position.Epoch}
	if !q.ok || d.Epoch == event.NoEpoch {
		return
	}
	if !p.peaked || d.Era > p.peak.Era || d.Era == p.peak.Era && (d.Epoch > p.peak.Epoch || d.Epoch == p.peak.Epoch && d.Held > p.peak.Held) {
		p.peaked, p.peak = true, d
	}
}

func (p *part) topicOf(era uint32) event.TopicID {
	return p.topics[min(int(era), len(p.topics)-1)]
}

// forget is what a restart of everything leaves: the log, and on disk the era
// record and the furthest that anybody held.
func (p *part) forget(x uint32) {
	for slot := range p.published {
		p.bury(slot)
	}
	if p.world.plan.nameless && x>>8%2 == 0 {
		p.swap(x)
	}
	v := p.kafka.now()
	clear(p.published)
	p.peak.Kept = true
	p.owner = event.Owner{Slot: event.Nobody}
	if p.world.broken == erasForgotten {
		p.era = event.Era{Topic: v.topic, Epoch: event.NoEpoch}
		p.eras, p.topics = []int{len(p.kafka.versions) - 1}, []event.TopicID{v.topic}
	}
	p.base, p.baseEra = v.stable, p.era.Number
	if x%4 == 0 {
		p.base = v.start
	}
}
