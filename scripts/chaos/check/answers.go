package check

import (
	odin "github.com/odin-ws/odin/clients/go"
)

// set puts a stream to where a cursor's entry says.
func (w *walk) set(topic string, c odin.TopicCursor) {
	p := &place{epoch: c.Epoch, incarnation: w.log.incarnation(c.Epoch)}
	if p.incarnation == nil || p.incarnation.Topic != topic {
		w.fault(Unfit, odin.Pos{Topic: topic}, "has an epoch that it never had: %s", c.Epoch)
		delete(w.topics, topic)
		return
	}
	for i, offset := range c.Offsets {
		p.parts = append(p.parts, part{
			pos: int64(offset), next: behind(p.incarnation.entries(i), int64(offset)), vague: offset == odin.Unproven,
		})
	}
	w.topics[topic] = p
}

// offer begins a resume: from here on the stream is where the client says.
func (w *walk) offer(n *Note) {
	w.topics = map[string]*place{}
	for topic, c := range n.Cursor {
		w.set(topic, c)
	}
	w.resuming, w.offered, w.replayed, w.sound = true, n.Cursor, 0, len(w.faults)
}

func (w *walk) subscribed(n *Note) {
	for topic, c := range n.Cursor {
		w.set(topic, c)
	}
	w.joined = true
	w.remembers, w.history = n.History, nil
}

func (w *walk) resumed(n *Note) {
	w.resuming, w.joined = false, true
	broken := len(w.faults) > w.sound
	if n.Replayed != w.replayed {
		w.fault(Misannounced, odin.Pos{}, "messages_replayed is %d, but %d came or were announced as dropped", n.Replayed, w.replayed)
	}
	if !n.Recovered {
		w.notRecovered(n)
		return
	}
	if broken {
		w.fault(FalselyRecovered, odin.Pos{}, "said behind what is wrong since the reconnect")
	}
	for topic, c := range n.Cursor {
		offered, ok := w.offered[topic]
		switch {
		case !ok:
			w.set(topic, c)
		case offered.Epoch != c.Epoch:
			w.fault(FalselyRecovered, odin.Pos{Topic: topic}, "the cursor was of epoch %s, the stream is of %s", offered.Epoch, c.Epoch)
			w.set(topic, c)
		default:
			w.advance(topic, c, FalselyRecovered)
		}
	}
}

// notRecovered wants a reason that is one, and that nothing was replayed.
func (w *walk) notRecovered(n *Note) {
	if w.replayed > 0 {
		w.fault(Unfit, odin.Pos{}, "recovered:false behind %d records", w.replayed)
	}
	founded := n.Reason == "unavailable" || n.Reason == "limit"
	for topic, c := range n.Cursor {
		offered, ok := w.offered[topic]
		i := w.log.incarnation(c.Epoch)
		switch {
		case !ok || i == nil:
		case n.Reason == "epoch":
			// The partitions of a topic that was made anew meet it one by one.
			founded = founded || offered.Epoch != c.Epoch && w.log.loses(n.Reason, topic)
		case n.Reason == "trimmed":
			founded = founded || i.Compacted || i.Trimmed
		}
		w.set(topic, c)
	}
	if !founded {
		w.fault(Unfounded, odin.Pos{}, "recovered:false (%s), but nothing of the kind had happened", n.Reason)
	}
}

// confirm takes a cursor that moves nothing: all that it covers was sent.
func (w *walk) confirm(c odin.Cursor) {
	for topic, entry := range c {
		switch p := w.topics[topic]; {
		case p == nil:
			w.set(topic, entry)
		case p.epoch != entry.Epoch:
			w.fault(Unfit, odin.Pos{Topic: topic}, "went from epoch %s to %s, and no reset said so", p.epoch, entry.Epoch)
			w.set(topic, entry)
		default:
			w.advance(topic, entry, Missing)
		}
	}
}

// advance moves a topic's places to those of a cursor of the same epoch.
func (w *walk) advance(topic string, c odin.TopicCursor, class Class) {
	p := w.topics[topic]
	for i, offset := range c.Offsets {
		part := p.part(i)
		pos := odin.Pos{Topic: topic, Partition: i, Offset: int64(offset)}
		switch {
		case offset == odin.Unproven:
			part.vague = true
		case int64(offset) < part.pos && !part.vague:
			w.fault(Misannounced, pos, "is an answer's cursor, but the stream was at %d", part.pos)
		default:
			w.pass(p, pos, int64(offset), class)
		}
		w.settled(part, pos)
	}
}

// settled wants all that was announced as dropped to have been met.
func (w *walk) settled(part *part, pos odin.Pos) {
	for channel, n := range part.told {
		if n > 0 {
			w.fault(Misannounced, pos, "%d more of %s were announced as dropped than are missing", n, w.names.Channels[channel])
		}
	}
	part.told = nil
}

// reset moves a stream. Its cursor has every topic of the session, but only
// those may lose something of which records were lost: made anew, or trimmed.
// The log of a run never loses what was committed in another way.
func (w *walk) reset(n *Note) {
	founded := !n.Lost
	for topic, c := range n.Cursor {
		p := w.topics[topic]
		switch loses := n.Lost && w.log.loses(n.Reason, topic); {
		case p == nil, p.incarnation != w.log.incarnation(c.Epoch), loses:
			founded = founded || loses
			w.set(topic, c)
		default:
			p.epoch = c.Epoch
			w.advance(topic, c, Missing)
		}
	}
	if !founded {
		w.fault(Unfounded, odin.Pos{}, "reset %s with loss, but nothing of the kind had happened", n.Reason)
	}
}

func (w *walk) gap(n *Note) {
	p := w.topics[n.Pos.Topic]
	if p == nil {
		w.fault(Unfit, n.Pos, "gap in a topic without a cursor")
		return
	}
	if w.resuming { // they are of the replay, too
		w.replayed += int(n.Dropped)
	}
	part := p.part(n.Pos.Partition)
	if part.told == nil {
		part.told = map[uint32]uint64{}
	}
	for i, channel := range w.names.Channels {
		if channel == n.Channel {
			part.told[uint32(i)] += n.Dropped
		}
	}
	if n.Pos.Offset > part.pos {
		w.pass(p, n.Pos, n.Pos.Offset, Missing)
	}
}

// remember takes a record of those that `last` asked for: they lie at or below
// the answer's cursor.
func (w *walk) remember(p *place, pos odin.Pos, e *Event) {
	w.remembers--
	w.history = append(w.history, *e)
	entries := p.incarnation.entries(pos.Partition)
	i := behind(entries, pos.Offset-1)
	switch {
	case pos.Offset > p.part(pos.Partition).pos:
		w.fault(Misannounced, pos, "is of the %d last, but lies above the answer's cursor", len(w.history)+w.remembers)
	case i == len(entries) || entries[i].Offset != pos.Offset:
		w.fault(Phantom, pos, "was never committed")
	default:
		w.compare(pos, e, entries[i])
	}
	if w.remembers == 0 {
		w.newest()
	}
}

// newest wants the last records of each channel and partition to be those that
// came, and no more of a channel than asked for. What is older than a record
// that came may be kept no more.
func (w *walk) newest() {
	type run struct {
		topic, partition uint16
		channel          uint32
	}
	oldest, count, each := map[run]int64{}, map[run]int{}, map[uint32]int{}
	for _, e := range w.history {
		r := run{e.Topic, e.Partition, e.Channel}
		if old, ok := oldest[r]; !ok || e.Offset < old {
			oldest[r] = e.Offset
		}
		count[r]++
		each[e.Channel]++
	}
	for channel, n := range each {
		if n > w.last {
			w.fault(Misannounced, odin.Pos{}, "%d last of %s came, asked for were %d", n, w.names.Channels[channel], w.last)
		}
	}
	for r, from := range oldest {
		p := w.topics[w.names.Topics[r.topic]]
		n := 0
		for _, e := range p.incarnation.entries(int(r.partition)) {
			if e.Channel == r.channel && e.Offset >= from && e.Offset <= p.part(int(r.partition)).pos {
				n++
			}
		}
		if n != count[r] {
			w.fault(Misannounced, odin.Pos{Topic: p.incarnation.Topic, Partition: int(r.partition), Offset: from},
				"is the oldest of the last of %s: %d came, but the log has %d since", w.names.Channels[r.channel], count[r], n)
		}
	}
}
