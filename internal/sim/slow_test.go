package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/wire"
)

// fate is what may become of a topic's records when a session is owed too much.
func (p *plan) fate(topic int) hub.Fate { return hub.Fate(p.fates >> (2 * topic) & 3) }

// owedTooMuch sheds what a slow session is owed, as its worker does, and tells
// whether that has helped.
func (s *session) owedTooMuch() bool {
	w := s.worker.world
	if w.plan.fates == 0 || s.owesEvicted() {
		return false
	}
	o := owing{session: s, was: slices.Clone(s.queue)}
	o.put()
	ok := o.queue.Shed(&hub.Shedding{
		Target: o.queue.Bytes / 2, Limit: o.queue.Bytes / 4 * 3, Look: o.look,
		Judge: func(topic []byte) hub.Fate { return w.plan.fate(int(topic[0] - 'a')) },
	})
	o.readBack()
	o.check()
	w.sheds++
	w.note("    %d sheds %d of %d: %t", s.worker.slot, len(o.dropped), len(o.was), ok)
	return ok
}

// owing is a session's queue in the form in which it is shed.
type owing struct {
	session *session
	was     []packet // what was owed before
	queue   hub.Queue
	history []byte
	at      map[uint32]int // by where a record's frame lies: which of was it is
	answers []int          // of was
	dropped []int          // of was: records, and notices of before
	fresh   []bool         // by dropped: it was announced anew
}

// put makes the queue. What is written in part already goes on.
func (o *owing) put() {
	o.at = map[uint32]int{}
	for i := range o.was {
		switch p := &o.was[i]; p.kind {
		case packetRecord, packetLatest:
			from := len(o.history)
			o.history = wire.AppendRecord(o.history, channelOf(p.offset), o.partition(p.part), p.offset, 1, []byte(`"`+strings.Repeat("x", 60+int(p.offset%7)*30)+`"`))
			o.at[uint32(from)] = i
			o.queue.Attach(hub.Piece{Off: uint32(from), Len: uint32(len(o.history) - from)})
		case packetGap:
			o.queue.Say(func(dst []byte) []byte {
				return wire.AppendGap(dst, channelOf(p.dropped[0].offset), uint64(len(p.dropped)), o.partition(p.part), p.offset)
			})
		default:
			o.answers = append(o.answers, i)
			o.queue.Say(func(dst []byte) []byte { return wire.AppendPong(dst, nil, 1, []byte("{}")) })
		}
	}
	if o.session.half {
		o.queue.Written(1, o.look)
	}
}

// partition names one; the topic's name is a letter.
func (o *owing) partition(part int) event.Partition {
	return event.Partition{Topic: string(rune('a' + o.session.worker.world.parts[part].topic)), Number: int32(part)}
}

func (o *owing) look(p hub.Piece) []byte {
	if p.Chunk == hub.Own {
		return o.queue.Own[p.Off : p.Off+p.Len]
	}
	return o.history[p.Off : p.Off+p.Len]
}

// readBack makes packets of what is left. The first stands for its rest, if a
// part of it was written.
func (o *owing) readBack() {
	left, frames := o.frames()
	stays := map[int]bool{}
	for _, i := range left {
		stays[i] = true
	}
	for i := range o.was {
		if !stays[i] {
			o.dropped = append(o.dropped, i)
		}
	}
	o.fresh = make([]bool, len(o.dropped))
	o.session.queue = nil
	for n, i := range left {
		if i < 0 {
			o.session.queue = append(o.session.queue, o.announced(frames[n]))
			continue
		}
		o.before(i)
		o.session.queue = append(o.session.queue, o.was[i])
	}
}

// frames is which of the packets are left, in order; -1: a notice, by its head.
func (o *owing) frames() (left []int, heads []wire.Head) {
	answers := o.answers
	if o.session.half {
		left, heads = append(left, 0), append(heads, wire.Head{})
		if len(answers) > 0 && answers[0] == 0 {
			answers = answers[1:]
		}
	}
	for n, p := range o.queue.Pieces {
		if n == 0 && o.session.half {
			rest := o.restOfFirst()
			p.Off, p.Len = p.Off+rest, p.Len-rest
		}
		for b := o.look(p); len(b) > 0; {
			size := uint32(wire.FrameSize(b))
			head, ok := wire.ReadHead(b[:size])
			switch {
			case p.Chunk != hub.Own:
				left = append(left, o.at[p.Off])
			case ok:
				left = append(left, -1)
			default:
				left, answers = append(left, answers[0]), answers[1:]
			}
			heads = append(heads, head)
			p.Off, b = p.Off+size, b[size:]
		}
	}
	return left, heads
}

// restOfFirst is how many bytes are left of the frame of which one was written.
func (o *owing) restOfFirst() uint32 {
	p := o.queue.Pieces[0]
	p.Off, p.Len = p.Off-1, p.Len+1
	return uint32(wire.FrameSize(o.look(p))) - 1
}

// announced is the notice of a head, with what it is about, which no client is
// told: the oldest of the partition's channel that were not announced yet.
func (o *owing) announced(h wire.Head) packet {
	p := packet{kind: packetGap, part: int(h.Partition), offset: h.Offset}
	for n, i := range o.dropped {
		q := &o.was[i]
		if uint64(len(p.dropped)) >= h.Dropped || o.fresh[n] || q.part != p.part || string(q.channel()) != string(h.Channel) {
			continue
		}
		o.fresh[n] = true
		if q.kind == packetGap {
			p.dropped = append(p.dropped, q.dropped...)
		} else {
			p.dropped = append(p.dropped, *q)
		}
	}
	if uint64(len(p.dropped)) != h.Dropped {
		o.fail("%d of %s are announced of %d, and %d are dropped", h.Dropped, h.Channel, p.part, len(p.dropped))
	}
	return p
}

// channel is a record's, or that of those that a notice is about.
func (p *packet) channel() []byte {
	if p.kind == packetGap {
		return channelOf(p.dropped[0].offset)
	}
	return channelOf(p.offset)
}

func (o *owing) fail(format string, args ...any) {
	o.session.worker.world.fail("gap", format, args...)
}

// before holds what has to be announced before a packet that stays: all that was
// dropped of a record's partition or channel, and before an answer all.
func (o *owing) before(i int) {
	p := &o.was[i]
	record := p.kind == packetRecord || p.kind == packetLatest
	for n, d := range o.dropped {
		q := &o.was[d]
		if d < i && !o.fresh[n] && (!record || q.part == p.part || string(q.channel()) == string(p.channel())) {
			o.fail("%s is dropped, and not announced before %s", q, p)
		}
	}
}

// check holds that what was dropped was what had to go first, and is announced.
func (o *owing) check() {
	if i := slices.Index(o.fresh, false); i >= 0 {
		o.fail("%s is dropped, and not announced", &o.was[o.dropped[i]])
	}
	for _, d := range o.dropped {
		if o.was[d].kind == packetGap {
			continue
		}
		switch f := o.fate(d); f {
		case hub.Keep:
			o.fail("%s is dropped, which its route keeps", &o.was[d])
		case hub.Conflate:
			o.checkNewer(d)
		default:
			o.checkOldest(d, f)
		}
	}
}

func (o *owing) fate(i int) hub.Fate {
	w := o.session.worker.world
	return w.plan.fate(w.parts[o.was[i].part].topic)
}

// checkNewer holds that of a conflated channel the newest stays.
func (o *owing) checkNewer(d int) {
	for i := d + 1; i < len(o.was); i++ {
		if p := &o.was[i]; (p.kind == packetRecord || p.kind == packetLatest) && o.fate(i) == hub.Conflate && string(p.channel()) == string(o.was[d].channel()) && !slices.Contains(o.dropped, i) {
			return
		}
	}
	o.fail("%s is dropped, and nothing newer of its channel stays", &o.was[d])
}

// checkOldest holds that nothing older stays that may be dropped, and nothing
// that ranks lower.
func (o *owing) checkOldest(d int, f hub.Fate) {
	for i := range o.was {
		if p := &o.was[i]; p.kind != packetRecord && p.kind != packetLatest || i == 0 && o.session.half || slices.Contains(o.dropped, i) {
			continue
		}
		if g := o.fate(i); g == f && i < d || f == hub.DropHigh && g == hub.DropNormal {
			o.fail("%s is dropped, while %s stays", &o.was[d], &o.was[i])
		}
	}
}

// gap is a notice that some records of a channel were dropped.
func (c *client) gap(p *packet) {
	b, part := c.belief(p.part), c.world.parts[p.part]
	for i := range p.dropped {
		d := &p.dropped[i]
		if d.kind == packetLatest {
			c.past--
			continue
		}
		if b.open {
			*b = belief{version: part.as(d.version), at: d.offset - 1}
		}
		if doubt := part.doubt(b.version); doubt.past(d.offset) && !doubt.has(d.offset, d.content) {
			b.removed = true
			c.world.outdated++
		}
		c.announce(p.part, d.offset)
		c.replayed++
	}
	if c.world.plan.fate(part.topic) == hub.Conflate {
		c.awaits |= setOf(p.channel())
	}
	if p.offset != event.None && !b.open {
		c.covers("gap", p.part, p.offset)
	}
	c.advance(p.part, p.offset)
}

// announce notes that a record is not coming.
func (c *client) announce(part int, offset int64) {
	if c.announced == nil {
		c.announced = map[place]bool{}
	}
	at := place{part, offset}
	if c.announced[at] {
		c.fail("gap", "is told twice that %d of %d was dropped", offset, part)
	}
	c.announced[at] = true
}

// place is an offset of a partition.
type place struct {
	part   int
	offset int64
}

func setOf(channel []byte) channelSet {
	return channelSet(1) << slices.IndexFunc(channels[:], func(c []byte) bool { return string(c) == string(channel) })
}

// gets notes a record of a channel, of which an older one may have been dropped
// for it.
func (c *client) gets(p *packet) {
	if c.announced[place{p.part, p.offset}] && p.kind == packetRecord {
		c.fail("gap", "gets %d of %d, which was announced as dropped", p.offset, p.part)
	}
	if c.world.plan.fate(c.world.parts[p.part].topic) == hub.Conflate {
		c.awaits &^= setOf(p.channel())
	}
}

// rests holds that it was given the newest of a conflated channel, once nothing
// is owed any more.
func (c *client) rests() {
	if c.awaits != 0 {
		c.fail("gap", "was not given the newest of channels %b", c.awaits)
	}
}

// answered holds what is over with an answer: behind it nothing is announced that
// came before.
func (c *client) answered() {
	if c.past != 0 {
		c.fail("last", "gets an answer before %d of the past", c.past)
	}
	clear(c.announced)
}

// String gives what a notice is about.
func gapText(p *packet) string {
	var offsets []string
	for i := range p.dropped {
		offsets = append(offsets, fmt.Sprint(p.dropped[i].offset))
	}
	return fmt.Sprintf("gap of %d at %d: %s", p.part, p.offset, strings.Join(offsets, " "))
}
