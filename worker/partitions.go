package worker

import (
	"encoding/binary"
	"log/slog"
	"slices"

	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// partition is one replica and what the worker knows around it.
type partition struct {
	index   int
	name    event.Partition
	topic   *topic
	replica *replica.Replica

	ends    resume.Ends
	past    *backfill.Past // what lies below the history, as far as somebody needed it
	filling bool           // stands in process.filling

	changed bool // its position is to be published at the end of the turn
	waiting bool // stands in process.waiting: has something to apply

	stable, high, logStart int64 // of the log of this era; event.None: not heard yet
	caughtUpNS             int64
}

// mark is the last record that it holds, and so what its past is the past of.
func (pt *partition) mark() kafka.Mark {
	pos := pt.replica.Position()
	return kafka.Mark{Topic: pt.replica.Era().Topic, Offset: pos.Held, Epoch: pos.Epoch}
}

// topic is one topic and its partitions by number.
type topic struct {
	name    string
	event   string // of all its records' channels
	id      event.TopicID
	named   event.TopicID // what epochs are named by
	parts   []*partition
	offsets []int64 // scratch of cursors
}

// learnPartitions makes replicas of the partitions that are new in the table.
// They begin at their base where sessions wait for them (rule 14), and fresh
// while this worker still starts (rule 4).
func (p *process) learnPartitions() {
	version := p.segment.TopologyVersion()
	for i := len(p.partitions); i < p.segment.Partitions(); i++ {
		p.learn(i)
	}
	if version != p.topology && p.serving() && p.topology != 0 {
		p.tellTopology()
	}
	p.topology = version
}

func (p *process) learn(i int) {
	name, base := p.segment.Partition(i)
	t := p.topicNamed(name.Topic)
	era := p.segment.Era(i)
	p.identify(t, era.Topic)
	pt := &partition{
		index: i, name: name, topic: t, changed: true,
		past:   backfill.New(p.pastStore),
		stable: event.None, high: event.None, logStart: event.None,
	}
	pt.replica = replica.New(replica.Config{
		Partition: i, Slot: p.slot, Generation: p.generation, Base: base, BaseEra: p.segment.FirstEra(i), Era: era,
		FromBase: p.serving(),
	}, p.store)
	for len(t.parts) <= int(name.Number) {
		t.parts = append(t.parts, nil)
	}
	t.parts[name.Number] = pt
	p.partitions = append(p.partitions, pt)
	p.lackEarlierEras(pt, era)
	if !slices.Contains(p.fresh, t) {
		p.fresh = append(p.fresh, t)
	}
	for peer := range p.links {
		if p.links[peer] != nil {
			p.carryOut(pt, pt.replica.LinkUp(p.effects(), peer))
		}
	}
	p.refresh(pt)
}

// lackEarlierEras tells the sessions that a new partition, that is in a later era
// already, is read from there: what the log has of before was given to others'.
func (p *process) lackEarlierEras(pt *partition, era event.Era) {
	if p.serving() && era.Number > p.segment.FirstEra(pt.index) {
		p.resetPartition(pt, &replica.Effect{Reason: replica.Epoch, To: era.From - 1, Lost: true})
	}
}

// topicNamed finds a topic that has a route; they are few.
func (p *process) topicNamed(name string) *topic {
	for i := range p.topics {
		if p.topics[i].name == name {
			return &p.topics[i]
		}
	}
	p.log.Error("a partition is of a topic without a route: a defect of Odin, please report it", "topic", name)
	return &topic{name: name}
}

// identify takes a topic's incarnation. Where brokers have no ids nothing tells
// whether a topic was made anew while odind was down, so epochs have a name of
// this start's own there (rule 17).
func (p *process) identify(t *topic, id event.TopicID) {
	t.id, t.named = id, id
	if id == (event.TopicID{}) {
		binary.BigEndian.PutUint64(t.named[len(id)-8:], p.segment.Process().Run())
	}
}

// tellTopology tells the sessions that can match the new partitions, before
// the first record of them.
func (p *process) tellTopology() {
	p.tellResets() // what is lost: the cursors below have it behind them
	for _, t := range p.fresh {
		p.reset(t, shm.ResetsTopology, wire.ResetTopology, false)
	}
	p.fresh = p.fresh[:0]
}

// refresh gives the replica the owner word and the era record, as they are
// read just before any input (rules 2 and 11).
func (p *process) refresh(pt *partition) {
	if e := p.segment.EraNumber(pt.index); e != pt.replica.Position().Era {
		era := p.segment.Era(pt.index)
		p.identify(pt.topic, era.Topic)
		pt.stable, pt.high, pt.logStart = event.None, event.None, event.None // of a log that is another one now, or was longer
		p.carryOut(pt, pt.replica.EraChanged(p.effects(), era))
	}
	if o := p.segment.Owner(pt.index); o != pt.replica.Owner() {
		p.carryOut(pt, pt.replica.OwnerChanged(p.effects(), o))
	}
}

// effects lends the list that a replica's step appends to. Steps nest (an
// effect may be answered at once), so each takes a list of its own.
func (p *process) effects() []replica.Effect {
	if last := len(p.effectLists) - 1; last >= 0 {
		fx := p.effectLists[last]
		p.effectLists = p.effectLists[:last]
		return fx[:0]
	}
	return make([]replica.Effect, 0, 16)
}

// carryOut does what a replica's step asked for, in order.
func (p *process) carryOut(pt *partition, fx []replica.Effect) {
	pt.changed = true
	clear(p.cursors)
	for i := range fx {
		p.carry(pt, &fx[i])
	}
	p.effectLists = append(p.effectLists, fx)
	p.expectApply(pt)
}

func (p *process) expectApply(pt *partition) {
	if !pt.waiting && pt.replica.Waiting() {
		pt.waiting = true
		p.waiting = append(p.waiting, pt)
	}
}

func (p *process) carry(pt *partition, e *replica.Effect) {
	switch e.Kind {
	case replica.Fetch:
		p.debugOn(pt, "fetch", slog.Int64("from", e.From), slog.Uint64("term", uint64(e.Term)))
		// The replica's own incarnation: another partition of the topic may
		// have met the next one already.
		tag := kafka.Tag{Index: pt.index, Term: e.Term, Era: e.Era, Topic: pt.replica.Era().Topic}
		p.source.Assign(pt.name, tag, e.From, e.Epoch)
	case replica.StopFetch:
		p.source.Revoke(pt.name)
	case replica.SendSeek:
		p.sendSeek(e.Peer, e.Seek)
	case replica.Wake:
		p.wakeLink(e.Peer, pt)
	case replica.AskPublished:
		p.carryOut(pt, pt.replica.PeerPublished(p.effects(), p.published(pt)))
	case replica.ReadRange:
		p.readRange(pt, *e)
	case replica.Compare:
		p.compare(pt, *e)
	case replica.ProposeEra:
		p.proposeEra(pt, e.NewEra)
	case replica.Drain:
		p.applyAll(pt)
	case replica.Reset:
		p.resetPartition(pt, e)
	case replica.Count:
		p.countEffect(pt, e)
	}
}

// published collects what all incarnations of all workers said last (rules 5
// and 12), those of before this start too. It is valid until the next call.
func (p *process) published(pt *partition) []replica.Published {
	all := p.positions[:0]
	for i := range p.segment.Layout().Slots {
		slot := p.segment.Slot(i)
		pos, ok := slot.Position(pt.index)
		if !ok || !pos.Positioned {
			continue
		}
		live := i != p.slot && slot.State() != shm.Gone && pos.Generation == slot.Generation()
		all = append(all, replica.Published{Live: live, Era: pos.Era, Held: pos.Held, Epoch: pos.Epoch})
	}
	if mark, ok := p.segment.Furthest(pt.index); ok {
		all = append(all, replica.Published{Era: mark.Era, Held: mark.Held, Epoch: mark.Epoch})
	}
	if mark, ok := p.segment.Kept(pt.index); ok {
		all = append(all, replica.Published{Kept: true, Era: mark.Era, Held: mark.Held, Epoch: mark.Epoch})
	}
	p.positions = all
	return all
}

func (p *process) proposeEra(pt *partition, e event.Era) {
	won := p.mine.ProposeEra(pt.index, e)
	p.debugOn(pt, "a new era", slog.Uint64("era", uint64(e.Number)), slog.Int64("from", e.From), slog.Bool("won", won))
	p.refresh(pt) // the siblings compare at their next message or tick
}

// publish writes the positions that have changed into the segment.
func (p *process) publish() {
	for _, pt := range p.partitions {
		if !pt.changed {
			continue
		}
		pt.changed = false
		pos := pt.replica.Position()
		if !pos.Positioned {
			continue // what the slot's last worker published may still be needed (rule 5)
		}
		p.mine.PublishPosition(pt.index, shm.Position{
			Era: pos.Era, Epoch: pos.Epoch, Held: pos.Held, Applied: pos.Applied, From: pos.From,
			Stable: pt.stable, High: pt.high, LogStart: pt.logStart, CaughtUpNS: pt.caughtUpNS,
			Term: pt.replica.Owner().Term, Generation: p.generation,
			Positioned: true, Owned: pt.replica.Owns(),
		})
	}
}

// positioned tells whether the worker knows its place in every partition of a
// known topology: only then does it take clients (rule 4).
func (p *process) positioned() bool {
	if p.topology == 0 {
		return false
	}
	for _, pt := range p.partitions {
		if !pt.replica.Position().Positioned {
			return false
		}
	}
	return true
}
