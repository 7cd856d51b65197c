package replica

// blockRecords is the most entries in one block of an index. Blocks let an
// index grow and shrink at its ends without copying what lies between.
const blockRecords = 64

const blockBytes = blockRecords * entryBytes

// entry is one record of an index. It holds no pointer, so the collector
// never looks into an index.
type entry struct {
	offset  int64
	time    int64
	ref     Ref
	epoch   int32
	name    uint32 // where the channel begins: in the frame, or in the chunk's names
	nameLen uint16
	apart   bool // the channel stands in the chunk's names
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
