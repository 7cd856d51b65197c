package hub

import "encoding/binary"

// Piece is one run of bytes that a session is owed: in the history (a chunk
// of it), or, with Chunk == Own, in the queue's own bytes. It holds no
// pointer, so that a million of them cost the garbage collector nothing.
type Piece struct{ Chunk, Off, Len uint32 }

// Own is the Chunk of a piece that lies in Queue.Own.
const Own = ^uint32(0)

// Queue is what a session is owed and has not been written yet, in order:
// history by reference, answers by value. The zero value is empty and holds
// no memory.
type Queue struct {
	Pieces  []Piece
	Own     []byte // bytes of the session's own pieces
	Bytes   int    // over all pieces, unwritten
	Records uint32 // attached and not completely written
	partial bool   // the first piece is written in part, from start on
	start   uint32 // where it began: a frame's first byte
}

// Empty tells whether nothing is owed.
func (q *Queue) Empty() bool { return len(q.Pieces) == 0 }

// Attach adds a frame of the history. Frames that follow one another in
// memory become one piece: one buffer of the write.
func (q *Queue) Attach(p Piece) {
	q.Bytes += int(p.Len)
	q.Records++
	if n := len(q.Pieces); n > 0 {
		last := &q.Pieces[n-1]
		if last.Chunk == p.Chunk && last.Off+last.Len == p.Off {
			last.Len += p.Len
			return
		}
	}
	q.Pieces = append(q.Pieces, p)
}

// Say adds bytes of the session's own, as append does: fill writes them
// behind what it is given.
func (q *Queue) Say(fill func(dst []byte) []byte) {
	q.compact()
	from := len(q.Own)
	q.Own = fill(q.Own)
	n := uint32(len(q.Own) - from)
	if n == 0 {
		return
	}
	q.Bytes += int(n)
	if k := len(q.Pieces); k > 0 && q.Pieces[k-1].Chunk == Own {
		q.Pieces[k-1].Len += n
		return
	}
	q.Pieces = append(q.Pieces, Piece{Chunk: Own, Off: uint32(from), Len: n})
}

// Written takes the first n bytes off.
func (q *Queue) Written(n int) {
	if n <= 0 {
		return
	}
	q.Bytes -= n
	i := 0
	for n > 0 && n >= int(q.Pieces[i].Len) {
		n -= int(q.Pieces[i].Len)
		i++
		q.partial = false
	}
	if n > 0 {
		if !q.partial {
			q.partial, q.start = true, q.Pieces[i].Off
		}
		q.Pieces[i].Off += uint32(n)
		q.Pieces[i].Len -= uint32(n)
	}
	q.Pieces = q.Pieces[:copy(q.Pieces, q.Pieces[i:])]
}

// Cut drops what is owed, and the count of its records, but for the rest of a frame that is half written:
// only behind a whole frame can a close frame follow. look gives the bytes of
// a piece; where it has none any more, nothing can follow and Cut tells so.
func (q *Queue) Cut(look func(Piece) []byte) bool {
	q.Records = 0
	if !q.partial {
		q.Pieces, q.Bytes = q.Pieces[:0], 0
		return true
	}
	p := &q.Pieces[0]
	b := look(Piece{Chunk: p.Chunk, Off: q.start, Len: p.Off + p.Len - q.start})
	if b == nil {
		return false
	}
	at := q.frameStart(b)
	p.Len = at + uint32(frameSize(b[at-q.start:])) - p.Off
	q.Pieces, q.Bytes = q.Pieces[:1], int(p.Len)
	return true
}

// frameSize reads the size of the unmasked frame that b begins with
// (RFC 6455 section 5.2).
func frameSize(b []byte) int {
	switch n := int(b[1] & 0x7f); n {
	case 126:
		return 4 + int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		return 10 + int(binary.BigEndian.Uint64(b[2:]))
	default:
		return 2 + n
	}
}

// ownSlack is how many written bytes Own may keep before it is compacted: a
// session that never catches up and always asks for more must not grow it.
const ownSlack = 16 << 10

func (q *Queue) compact() {
	if len(q.Own) < ownSlack || 2*q.ownLeft() > len(q.Own) {
		return
	}
	own := make([]byte, 0, len(q.Own)/2)
	for i := range q.Pieces {
		p := &q.Pieces[i]
		if p.Chunk != Own {
			continue
		}
		from := p.Off
		if i == 0 && q.partial {
			from = q.frameStart(q.Own[q.start : p.Off+p.Len])
			q.start = uint32(len(own))
		}
		at := uint32(len(own)) + p.Off - from
		own = append(own, q.Own[from:p.Off+p.Len]...)
		p.Off = at
	}
	q.Own = own
}

func (q *Queue) ownLeft() int {
	n := 0
	for _, p := range q.Pieces {
		if p.Chunk == Own {
			n += int(p.Len)
		}
	}
	return n
}

// frameStart is where the frame begins that is half written; b is the first
// piece from q.start on.
func (q *Queue) frameStart(b []byte) uint32 {
	done, at := int(q.Pieces[0].Off-q.start), 0
	for at+frameSize(b[at:]) <= done {
		at += frameSize(b[at:])
	}
	return q.start + uint32(at)
}

// Oldest is the oldest chunk of history that the queue refers to. It needn't
// be the first: what was applied late may have arrived early.
func (q *Queue) Oldest() (chunk uint32, ok bool) {
	chunk = Own
	for _, p := range q.Pieces {
		chunk = min(chunk, p.Chunk)
	}
	return chunk, chunk != Own
}

// Release gives the queue's memory back and leaves it empty.
func (q *Queue) Release() { *q = Queue{} }
