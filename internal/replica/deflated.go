package replica

import (
	"cmp"
	"slices"
)

// origin says of which frame the compressed one is that begins at off.
type origin struct {
	off   uint32
	plain Ref
}

const originBytes = 16

// PutDeflated copies the compressed form of a frame that the Store holds to
// behind all that has come. It belongs to no index: what is relayed and found
// are the records. It counts as bytes of the Store and goes with its chunk, so
// that a session which is owed it needs nothing else to be held, and what is
// compressed is bounded as the history is.
func (s *Store) PutDeflated(frame []byte, plain Ref) Ref {
	c := s.room(len(frame), 0)
	r := Ref{Chunk: s.oldest + uint32(len(s.chunks)-1), Off: uint32(len(c.data)), Len: uint32(len(frame))}
	c.data = append(c.data, frame...)
	c.newest = s.now
	before := cap(c.origins)
	c.origins = append(c.origins, origin{r.Off, plain})
	c.deflated += int64(len(frame))
	s.stats.Bytes += int64(cap(c.origins)-before) * originBytes
	s.stats.Deflated += int64(len(frame))
	return r
}

// Plain gives the frame whose compressed form r is; nil: it was evicted, being
// the older of the two, or r is no such form.
func (s *Store) Plain(r Ref) []byte {
	i := r.Chunk - s.oldest
	if uint64(i) >= uint64(len(s.chunks)) {
		return nil
	}
	origins := s.chunks[i].origins
	at, ok := slices.BinarySearchFunc(origins, r.Off, func(o origin, off uint32) int { return cmp.Compare(o.off, off) })
	if !ok {
		return nil
	}
	return s.Bytes(origins[at].plain)
}
