package replica

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// An index finds the records of one channel without looking at all others. As
// in a compressor's hash chains, each entry knows how far back the last one of
// its bucket of channels is, and each bucket its newest entry. There are about
// as many buckets as entries, so what else stands in one is little; it is told
// apart by the channel's bytes. Nothing has to be removed: what points below
// the first entry is the end of the chain.

// name is where an entry's channel stands: apart (1 bit), its length (9) and
// where it begins (22), in the frame or, if apart, in the chunk's names.
type name uint32

const (
	nameAtMax  = 1<<22 - 1
	nameLenMax = 1<<9 - 1
	nameApart  = 1 << 31
)

func newName(at, length int, apart bool) name {
	n := name(min(length, nameLenMax))<<22 | name(at)
	if apart {
		n |= nameApart
	}
	return n
}

func (n name) apart() bool { return n&nameApart != 0 }
func (n name) len() int    { return int(n >> 22 & nameLenMax) }
func (n name) at() int     { return int(n & nameAtMax) }

// headsMin is how many buckets an index has at first.
const headsMin = 16

func headsBytes(n int) int64 { return int64(n) * 4 }

func (s *Store) bucket(w *window, channel []byte) *Place {
	return &w.heads[maphash.Bytes(s.seed, channel)&uint64(len(w.heads)-1)]
}

// link puts the newest entry into its channel's chain.
func (s *Store) link(w *window, channel []byte) {
	if w.len > len(w.heads) {
		s.spread(w)
		return
	}
	w.chain(w.len-1, s.bucket(w, channel))
}

// chain links the entry at i, which is newer than all in the bucket.
func (w *window) chain(i int, head *Place) {
	place := w.base + Place(i)
	w.at(i).back = uint32(place - *head)
	*head = place
}

// spread links all entries anew, over twice as many buckets as before.
func (s *Store) spread(w *window) {
	s.stats.Bytes -= headsBytes(len(w.heads))
	w.heads = make([]Place, max(headsMin, 2*len(w.heads)))
	s.stats.Bytes += headsBytes(len(w.heads))
	for i := range w.heads {
		w.heads[i] = w.base - 1 // the end of the chain
	}
	for i := range w.len {
		w.chain(i, s.bucket(w, s.channel(w.at(i))))
	}
}

// newest is where the newest entry of a channel's bucket is; negative: nowhere.
func (s *Store) newest(w *window, channel []byte) int {
	if w.len == 0 {
		return -1
	}
	return w.indexOf(*s.bucket(w, channel))
}

// older is where the one before it in its bucket is; negative: nowhere.
func (w *window) older(i int) int {
	if back := w.at(i).back; uint64(back) <= uint64(i) && back > 0 {
		return i - int(back)
	}
	return -1
}

// indexOf is where a place is, if it still is there.
func (w *window) indexOf(p Place) int {
	if i := uint32(p - w.base); uint64(i) < uint64(w.len) {
		return int(i)
	}
	return -1
}

// Place is the number of an entry in its index: the next one's is one more. It
// wraps; what has left the index is not found, and neither is what is not there
// yet.
type Place uint32

// History is what sessions are replayed from: the records of a partition that
// were applied. The zero History has none.
type History struct {
	store  *Store
	window *window
}

// History gives the Replica's.
func (r *Replica) History() History { return History{r.store, r.window} }

// From is the first offset that is covered.
func (h History) From() int64 { return h.window.from }

// Above gives the places of all records above an offset: from the first up to,
// and without, the end.
func (h History) Above(offset int64) (first, end Place) {
	w := h.window
	return w.base + Place(min(w.after(offset), w.applied)), w.base + Place(w.applied)
}

// At gives the record at a place; false: it was trimmed.
func (h History) At(p Place) (e Entry, ok bool) {
	i := h.window.indexOf(p)
	if i < 0 || i >= h.window.applied {
		return Entry{}, false
	}
	entry := h.window.at(i)
	return Entry{Offset: entry.offset, Time: entry.time, Channel: h.store.channel(entry), Ref: entry.ref}, true
}

// Of appends the places of the records of some channels above an offset, oldest
// first. It gives up, and tells so, when that takes more than so many looks.
// The channels must be different ones.
func (h History) Of(dst []Place, channels [][]byte, above int64, looks int) ([]Place, bool) {
	w, had := h.window, len(dst)
	first := w.after(above)
	for _, c := range channels {
		for i := h.store.newest(w, c); i >= first; i = w.older(i) {
			if looks--; looks < 0 {
				return dst[:had], false
			}
			if i < w.applied && bytes.Equal(h.store.channel(w.at(i)), c) {
				dst = append(dst, w.base+Place(i))
			}
		}
		looks--
	}
	slices.SortFunc(dst[had:], func(a, b Place) int { return int(a-w.base) - int(b-w.base) })
	return dst, true
}

// Newest gives the places of the newest records of a channel, at most so many,
// the newest first. It gives up after so many looks, and tells how many it took.
func (h History) Newest(dst []Place, channel []byte, most, looks int) (places []Place, looked int) {
	w := h.window
	for i := h.store.newest(w, channel); i >= 0 && most > 0 && looked < looks; i = w.older(i) {
		looked++
		if i < w.applied && bytes.Equal(h.store.channel(w.at(i)), channel) {
			dst = append(dst, w.base+Place(i))
			most--
		}
	}
	return dst, looked
}
