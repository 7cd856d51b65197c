package hub

import "github.com/odin-ws/odin/internal/wire"

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
	partial bool   // the first frame of the first piece is written in part,
	start   uint32 // from here on
}

// Empty tells whether nothing is owed.
func (q *Queue) Empty() bool { return len(q.Pieces) == 0 }

// Attach adds a frame of the history. Frames that follow one another in
// memory become one piece: one buffer of the write.
func (q *Queue) Attach(p Piece) {
	q.Records++
	q.put(p)
}

func (q *Queue) put(p Piece) {
	q.Bytes += int(p.Len)
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
	q.own(fill)
}

func (q *Queue) own(fill func(dst []byte) []byte) {
	from := len(q.Own)
	q.Own = fill(q.Own)
	if n := len(q.Own) - from; n > 0 {
		q.put(Piece{Chunk: Own, Off: uint32(from), Len: uint32(n)})
	}
}

// Written takes the first n bytes off, and tells how many records are sent
// whole by that. look gives the bytes of a piece that stands in the queue.
func (q *Queue) Written(n int, look func(Piece) []byte) (records uint32) {
	if n >= q.Bytes {
		records = q.Records
		q.Pieces, q.Bytes, q.Records, q.partial = q.Pieces[:0], 0, 0, false
		return records
	}
	q.Bytes -= n
	i := 0
	for ; n > 0; i++ {
		took := min(n, int(q.Pieces[i].Len))
		records += q.pass(i, uint32(took), look)
		n -= took
		if q.Pieces[i].Len > 0 {
			break
		}
	}
	q.Records -= records
	q.Pieces = q.Pieces[:copy(q.Pieces, q.Pieces[i:])]
	return records
}

// pass takes bytes off a piece, and tells how many records end in them.
func (q *Queue) pass(i int, took uint32, look func(Piece) []byte) (records uint32) {
	p := &q.Pieces[i]
	from, end := p.Off, p.Off+p.Len
	if i == 0 && q.partial {
		from = q.start
	}
	p.Off, p.Len = p.Off+took, p.Len-took
	if p.Chunk == Own && p.Len == 0 {
		q.partial = false
		return 0
	}
	whole, at := framesIn(look(Piece{Chunk: p.Chunk, Off: from, Len: end - from}), int(p.Off-from))
	q.start = from + uint32(at)
	q.partial = q.start < p.Off
	if p.Chunk == Own {
		return 0
	}
	return whole
}

// framesIn counts the frames that lie whole in the first done bytes of b, and
// tells where the next one begins.
func framesIn(b []byte, done int) (whole uint32, at int) {
	for at < done {
		size := wire.FrameSize(b[at:])
		if at+size > done {
			break
		}
		at += size
		whole++
	}
	return whole, at
}

// Cut drops what is owed, and the count of its records, but for the rest of a
// frame that is half written: only behind a whole frame can a close frame
// follow. look gives the bytes of a piece; where it has none any more, nothing
// can follow and Cut tells so.
func (q *Queue) Cut(look func(Piece) []byte) bool {
	if !q.partial {
		q.Pieces, q.Bytes, q.Records = q.Pieces[:0], 0, 0
		return true
	}
	rest, ok := q.restOfFrame(look)
	if !ok {
		return false
	}
	q.Pieces[0].Len = rest
	q.Pieces, q.Bytes, q.Records = q.Pieces[:1], int(rest), 0
	if q.Pieces[0].Chunk != Own {
		q.Records = 1
	}
	return true
}

// restOfFrame is how much is left of the frame that is half written; false:
// its bytes are gone.
func (q *Queue) restOfFrame(look func(Piece) []byte) (rest uint32, ok bool) {
	p := q.Pieces[0]
	b := look(Piece{Chunk: p.Chunk, Off: q.start, Len: p.Off + p.Len - q.start})
	if b == nil {
		return 0, false
	}
	return q.start + uint32(wire.FrameSize(b)) - p.Off, true
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
			from, q.start = q.start, uint32(len(own))
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

// Past is the least Chunk of a piece that lies in the past: what was read from
// the log again, below the history, is numbered from here on.
const Past = 1 << 31

// PointsBelow tells whether the queue refers to a chunk that is older than the
// oldest one of the history, or of the past. It needn't be the first piece's:
// what was applied late may have arrived early.
func (q *Queue) PointsBelow(oldest, oldestPast uint32) bool {
	for _, p := range q.Pieces {
		if p.Chunk < oldest || p.Chunk >= Past && p.Chunk < oldestPast {
			return true
		}
	}
	return false
}

// Release gives the queue's memory back and leaves it empty.
func (q *Queue) Release() { *q = Queue{} }
