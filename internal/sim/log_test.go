package sim

import (
	"iter"

	"github.com/odin-ws/odin/internal/event"
)

// kafka is the truth: a partition as it is now, and as it was before each
// truncation and each new incarnation.
type kafka struct {
	versions []*version
	contents uint64 // the last content given out
}

// version is the partition between two such events.
type version struct {
	entries []entry // by offset
	start   int64   // log start
	stable  int64   // last stable offset: the next one that read_committed does not give
	epoch   int32   // of the leader now
	topic   event.TopicID
	from    int64 // the first offset that differs from the version before
}

// entry is what an offset holds.
type entry struct {
	content   uint64 // unique; 0: nothing that sessions could be given
	epoch     int32
	compacted bool // was there once, and may be missing from what is read later
}

// newKafka makes an empty log, whose contents no other log has.
func newKafka(index int, id event.TopicID) *kafka {
	return &kafka{versions: []*version{{topic: id}}, contents: uint64(index) << 32}
}

func (k *kafka) now() *version { return k.versions[len(k.versions)-1] }

func (v *version) end() int64 { return int64(len(v.entries)) }

// endOf is the first offset of a leader epoch above the given one
// (OffsetForLeaderEpoch).
func (v *version) endOf(epoch int32) int64 {
	end := v.end()
	for end > 0 && v.entries[end-1].epoch > epoch {
		end--
	}
	return end
}

func (v *version) epochBefore(offset int64) int32 {
	if offset < 1 || offset > v.end() {
		return event.NoEpoch
	}
	return v.entries[offset-1].epoch
}

// epochShared is the leader epoch of what lies before where this log parts from
// one whose last record was of an epoch. A source only tells it if it is the same.
func (v *version) epochShared(epoch int32, parts int64) int32 {
	if v.epochBefore(parts) != epoch {
		return event.NoEpoch
	}
	return epoch
}

// produce appends up to four entries; some are control records, aborted, or of
// a form that no route places.
func (k *kafka) produce(x uint32) {
	v := k.now()
	if x%16 == 0 {
		v.epoch++
	}
	for n := x>>4%4 + 1; n > 0; n-- {
		x = mix(x)
		e := entry{epoch: v.epoch}
		if x%4 != 0 {
			k.contents++
			e.content = k.contents
		}
		v.entries = append(v.entries, e)
	}
	if x>>8%4 != 0 {
		v.stable = v.end()
	}
}

// retain moves the log start.
func (v *version) retain(x uint32) {
	if v.stable > v.start {
		v.start += 1 + int64(x)%(v.stable-v.start)
	}
}

// compact takes a record away, from the log as it was too: who reads it late
// does not know yet that it was truncated.
func (k *kafka) compact(x uint32) {
	v := k.now()
	if v.stable <= 1 {
		return
	}
	at := int64(x) % (v.stable - 1)
	for _, u := range k.versions {
		if at < u.end() && u.entries[at].content == v.entries[at].content {
			u.entries[at].compacted = true
		}
	}
}

// truncate ends the log at an offset: an unclean election.
func (k *kafka) truncate(at int64) {
	old := k.now()
	v := *old
	v.entries = append([]entry(nil), old.entries[:at]...)
	v.stable, v.start, v.from = min(v.stable, at), min(v.start, at), at
	v.epoch++
	k.versions = append(k.versions, &v)
}

// recreate makes the topic anew.
func (k *kafka) recreate(id event.TopicID) {
	k.versions = append(k.versions, &version{topic: id})
}

// agrees tells whether two versions are the same log up to an offset.
func (k *kafka) agrees(a, b int, upTo int64) bool {
	for i := min(a, b) + 1; i <= max(a, b); i++ {
		if k.versions[i].topic != k.versions[i-1].topic || k.versions[i].from <= upTo {
			return false
		}
	}
	return true
}

// retain moves the log start: while a truncation was not noticed yet, not beyond
// it. Nothing that could still tell of it would be left, nor anybody whom it
// concerns.
func (p *part) retain(x uint32) {
	v := p.kafka.now()
	v.retain(x)
	if !p.current() {
		v.start = min(v.start, v.from)
	}
}

// truncate cuts a partition's log. It is only told by leader epochs, so
// everybody, dead or alive, knows that of what it holds; and only noticed if
// somebody published what it removes, which is so of all that a client was given.
func (p *part) truncate(x uint32) {
	if p.resolve(); !p.world.plan.eras || !p.current() {
		return
	}
	furthest, untold := event.None, event.None
	if p.world.plan.unheard {
		untold = p.base - 1 // who begins there knows no leader epoch
	}
	for _, k := range p.world.workers {
		q := &p.published[k.slot]
		switch {
		case p.world.plan.unheard:
			untold = max(untold, p.untold(k))
		case k.alive && !p.tells(k) || q.ok && q.position.Epoch == event.NoEpoch:
			return
		}
		if q.ok && q.position.Era == p.era.Number {
			furthest = max(furthest, q.position.Held)
		}
		if p.world.plan.unheard {
			furthest = max(furthest, p.heldBy(k))
		}
	}
	for _, c := range p.world.clients {
		switch b := c.belief(p.index); {
		case b.version != len(p.kafka.versions)-1:
		case b.at > furthest: // nobody is left who could tell
			untold = max(untold, b.at)
		default:
			furthest = max(furthest, b.at)
		}
	}
	v := p.kafka.now()
	furthest = min(furthest, v.end()-1)
	if least := max(v.from, v.start, untold) + 1; least <= furthest {
		least = max(least, p.unpublishedFrom(furthest))
		p.cut(least+int64(x)%(furthest+1-least), x)
	}
}

func (p *part) cut(at int64, x uint32) {
	old := len(p.kafka.versions) - 1
	for _, k := range p.world.workers {
		if q := &p.published[k.slot]; p.heldBy(k) >= at && q.position.Held < at {
			p.world.unheard++
			k.frozen = k.frozen || x>>20%4 != 0
		}
	}
	p.kafka.truncate(at)
	for _, c := range p.world.clients {
		b := c.belief(p.index)
		b.removed = b.removed || b.version == old && b.at >= at
	}
}

// unpublishedFrom is where what some worker holds and has not published begins, or
// event.None.
func (p *part) unpublishedFrom(furthest int64) int64 {
	from := event.None
	for _, k := range p.world.workers {
		if q := &p.published[k.slot]; p.world.plan.unheard && q.ok && p.heldBy(k) > q.position.Held && q.position.Held < furthest {
			from = max(from, q.position.Held+1)
		}
	}
	return from
}

// heldBy is what a worker holds, published or not.
func (p *part) heldBy(k *worker) int64 {
	if !k.alive || len(k.locals) <= p.index {
		return event.None
	}
	if pos := k.locals[p.index].replica.Position(); pos.Positioned && pos.Era == p.era.Number {
		return pos.Held
	}
	return event.None
}

// untold is how far a worker holds, or held, what it knows no leader epoch of.
func (p *part) untold(k *worker) int64 {
	to := event.None
	if q := &p.published[k.slot]; q.ok && q.position.Epoch == event.NoEpoch {
		to = q.position.Held
	}
	if k.alive && len(k.locals) > p.index {
		if pos := k.locals[p.index].replica.Position(); pos.Positioned && pos.Epoch == event.NoEpoch {
			to = max(to, pos.Held)
		}
	}
	return to
}

// tells whether a worker knows the leader epoch of what it holds, and has
// published that.
func (p *part) tells(k *worker) bool {
	if len(k.locals) <= p.index {
		return false
	}
	pos := k.locals[p.index].replica.Position()
	return pos.Positioned && pos.Epoch != event.NoEpoch && p.published[k.slot].ok
}

// recreate makes a topic anew, with all its partitions. Without ids it is only
// told from what it was by a start of everything.
func (w *world) recreate(topic int) {
	if !w.plan.eras || w.plan.nameless {
		return
	}
	versions := 0
	for p := range w.partsOf(topic) {
		if p.resolve(); !p.current() {
			return
		}
		versions += len(p.kafka.versions)
	}
	for p := range w.partsOf(topic) {
		p.kafka.recreate(w.idOf(topic, versions+1))
	}
}

// partsOf gives the partitions of a topic.
func (w *world) partsOf(topic int) iter.Seq[*part] {
	return func(yield func(*part) bool) {
		for _, p := range w.parts[:w.table] {
			if p.topic == topic && !yield(p) {
				return
			}
		}
	}
}

// idOf is the id of a topic's incarnation.
func (w *world) idOf(topic, incarnation int) event.TopicID {
	if w.plan.nameless {
		return event.TopicID{}
	}
	return event.TopicID{byte(incarnation), byte(incarnation >> 8), byte(topic)}
}

// swap makes the log anew while nobody runs who could tell.
func (p *part) swap(x uint32) {
	p.kafka.recreate(event.TopicID{})
	p.kafka.produce(x)
	p.eras[p.era.Number] = len(p.kafka.versions) - 1
	p.peaked = false
}

// read appends what a fetch of [from, to] gives.
func (v *version) read(dst []record, from, to int64) []record {
	for o := from; o <= to; o++ {
		if e := &v.entries[o]; e.content != 0 && !e.compacted {
			dst = append(dst, record{offset: o, content: e.content, epoch: e.epoch})
		}
	}
	return dst
}

// record is a record on its way.
type record struct {
	offset  int64
	content uint64
	epoch   int32
}

// mix derives another number from one, for moves that need several.
func mix(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	return x ^ x>>16
}
