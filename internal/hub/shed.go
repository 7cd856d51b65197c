package hub

import (
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
)

// Fate says what may become of a record when a session is owed too much.
type Fate uint8

// The fates. What ranks lower goes first.
const (
	Keep       Fate = iota // it may not be dropped: the session is closed instead
	Conflate               // only the newest of its channel is kept
	DropNormal             // dropped, the oldest first
	DropHigh               // dropped like DropNormal, when that is not enough
)

// Shedding is what a queue is shortened by.
type Shedding struct {
	Target int                     // bytes to come down to, where records may be dropped
	Limit  int                     // bytes that may remain, at least Target
	Look   func(Piece) []byte      // the bytes of a piece; nil: there are none any more
	Plain  func(Piece) []byte      // the frame whose compressed form the piece is; nil: it is there no more
	Judge  func(topic []byte) Fate // of a topic's records

	Dropped, Conflated, Notices uint64 // what was done; notices of earlier sheddings are not counted again
}

// Shed drops records down to Target, each by its fate, and leaves a notice
// (gap) in the place of the last one of those of a channel that were dropped in
// a row: what it tells has the position at which a cursor may stand. What is
// half written, and the session's own answers, stay. False: the queue is larger
// than Limit all the same, or the bytes of a piece, or of a compressed frame's
// plain form, are gone.
func (q *Queue) Shed(s *Shedding) bool {
	units, ok := q.split(s)
	if !ok {
		return false
	}
	excess := q.Bytes - s.Target
	excess = conflate(units, excess)
	for _, fate := range [...]Fate{DropNormal, DropHigh} {
		excess = dropOldest(units, fate, excess)
	}
	q.rebuild(units, s)
	return q.Bytes <= s.Limit
}

// unit is one frame of a queue.
type unit struct {
	piece   Piece
	head    wire.Head
	fate    Fate
	record  bool // of the history
	gap     bool // a notice of an earlier shedding: it may join a later one
	dropped bool
	carried bool // dropped, and counted in a later notice
}

// split takes the queue apart into frames; the rest of one that is half
// written comes first.
func (q *Queue) split(s *Shedding) (units []unit, ok bool) {
	for i, p := range q.Pieces {
		if i == 0 && q.partial {
			rest, ok := q.restOfFrame(s.Look)
			if !ok {
				return nil, false
			}
			units = append(units, unit{piece: Piece{p.Chunk, p.Off, rest}})
			p.Off, p.Len = p.Off+rest, p.Len-rest
		}
		if p.Len == 0 {
			continue
		}
		b := s.Look(p)
		if b == nil {
			return nil, false
		}
		if units, ok = appendFrames(units, p, b, s); !ok {
			return nil, false
		}
	}
	return units, true
}

func appendFrames(units []unit, p Piece, b []byte, s *Shedding) (_ []unit, ok bool) {
	for len(b) > 0 {
		size := wire.FrameSize(b)
		u := unit{piece: Piece{p.Chunk, p.Off, uint32(size)}}
		frame := b[:size]
		if wire.Deflated(frame) && p.Chunk != Own {
			if frame = s.Plain(u.piece); frame == nil {
				return nil, false
			}
		}
		if head, ok := wire.ReadHead(frame); ok {
			u.head, u.record, u.gap = head, p.Chunk != Own, p.Chunk == Own && head.Dropped > 0
		}
		if u.record {
			u.fate = s.Judge(u.head.Topic)
		}
		units = append(units, u)
		p.Off, b = p.Off+uint32(size), b[size:]
	}
	return units, true
}

// conflate drops every record that a newer one of its channel replaces.
func conflate(units []unit, excess int) int {
	if excess <= 0 {
		return excess
	}
	newer := map[string]bool{}
	for i := len(units) - 1; i >= 0; i-- {
		u := &units[i]
		if !u.record || u.fate != Conflate {
			continue
		}
		if newer[string(u.head.Channel)] {
			u.dropped = true
			excess -= int(u.piece.Len)
		}
		newer[string(u.head.Channel)] = true
	}
	return excess
}

func dropOldest(units []unit, fate Fate, excess int) int {
	for i := 0; i < len(units) && excess > 0; i++ {
		if u := &units[i]; u.record && u.fate == fate {
			u.dropped = true
			excess -= int(u.piece.Len)
		}
	}
	return excess
}

// carry finds out which notices can be told by a later one: where the next
// frame of the channel is dropped too, of the same partition, and no answer
// stands between, whose cursor would cover what is not yet told.
func carry(units []unit) {
	next := map[string]*unit{}
	for i := len(units) - 1; i >= 0; i-- {
		u := &units[i]
		if !u.record && !u.gap {
			clear(next)
			continue
		}
		if u.dropped || u.gap {
			later := next[string(u.head.Channel)]
			u.carried = later != nil && (later.dropped || later.gap) && samePartition(later.head, u.head)
		}
		next[string(u.head.Channel)] = u
	}
}

func samePartition(a, b wire.Head) bool {
	return a.Partition == b.Partition && string(a.Topic) == string(b.Topic)
}

// rebuild makes the queue of what is left, and of the notices.
func (q *Queue) rebuild(units []unit, s *Shedding) {
	carry(units)
	if q.ownLeft() == 0 {
		q.Own = nil
	}
	q.Pieces, q.Bytes = q.Pieces[:0], 0
	counts := map[string]uint64{}
	for i := range units {
		u := &units[i]
		if !u.dropped && !u.gap {
			q.put(u.piece)
			continue
		}
		told := q.tell(u, counts)
		if u.dropped {
			q.Records--
			s.count(u.fate, told)
		}
	}
	q.compact()
}

func (s *Shedding) count(f Fate, told bool) {
	if told {
		s.Notices++
	}
	if f == Conflate {
		s.Conflated++
		return
	}
	s.Dropped++
}

// tell counts what is dropped, and adds the notice where it is due.
func (q *Queue) tell(u *unit, counts map[string]uint64) (told bool) {
	n := max(u.head.Dropped, 1) // a record, or as many as a notice says
	key := string(u.head.Channel)
	counts[key] += n
	if u.carried {
		return false
	}
	n = counts[key]
	delete(counts, key)
	p := event.Partition{Topic: string(u.head.Topic), Number: u.head.Partition}
	q.own(func(dst []byte) []byte { return wire.AppendGap(dst, u.head.Channel, n, p, u.head.Offset) })
	return true
}
