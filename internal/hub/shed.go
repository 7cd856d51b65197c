package hub

import (
	"slices"

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
// (gap) for each channel in the place of those that were dropped in a row: its
// position is one at which a cursor may stand by then. What is
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

// rebuild makes the queue of what is left, and of the notices. What is missing
// of a partition is told before the next frame of it that stays, and before the
// next one of its channels in any partition; before an answer all is told, since
// its cursor covers all that was dropped before it.
func (q *Queue) rebuild(units []unit, s *Shedding) {
	if q.ownLeft() == 0 {
		q.Own = nil
	}
	q.Pieces, q.Bytes = q.Pieces[:0], 0
	var missing missing
	for i := range units {
		u := &units[i]
		switch {
		case u.dropped || u.gap:
			missing.add(u)
			if u.dropped {
				q.Records--
				s.count(u.fate)
			}
			continue
		case u.record:
			s.Notices += q.tell(&missing, func(r *run) bool { return samePartition(r.of, u.head) || r.names(u.head.Channel) })
		default:
			s.Notices += q.tell(&missing, func(*run) bool { return true })
		}
		q.put(u.piece)
	}
	s.Notices += q.tell(&missing, func(*run) bool { return true })
	q.compact()
}

func samePartition(a, b wire.Head) bool {
	return a.Partition == b.Partition && string(a.Topic) == string(b.Topic)
}

func (s *Shedding) count(f Fate) {
	if f == Conflate {
		s.Conflated++
		return
	}
	s.Dropped++
}

// missing is what is dropped and not told yet, a run for each partition.
type missing []*run

// run is what was dropped of one partition in a row, by channel.
type run struct {
	of      wire.Head // names the partition
	before  int64     // all up to here was sent or told before
	notices []notice
}

type notice struct {
	channel []byte
	dropped uint64
	last    int64 // offset
	fresh   bool  // it tells of a record that this shedding has dropped
}

func (m *missing) add(u *unit) {
	i := slices.IndexFunc(*m, func(r *run) bool { return samePartition(r.of, u.head) })
	if i < 0 {
		i = len(*m)
		r := &run{of: u.head, before: u.head.Offset - 1}
		if u.gap { // where its records began isn't known any more
			r.before = event.None
		}
		*m = append(*m, r)
	}
	(*m)[i].add(u)
}

func (r *run) add(u *unit) {
	i := slices.IndexFunc(r.notices, func(n notice) bool { return string(n.channel) == string(u.head.Channel) })
	if i < 0 {
		i = len(r.notices)
		r.notices = append(r.notices, notice{channel: u.head.Channel})
	}
	n := r.notices[i]
	n.dropped += max(u.head.Dropped, 1) // a record, or as many as a notice says
	n.last, n.fresh = max(n.last, u.head.Offset), n.fresh || u.dropped
	// The last one that was added to is the last one that is told.
	r.notices = append(slices.Delete(r.notices, i, i+1), n)
}

func (r *run) names(channel []byte) bool {
	return slices.ContainsFunc(r.notices, func(n notice) bool { return string(n.channel) == string(channel) })
}

// tell adds the notices of the runs that are due, and gives how many of them are
// new. The last of a run's has the position of its last record; a cursor must
// not come so far by those before it.
func (q *Queue) tell(m *missing, due func(*run) bool) (fresh uint64) {
	*m = slices.DeleteFunc(*m, func(r *run) bool {
		if !due(r) {
			return false
		}
		p := event.Partition{Topic: string(r.of.Topic), Number: r.of.Partition}
		for i := range r.notices {
			n, at := &r.notices[i], r.before
			if i == len(r.notices)-1 {
				at = n.last
			}
			q.own(func(dst []byte) []byte { return wire.AppendGap(dst, n.channel, n.dropped, p, at) })
			if n.fresh {
				fresh++
			}
		}
		return true
	})
	return fresh
}
