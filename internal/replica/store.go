package replica

import (
	"bytes"
	"hash/maphash"

	"github.com/odin-ws/odin/internal/event"
)

// channelWithin is how far into a frame its channel is looked for. Records
// name their channel within their first bytes; what does not is kept apart.
const channelWithin = 64 + event.ChannelMax

// Store is a worker's one arena: the frames of all partitions in the order of
// their arrival, and among them the compressed forms of some, in chunks that
// are freed whole, oldest first. Each partition has an index into it. Nothing
// that was not applied is ever freed.
type Store struct {
	memory   Memory
	limits   Limits
	fillTime int64   // milliseconds for which a chunk is filled
	chunks   []chunk // chunks[i] has the number oldest+i
	oldest   uint32
	now      int64
	windows  []*window
	stats    Stats

	freeChunks [][]byte
	freeBlocks []*block
	spare      int64 // bytes of both

	relay scratch
	seed  maphash.Seed // of the buckets: it changes what a look costs, never what it finds
}

type chunk struct {
	data   []byte // its length is what is used; it never moves
	names  []byte // channels that do not stand in their frame
	oldest int64  // when its first frame arrived
	newest int64  // and its last

	origins  []origin // of its compressed frames, in their order
	deflated int64    // bytes of them
}

// scratch is what Next hands out: one for all replicas of a worker, since
// thousands of partitions would each keep a batch's worth.
type scratch struct {
	advance event.Advance
	lost    event.Lost
	records []event.Record
	last    relayed // what advance holds
}

// relayed names a batch of a history: as long as it stays the same, so does
// the batch.
type relayed struct {
	replica    *Replica
	prev, held int64
	term, era  uint32
	maxBytes   int
}

// Stats is what a Store holds and what became of the rest.
type Stats struct {
	Bytes    int64  // chunks, what belongs to them, the indexes and what is spare, as allocated
	Spare    int64  // of them, what is kept to use again
	Deflated int64  // of them, compressed frames
	Records  int    // in all indexes
	Chunks   int    // held, without those kept to use again
	Age      int64  // milliseconds since the oldest frame held arrived; 0: none is held
	Evicted  uint64 // chunks freed since the start
	Trimmed  uint64 // records that left an index since the start, by any bound
	Blocked  uint64 // evictions that the bytes asked for and unapplied records forbade
}

// NewStore makes an empty Store, which takes no memory until the first record,
// and then from Go's heap.
func NewStore(l Limits) *Store { return NewStoreIn(goHeap{}, l) }

// NewStoreIn makes one with its chunks elsewhere.
func NewStoreIn(m Memory, l Limits) *Store {
	s := &Store{memory: m, oldest: 1, seed: maphash.MakeSeed()}
	s.bound(l)
	return s
}

// Limit bounds the Store otherwise from now on. Records beyond a smaller bound
// of a partition leave its index at once, chunks beyond the bytes or the age
// go with the next Evict; nothing that was not applied is lost. A chunk's size
// stays.
func (s *Store) Limit(l Limits) {
	l.Chunk = s.limits.Chunk
	s.bound(l)
	for _, w := range s.windows {
		s.shrink(w)
	}
	if s.spare > s.limits.headroom() {
		s.dropChunks()
		s.freeBlocks, s.spare = nil, 0
	}
}

func (s *Store) bound(l Limits) {
	s.limits = l.withDefaults()
	s.fillTime = s.limits.Age.Milliseconds() / fillParts
}

// Tick tells the time of what arrives from now on: Unix or monotonic
// milliseconds, the same as for Evict.
func (s *Store) Tick(now int64) { s.now = max(s.now, now) }

// Bytes gives a frame, or nil when its chunk was evicted. It is valid until
// the next Evict, since a freed chunk is used again under another number.
func (s *Store) Bytes(r Ref) []byte {
	i := r.Chunk - s.oldest
	if uint64(i) >= uint64(len(s.chunks)) {
		return nil
	}
	return s.chunks[i].data[r.Off : r.Off+r.Len : r.Off+r.Len]
}

// OldestChunk is the number of the oldest chunk held, or of the next one to
// come: a Ref into a lower one is gone.
func (s *Store) OldestChunk() uint32 { return s.oldest }

// Full tells that the bytes are used up. The worker takes no more input until
// it has applied what is pending and evicted.
func (s *Store) Full() bool { return s.stats.Bytes > s.limits.Bytes }

// BytesMax is what the Store may take, those kept to use again included.
func (s *Store) BytesMax() int64 { return s.limits.Bytes }

// Stats tells what the Store holds.
func (s *Store) Stats() Stats {
	st := s.stats
	st.Bytes, st.Spare = st.Bytes+s.spare, s.spare
	if st.Chunks = len(s.chunks); st.Chunks > 0 {
		st.Age = s.now - s.chunks[0].oldest
	}
	return st
}

// Evict frees the oldest chunks while the bytes or the age demand it and
// nothing in them waits to be applied. It returns how many it freed; sessions
// that still point below OldestChunk have to be cut off in the same turn.
func (s *Store) Evict(now int64) int {
	s.Tick(now)
	freed := 0
	for len(s.chunks) > 0 {
		over := s.stats.Bytes > s.limits.Bytes-s.limits.headroom()
		aged := s.now-s.chunks[0].newest > s.limits.Age.Milliseconds()
		if !over && !aged {
			break
		}
		if s.pinned(s.oldest) {
			if over {
				s.stats.Blocked++
			}
			break
		}
		s.free()
		freed++
	}
	return freed
}

// pinned tells whether a record in the chunk waits to be applied.
func (s *Store) pinned(number uint32) bool {
	for _, w := range s.windows {
		if c, ok := w.pinned(); ok && c <= number {
			return true
		}
	}
	return false
}

// free drops the oldest chunk and what the indexes hold of it.
func (s *Store) free() {
	for _, w := range s.windows {
		for w.len > 0 && w.at(0).ref.Chunk <= s.oldest {
			s.trim(w)
		}
	}
	c := s.chunks[0]
	s.stats.Bytes -= int64(cap(c.data) + cap(c.names) + cap(c.origins)*originBytes)
	s.stats.Deflated -= c.deflated
	if cap(c.data) == s.limits.Chunk && len(s.freeChunks) < freeChunksMax && s.keeps(int64(s.limits.Chunk)) {
		s.freeChunks = append(s.freeChunks, c.data[:0])
	} else {
		s.memory.Give(c.data)
	}
	n := copy(s.chunks, s.chunks[1:])
	s.chunks[n] = chunk{}
	s.chunks = s.chunks[:n]
	s.oldest++
	s.stats.Evicted++
}

// keeps tells whether there is room to keep so many bytes to use again, and takes
// it. An eviction makes the headroom free: what is spare lies there, so that it
// and what is held are within the bytes together.
func (s *Store) keeps(bytes int64) bool {
	if s.spare+bytes > s.limits.headroom() {
		return false
	}
	s.spare += bytes
	return true
}

// put copies a record in and indexes it. Beyond the partition's bound its
// oldest applied records leave the index.
func (s *Store) put(w *window, r *event.Record) {
	c := s.room(len(r.Frame), len(r.Channel))
	off := len(c.data)
	c.data = append(c.data, r.Frame...)
	c.newest = s.now
	e := s.push(w)
	*e = entry{
		offset: r.Offset,
		time:   r.Time,
		epoch:  r.Epoch,
		ref:    Ref{Chunk: s.oldest + uint32(len(s.chunks)-1), Off: uint32(off), Len: uint32(len(r.Frame))},
	}
	if at := bytes.Index(r.Frame[:min(len(r.Frame), channelWithin)], r.Channel); at >= 0 {
		e.name = newName(at, len(r.Channel), false)
	} else {
		e.name = newName(s.nameApart(c, r.Channel), len(r.Channel), true)
	}
	s.link(w, r.Channel)
	s.shrink(w)
}

// shrink holds a partition to its bound.
func (s *Store) shrink(w *window) {
	for w.len > s.limits.Records && w.applied > 0 {
		s.trim(w)
	}
}

func (s *Store) nameApart(c *chunk, name []byte) int {
	at, before := len(c.names), cap(c.names)
	c.names = append(c.names, name...)
	s.stats.Bytes += int64(cap(c.names) - before)
	return at
}

// room gives the last chunk, or a new one if the frame or the channel does not
// fit there, or if it was begun too long ago: it would keep old records for as
// long as new ones come. A frame larger than a chunk gets one of its own.
func (s *Store) room(size, name int) *chunk {
	if n := len(s.chunks); n > 0 {
		c := &s.chunks[n-1]
		if cap(c.data)-len(c.data) >= size && len(c.names)+name <= nameAtMax && s.now-c.oldest <= s.fillTime {
			return c
		}
	}
	data := s.newChunk(size)
	s.stats.Bytes += int64(cap(data))
	s.chunks = append(s.chunks, chunk{data: data, oldest: s.now})
	return &s.chunks[len(s.chunks)-1]
}

func (s *Store) newChunk(size int) []byte {
	if size > s.limits.Chunk {
		s.dropChunks() // its room is taken, and theirs is of no use
		return s.memory.Take(size)
	}
	n := len(s.freeChunks)
	if n == 0 {
		return s.memory.Take(s.limits.Chunk)
	}
	data := s.freeChunks[n-1]
	s.freeChunks = s.freeChunks[:n-1]
	s.spare -= int64(s.limits.Chunk)
	return data
}

// dropChunks gives back the chunks that were kept to use again.
func (s *Store) dropChunks() {
	for _, data := range s.freeChunks {
		s.memory.Give(data)
	}
	s.spare -= int64(len(s.freeChunks) * s.limits.Chunk)
	s.freeChunks = nil
}

// channel gives the channel of an entry, which aliases the Store.
func (s *Store) channel(e *entry) []byte {
	c := &s.chunks[e.ref.Chunk-s.oldest]
	at, text := e.name.at(), c.names
	if !e.name.apart() {
		at, text = at+int(e.ref.Off), c.data
	}
	end := at + e.name.len()
	return text[at:end:end]
}

func (s *Store) frame(e *entry) []byte { return s.Bytes(e.ref) }
