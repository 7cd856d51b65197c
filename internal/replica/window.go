package replica

// blockRecords is the most entries in one block of an index. Blocks let an
// index grow and shrink at its ends without copying what lies between.
const blockRecords = 64

// blockBytes is what a block takes: its entries, as Go's allocator rounds them.
const blockBytes = 2688

// entry is one record of an index. It holds no pointer, so the collector
// never looks into an index.
type entry struct {
	offset int64
	time   int64
	ref    Ref
	epoch  int32
	name   name
	back   uint32 // how many entries before it the last one of its bucket is
}

const entryBytes = 40

type block [blockRecords]entry

// window is the index of one partition's history: the entries of [from, h] in
// the order of their offsets.
type window struct {
	blocks  []*block
	head    int   // place of the first entry in blocks[0]
	len     int   // entries
	applied int   // how many of them sessions were given
	from    int64 // f: the first offset that is covered
	base    Place // of the first entry

	heads []Place // the newest entry of each bucket of channels (channels.go)
	heir  *Past   // takes what leaves, as long as it is needed; nil: none
}

func (w *window) at(i int) *entry {
	i += w.head
	return &w.blocks[i/blockRecords][i%blockRecords]
}

// after gives the place of the first entry above offset.
func (w *window) after(offset int64) int {
	lo, hi := 0, w.len
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if w.at(mid).offset <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// apply notes that all up to offset was given to sessions.
func (w *window) apply(offset int64) {
	for w.applied < w.len && w.at(w.applied).offset <= offset {
		w.applied++
	}
}

// pinned gives the chunk of the oldest entry that was not applied.
func (w *window) pinned() (chunk uint32, ok bool) {
	if w.applied == w.len {
		return 0, false
	}
	return w.at(w.applied).ref.Chunk, true
}

// open gives a partition its index.
func (s *Store) open() *window {
	w := &window{}
	s.windows = append(s.windows, w)
	return w
}

// push makes room for one more entry at an index's end.
func (s *Store) push(w *window) *entry {
	if w.head+w.len == len(w.blocks)*blockRecords {
		w.blocks = append(w.blocks, s.newBlock())
	}
	w.len++
	s.stats.Records++
	return w.at(w.len - 1)
}

func (s *Store) newBlock() *block {
	s.stats.Bytes += blockBytes
	if n := len(s.freeBlocks); n > 0 {
		b := s.freeBlocks[n-1]
		s.freeBlocks = s.freeBlocks[:n-1]
		s.spare -= blockBytes
		return b
	}
	return new(block)
}

// trim drops an index's oldest entry; what is covered begins behind it.
func (s *Store) trim(w *window) {
	if w.heir != nil && !w.heir.inherit(s, w) {
		w.heir = nil
	}
	w.from = w.at(0).offset + 1
	w.base++
	w.applied = max(w.applied-1, 0)
	w.len--
	w.head++
	s.stats.Records--
	s.stats.Trimmed++
	if w.len == 0 || w.head == blockRecords {
		s.freeBlock(w.blocks[0])
		n := copy(w.blocks, w.blocks[1:])
		w.blocks[n] = nil
		w.blocks = w.blocks[:n]
		w.head = 0
	}
	if w.len == 0 {
		s.stats.Bytes -= headsBytes(len(w.heads))
		w.heads = nil
	}
}

func (s *Store) freeBlock(b *block) {
	s.stats.Bytes -= blockBytes
	if len(s.freeBlocks) < freeBlocksMax && s.keeps(blockBytes) {
		s.freeBlocks = append(s.freeBlocks, b)
	}
}

// clear empties an index; the frames stay until their chunks are freed.
func (s *Store) clear(w *window, from int64) {
	for _, b := range w.blocks {
		s.freeBlock(b)
	}
	s.stats.Records -= w.len
	s.stats.Trimmed += uint64(w.len)
	s.stats.Bytes -= headsBytes(len(w.heads))
	*w = window{from: from, base: w.base + Place(w.len)}
}
