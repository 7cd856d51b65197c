package sim

import (
	"slices"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/resume"
)

// client is somebody who wants all records of some channels, comes back with a
// cursor, and holds what it is told against the truth.
type client struct {
	world   *world
	index   int
	wants   wanted     // as far as it was told that it gets that
	covered wanted     // before the last subscription
	past    int        // records of before it that are to come
	target  channelSet // what it is about to want
	legacy  bool       // it comes back with a last_offset
	seen    []belief   // by partition: the last record that it got
	slow    bool
	session *session // nil: not connected
	cursor  cursor   // as docs/RECOVERY.md has a client keep it
	known   []belief // by partition
	calm    bool     // it connected after all faults had ended

	replayed  int            // records that it got, or was told of, before the answer to its reconnect
	announced map[place]bool // records of which it was told since the last answer that they were dropped
	awaits    channelSet     // of which a newer record has to come
}

// cursor is what a client keeps: the epoch of each topic, and an offset for each
// partition.
type cursor struct {
	epochs  []string // "": it has nothing of the topic
	legacy  bool     // a last_offset: what it has no offset of is live from now
	offsets []int64
}

func (c *cursor) names(topic int) bool { return topic < len(c.epochs) && c.epochs[topic] != "" }

func (c *cursor) copy() cursor {
	return cursor{epochs: slices.Clone(c.epochs), offsets: slices.Clone(c.offsets)}
}

// wanted is which channels somebody wants, and from which topics they come.
type wanted struct {
	topics   uint8 // as bits
	channels channelSet
}

func (w wanted) topic(t int) bool { return w.topics>>t&1 != 0 }

func (w wanted) has(p *part, offset int64) bool { return w.topic(p.topic) && w.channels.has(offset) }

// belief is what a client was given of a partition: all that it wants up to an
// offset, as the log was, or it was told that some is lost.
type belief struct {
	version int
	at      int64
	open    bool // from what comes next on
	removed bool // the log has lost some of it, without being told yet
}

// channelSet is some of the channels, as bits.
type channelSet uint8

func (c channelSet) has(offset int64) bool { return c>>(offset&1)&1 != 0 }

func newClient(w *world, i int) *client {
	wants := wanted{topics: 1}
	if w.plan.topics > 1 {
		wants.topics = uint8(1 + (w.plan.seed>>8+uint64(i))%(1<<w.plan.topics-1))
	}
	return &client{world: w, index: i, wants: wants, target: channelSet(1 + (w.plan.seed>>3+uint64(i))%3), legacy: w.plan.legacy && i%2 == 0, slow: (w.plan.seed>>5+uint64(i))%3 == 0 || w.plan.fates != 0 && i%2 == 0}
}

// moveClient is what happens to a client.
func (w *world) moveClient(m move) {
	if len(w.clients) == 0 {
		return
	}
	c := w.clients[int(m.x)%len(w.clients)]
	switch m.op {
	case opConnect:
		c.connect(int(m.worker))
	case opCut:
		if c.session != nil {
			c.session.client = nil
			c.session = nil
		}
	case opPing:
		if c.session != nil {
			c.session.pings++
		}
	case opMore:
		if s := c.session; s != nil && c.wants.channels != 0 && s.live {
			s.subs = append(s.subs, subscribe{c.target, w.plan.last})
		}
	}
}

// connect opens a connection to the first worker that takes one.
func (c *client) connect(first int) bool {
	w := c.world
	if c.session != nil {
		return false
	}
	for i := range w.workers {
		k := w.workers[(first+i)%len(w.workers)]
		if !k.alive || k.frozen || !k.ready {
			continue
		}
		s := &session{worker: k, client: c}
		c.replayed, c.past, c.awaits = 0, 0, 0
		clear(c.announced)
		if c.cursor.epochs == nil || c.legacy && len(c.seen) == 0 {
			c.wants.channels = 0
			s.subs = []subscribe{{c.first(), w.plan.last}}
		} else {
			asked := c.asks()
			s.asked = &asked
		}
		s.wants = c.wants
		k.sessions = append(k.sessions, s)
		c.session, c.calm = s, w.calm
		w.note("client %d connects to %d with %v", c.index, k.slot, c.cursor)
		return true
	}
	return false
}

// comeBack has all clients connect that are not.
func (w *world) comeBack() (busy bool) {
	for _, c := range w.clients {
		busy = c.connect(c.index) || busy
	}
	return busy
}

// asksByOffset is a last_offset: the last records that it got, and no epoch.
func (c *client) asksByOffset() cursor {
	asked := cursor{legacy: true}
	for i := range c.world.parts[:c.world.table] {
		b := c.belief(i)
		if i < len(c.seen) && c.seen[i].at != event.None {
			*b = c.seen[i]
			asked.offsets = append(asked.offsets, b.at)
			continue
		}
		b.open = true
		asked.offsets = append(asked.offsets, event.None)
	}
	return asked
}

// first is what it subscribes to at first.
func (c *client) first() channelSet {
	if c.world.plan.last > 0 && c.index%2 == 0 {
		return c.target & -c.target
	}
	return c.target
}

func (c *client) fail(rule, format string, args ...any) {
	c.world.fail(rule, "client %d: "+format, append([]any{c.index}, args...)...)
}

// belief is what the client has of a partition. Of one that its cursor lacks all
// is owed.
func (c *client) belief(part int) *belief {
	for len(c.known) <= part {
		c.known = append(c.known, belief{at: event.None})
	}
	return &c.known[part]
}

func (c *client) receive(p *packet, content uint64) {
	c.world.received[p.kind]++
	if c.world.trace != nil {
		c.world.note("    client %d gets %s", c.index, p)
	}
	switch p.kind {
	case packetLatest:
		c.latest(p, content)
		return
	case packetRecord:
		c.record(p, content)
		return
	case packetGap:
		c.gap(p)
		return
	}
	c.believe(p)
	c.answered()
	if p.kind == packetSubscribed {
		c.covered, c.past = c.wants, p.history
		c.wants.channels |= p.granted
	}
	c.cursor = p.cursor.copy()
}

// asks is the cursor that a client comes back with: sometimes it has let a topic
// go, of which it wants what comes from now on.
func (c *client) asks() cursor {
	if c.legacy {
		return c.asksByOffset()
	}
	x := mix(uint32(c.world.time) + uint32(c.index))
	if t := int(x>>4) % len(c.cursor.epochs); x%4 == 0 && c.wants.topics != 1<<t && c.cursor.names(t) {
		c.cursor.epochs[t] = ""
		c.world.omitted++
	}
	for i, p := range c.world.parts[:c.world.table] {
		b := c.belief(i)
		b.open = c.wants.topic(p.topic) && !c.cursor.names(p.topic)
	}
	return c.cursor.copy()
}

// record is the next of a partition: not one twice, none left out, and what the
// log had.
func (c *client) record(p *packet, content uint64) {
	b := c.belief(p.part)
	if b.open {
		*b = belief{version: c.world.parts[p.part].as(p.version), at: p.offset - 1}
	}
	part := c.world.parts[p.part]
	v, doubt := part.kafka.versions[b.version], part.doubt(b.version)
	switch {
	case c.past > 0 && c.world.plan.fates == 0:
		c.fail("last", "gets %d of %d before %d of the past", p.offset, p.part, c.past)
	case p.offset <= b.at:
		c.fail("once and in order", "gets %d of %d behind %d", p.offset, p.part, b.at)
	case !v.has(p.offset, content) && !doubt.has(p.offset, content):
		c.fail("frame", "gets another record at %d of %d than the log has", p.offset, p.part)
	default:
		c.covers("nothing missing", p.part, p.offset-1)
		b.at = p.offset
		if doubt.past(p.offset) && !doubt.has(p.offset, content) {
			b.removed = true
			c.world.outdated++
		}
		c.replayed++
	}
	c.gets(p)
	c.sees(p.part, *b)
	c.advance(p.part, p.offset)
}

// advance is what a position does to the cursor.
func (c *client) advance(part int, offset int64) {
	for len(c.cursor.offsets) <= part {
		c.cursor.offsets = append(c.cursor.offsets, event.None)
	}
	c.cursor.offsets[part] = max(c.cursor.offsets[part], offset)
}

// sees notes a record as the last one that the client got of its partition.
func (c *client) sees(part int, b belief) {
	for len(c.seen) <= part {
		c.seen = append(c.seen, belief{at: event.None})
	}
	c.seen[part] = b
}

// covers holds that all up to an offset was given.
func (c *client) covers(rule string, part int, to int64) {
	b := c.belief(part)
	v := c.world.parts[part].kafka.versions[b.version]
	doubt := c.world.parts[part].doubt(b.version)
	if to >= v.end() && !doubt.past(to) {
		c.fail(rule, "is told of %d of %d, the log ended at %d", to, part, v.end())
		return
	}
	for o := b.at + 1; o <= to && !doubt.past(o); o++ {
		if e := &v.entries[o]; e.content != 0 && !e.compacted && c.wants.has(c.world.parts[part], o) && !c.announced[place{part, o}] {
			c.fail(rule, "was not given %d of %d, which (%d, %d] has", o, part, b.at, to)
			return
		}
	}
	b.at = max(b.at, to)
}

// believe takes a message with a cursor.
func (c *client) believe(p *packet) {
	if p.kind == packetResumed && !p.recovered {
		c.refused(p)
	}
	if p.kind == packetResumed && p.recovered {
		c.recovered(p)
	}
	for i, at := range p.cursor.offsets {
		b, part := c.belief(i), c.world.parts[i]
		version := part.as(p.versions[i])
		switch {
		case !c.wants.topic(part.topic):
		case p.kind == packetSubscribed && c.wants.channels == 0, p.kind == packetResumed && !p.recovered, b.open, p.told.lost && p.told.parts>>i&1 != 0:
			*b = belief{version: version, at: at}
		case b.at != event.None && !part.kafka.agrees(b.version, version, b.at):
			c.fail("recovered", "is told in %s that nothing was lost of %d, but what it has up to %d is not in the log", p, i, b.at)
		case at < b.at:
			c.fail("cursor", "is sent back from %d to %d of %d by %s", b.at, at, i, p)
		default:
			b.version = version
			c.covers("cursor", i, at)
		}
	}
}

// recovered holds that what is called so is of the epochs that were claimed, or
// that the client was told of since.
func (c *client) recovered(p *packet) {
	if p.replayed != c.replayed {
		c.fail("replayed", "got %d, and is told of %d", c.replayed, p.replayed)
	}
	for t, name := range p.cursor.epochs {
		if c.cursor.names(t) && !c.legacy && c.cursor.epochs[t] != name {
			c.fail("recovered", "is told so, but %s is %s by now", c.cursor.epochs[t], name)
		}
	}
	if c.world.plan.nameless {
		c.world.remembered++
	}
	if c.legacy {
		c.world.legacies++
	}
}

// refused holds that a resume was refused for a reason that is true, and that
// nothing was sent then.
func (c *client) refused(p *packet) {
	if c.replayed > 0 {
		c.fail("decided first", "is refused behind %d records", c.replayed)
	}
	trimmed, parted := c.world.plan.compacts, false
	excused := !c.calm || c.world.excused || c.world.plan.nameless || c.legacy
	for t, name := range p.cursor.epochs {
		parted = parted || c.cursor.names(t) && c.cursor.epochs[t] != name
	}
	for i, part := range c.world.parts[:c.world.table] {
		if !c.cursor.names(part.topic) {
			continue
		}
		b, last := c.belief(i), len(part.kafka.versions)-1
		for _, v := range part.kafka.versions {
			trimmed = trimmed || b.at+1 < v.start
		}
		parted = parted || !part.kafka.agrees(b.version, last, b.at)
	}
	switch {
	case p.reason == resume.Epoch && !parted, p.reason == resume.Trimmed && !trimmed, p.reason == resume.Unavailable && !excused:
		c.fail("reason", "is refused, as if %s: it is at %v", p.reason, c.known)
	}
}

// arrived is that the client is live, and was given all.
func (c *client) arrived() {
	if s := c.session; s == nil || !s.live {
		c.fail("progress", "never gets live again")
		return
	}
	for i, p := range c.world.parts[:c.world.table] {
		b := c.belief(i)
		if !c.wants.topic(p.topic) {
			continue
		}
		if !p.kafka.agrees(b.version, len(p.kafka.versions)-1, b.at) {
			c.fail("progress", "was never told that %d was cut", i)
			return
		}
		b.version = len(p.kafka.versions) - 1
		c.covers("progress", i, p.kafka.now().end()-1)
	}
}
