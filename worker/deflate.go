package worker

import (
	"github.com/odin-ws/odin/internal/deflate"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// deflating is the compression that sessions may agree on. A record that the
// first such session wants is compressed once for all of them; its compressed
// form lies in the store beside the records, and each session is owed a piece
// of that. Answers stay plain: each would be compressed for one session alone,
// and few are large.
type deflating struct {
	compressor *deflate.Compressor // nil: nobody ever offered
	level      int                 // of the compressor
	inflater   deflate.Inflater
	sessions   int
	frame      []byte // one compressed frame, on its way to the store

	tried bool      // the record that is being attached was compressed
	small hub.Piece // to this; without length: it stays plain
}

// frameKept is the largest frame whose memory is kept for the next one.
const frameKept = 64 << 10

// agree answers a client's offers of extensions; "" is none of them.
func (p *process) agree(offers []string) (extension string, window uint8) {
	z, c := &p.deflating, &p.config.Compression
	if !c.Enabled || len(offers) == 0 {
		return "", 0
	}
	if extension, window = deflate.Negotiate(offers); extension == "" || z.compressor != nil {
		return extension, window
	}
	if err := z.prepare(c.Level); err != nil { // the level was checked: a defect
		p.log.Error("nothing is compressed", "err", err)
		return "", 0
	}
	return extension, window
}

func (z *deflating) prepare(level int) (err error) {
	z.level = level
	z.compressor, err = deflate.NewCompressor(level)
	return err
}

// tune compresses at another level from now on.
func (z *deflating) tune(level int) error {
	if z.compressor == nil || z.level == level {
		return nil
	}
	return z.prepare(level)
}

func (z *deflating) join(s *session, window uint8) {
	if s.window = window; window > 0 {
		z.sessions++
	}
}

func (z *deflating) leave(s *session) {
	if s.window > 0 {
		z.sessions--
	}
}

// inflaterFor is nil for a session that agreed on no compression.
func (z *deflating) inflaterFor(s *session) *deflate.Inflater {
	if s.window == 0 {
		return nil
	}
	return &z.inflater
}

// next forgets the record before.
func (z *deflating) next() { z.tried, z.small = false, hub.Piece{} }

// formFor is what of a record is attached to a session that agreed on
// compression: its compressed form, if there is one and the session's window
// is large enough for all of it.
func (p *process) formFor(s *session, plain hub.Piece) hub.Piece {
	z := &p.deflating
	if !deflate.Fits(int(plain.Len), s.window) {
		return plain
	}
	if !z.tried {
		z.tried = true
		z.small = p.deflated(plain)
	}
	if z.small.Len == 0 {
		return plain
	}
	p.tally.saved += uint64(plain.Len - z.small.Len)
	return z.small
}

// deflated puts the compressed form of a record into the store, if it is
// smaller.
func (p *process) deflated(plain hub.Piece) (small hub.Piece) {
	z, ref := &p.deflating, replica.Ref(plain)
	if int(plain.Len) < p.config.Compression.MinBytes {
		return small
	}
	began := p.clock()
	frame, ok := wire.AppendDeflated(z.frame[:0], p.store.Bytes(ref), z.compressor)
	p.block.Add(shm.DeflateTime, uint64(p.clock()-began))
	if !ok {
		p.block.Add(shm.DeflateFutile, 1)
		return small
	}
	p.block.Add(shm.DeflatedRecords, 1)
	small = hub.Piece(p.store.PutDeflated(frame, ref))
	if z.frame = frame; cap(frame) > frameKept {
		z.frame = nil
	}
	return small
}
