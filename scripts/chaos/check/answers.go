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
	if most := p.incarnation.cuts(w.now()); most > 0 && eras(c.Epoch) > most {
		w.fault(Unfit, odin.Pos{Topic: topic}, "has epoch %s, but its log was cut %d times", c.Epoch, most)
	}
	for i, offset := range c.Offsets {
		p.parts = append(p.parts, part{pos: int64(offset), lines: w.lines(p, i, int64(offset)), vague: offset == odin.Unproven})
		if len(p.parts[i].lines) == 0 {
			w.fault(Misannounced, odin.Pos{Topic: topic, Partition: i, Offset: int64(offset)}, "is where the log never was under epoch %s", c.Epoch)
			p.parts[i].lines = []line{p.line(i, len(p.incarnation.cutsOf(i)), int64(offset))}
		}
	}
	w.topics[topic] = p
}

// offer begins a resume: from here on the stream is where the client says.
func (w *walk) offer(n *Note) {
	before := w.topics
	w.topics = map[string]*place{}
	for topic, c := range n.Cursor {
		w.set(topic, c)
		if p := w.topics[topic]; p != nil {
			p.inherit(before[topic])
		}
	}
	w.resuming, w.offered, w.replayed, w.sound = true, n.Cursor, 0, len(w.faults)
}

func (w *walk) subscribed(n *Note) {
	for topic, c := range n.Cursor {
		w.set(topic, c)
	}
	w.joined = true
	w.remembers, w.history, w.elders = n.History, nil, map[[2]uint16]*Incarnation{}
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
		_, ok := w.offered[topic]
		p := w.topics[topic]
		switch {
		case !ok, p == nil:
			w.set(topic, c)
		case p.epoch != c.Epoch: // nor did a reset say so
			w.fault(FalselyRecovered, odin.Pos{Topic: topic}, "the cursor was of epoch %s, the stream is of %s", p.epoch, c.Epoch)
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
			founded = founded || offered.Epoch != c.Epoch && w.log.loses(n.Reason, topic, w.now()) || i.beyond(offered.Offsets, w.now())
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
		part := w.part(p, i)
		pos := odin.Pos{Topic: topic, Partition: i, Offset: int64(offset)}
		switch {
		case offset == odin.Unproven:
			part.vague = true
		case int64(offset) < part.pos && !part.vague:
			w.fault(Misannounced, pos, "is an answer's cursor, but the stream was at %d", part.pos)
		default:
			w.move(p, pos, int64(offset), nil, class)
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
// those may lose something of which records were lost: made anew, cut, or
// trimmed. The log of a run never loses what was committed in another way.
func (w *walk) reset(n *Note) {
	founded := !n.Lost
	for topic, c := range n.Cursor {
		p := w.topics[topic]
		loses := n.Lost && w.log.loses(n.Reason, topic, w.now())
		founded = founded || loses
		switch {
		case p == nil, p.incarnation != w.log.incarnation(c.Epoch), loses && (n.Reason != "epoch" || w.log.anew(topic)):
			w.set(topic, c)
		case loses:
			w.lose(topic, c)
		default:
			p.epoch = c.Epoch
			w.advance(topic, c, Missing)
			w.outlive(topic)
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
	part := w.part(p, n.Pos.Partition)
	if part.told == nil {
		part.told = map[uint32]uint64{}
	}
	for i, channel := range w.names.Channels {
		if channel == n.Channel {
			part.told[uint32(i)] += n.Dropped
		}
	}
	if n.Pos.Offset > part.pos {
		w.move(p, n.Pos, n.Pos.Offset, nil, Missing)
	}
}
