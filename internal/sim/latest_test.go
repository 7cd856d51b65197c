package sim

import (
	"cmp"
	"math"
	"slices"

	"github.com/odin-ws/odin/internal/replica"
)

// subscribe is a request for some channels, and for so many of the newest records
// of each.
type subscribe struct {
	channels channelSet
	last     int
}

// subscribe gives a session the newest of what it was not given until now, and all
// that comes.
func (w *worker) subscribe(s *session) {
	q := s.subs[0]
	s.subs = s.subs[1:]
	fresh := q.channels
	if w.world.broken != coveredAgain {
		fresh &^= s.wants.channels
	}
	var latest []packet
	for t := range w.topics {
		for c := range channels {
			if s.wants.topic(t) && fresh>>c&1 != 0 {
				latest = append(latest, w.latest(t, c, q.last)...)
			}
		}
	}
	s.wants.channels |= q.channels
	s.live = true
	w.say(s, packet{kind: packetSubscribed, granted: q.channels, history: len(latest)})
	s.queue = append(s.queue, latest...)
}

// latest is the newest records of a topic's channel, at most so many over all its
// partitions, in the order of their arrival here.
func (w *worker) latest(topic, channel, most int) (found []packet) {
	for _, l := range w.locals {
		if l.part.topic != topic || most == 0 {
			continue
		}
		own := l.latestIn(l.replica.History(), channel, most, math.MaxInt64)
		if len(own) < most && l.past.Joins(l.now()) {
			own = append(own, l.latestIn(l.past.History(), channel, most, l.replica.Position().From)...)
		}
		w.world.checkLatest(l, channel, most, own)
		found = append(found, own...)
	}
	slices.SortStableFunc(found, func(a, b packet) int {
		if a.ref.Past() != b.ref.Past() {
			return cmp.Compare(a.ref.Chunk, b.ref.Chunk)
		}
		return cmp.Or(cmp.Compare(b.ref.Chunk, a.ref.Chunk), cmp.Compare(b.ref.Off, a.ref.Off))
	})
	found = found[:min(most, len(found))]
	slices.Reverse(found)
	return found
}

func (l *local) latestIn(h replica.History, channel, most int, below int64) (found []packet) {
	places, _ := h.Newest(nil, channels[channel], most, math.MaxInt)
	for _, place := range places {
		if e, ok := h.At(place); ok && e.Offset < below && len(found) < most {
			p := l.packet(&e)
			p.kind = packetLatest
			found = append(found, p)
		}
	}
	return found
}

// checkLatest holds what was found against the truth: the newest that sessions of
// this worker were given, none left out, and all that is kept if they are fewer than
// were asked for.
func (w *world) checkLatest(l *local, channel, most int, found []packet) {
	v, pos := l.version(), l.replica.Position()
	if l.doubt() != nil || !pos.Positioned {
		return
	}
	i := 0
	for o := min(pos.Applied, v.end()-1); o >= pos.From && i < most; o-- {
		e := &v.entries[o]
		switch {
		case o&1 != int64(channel) || e.content == 0:
		case i < len(found) && found[i].offset == o:
			i++
		case !e.compacted:
			w.fail("last", "worker %d leaves %d of %d out of the newest %d", l.slot(), o, l.part.index, most)
			return
		}
	}
	if i < len(found) && found[i].offset >= pos.From {
		w.fail("last", "worker %d has %d of %d among the newest", l.slot(), found[i].offset, l.part.index)
	}
}

// latest is one of the records that were announced with a subscription: of what the
// log had, and of what the cursor covers.
func (c *client) latest(p *packet, content uint64) {
	part := c.world.parts[p.part]
	v := part.kafka.versions[part.as(p.version)]
	if !v.has(p.offset, content) && !part.doubt(part.as(p.version)).has(p.offset, content) {
		c.fail("last", "gets another record at %d of %d than the log has", p.offset, p.part)
	}
	c.gets(p)
	if c.past--; c.past < 0 || p.offset > c.belief(p.part).at {
		c.fail("last", "gets %d of %d, which was not announced", p.offset, p.part)
	}
	if c.covered.has(part, p.offset) {
		c.fail("last", "gets %d of %d, which it was given already", p.offset, p.part)
	}
}
