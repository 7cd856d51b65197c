package shm

import "sync/atomic"

// readTriesMax bounds how often a reader starts again because the writer was
// faster. A dead writer costs no retry at all.
const readTriesMax = 64

// twin is a value of several words kept twice: words[0] counts the writes, and
// the copy that its lowest bit names is whole. The writer fills the other copy
// and then moves the count on, so a writer that dies or is stopped anywhere
// leaves the last complete value in place; a plain seqlock would lose it.
// One writer, any number of readers.
type twin struct{ words []uint64 }

// twinWords is the size of a twin for a value of n words.
func twinWords(n int) int { return 1 + 2*n }

func (t twin) copyOf(version uint64) []uint64 {
	n := (len(t.words) - 1) / 2
	from := 1 + int(version&1)*n
	return t.words[from : from+n]
}

// write makes v, of exactly the twin's size, the value.
func (t twin) write(v []uint64) {
	next := atomic.LoadUint64(&t.words[0]) + 1
	to := t.copyOf(next)
	for i := range to {
		atomic.StoreUint64(&to[i], v[i])
	}
	atomic.StoreUint64(&t.words[0], next)
}

// read copies the value; false if it was never written, or if the writer
// overtook the reader readTriesMax times.
func (t twin) read(into []uint64) bool {
	for range readTriesMax {
		version := atomic.LoadUint64(&t.words[0])
		if version == 0 {
			return false
		}
		from := t.copyOf(version)
		for i := range into {
			into[i] = atomic.LoadUint64(&from[i])
		}
		// The writer touches this copy only after it has moved the count on.
		if atomic.LoadUint64(&t.words[0]) == version {
			return true
		}
	}
	return false
}
