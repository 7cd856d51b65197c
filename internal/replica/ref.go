package replica

// Ref is where a frame lies in a Store: 12 bytes without a pointer. The zero
// Ref refers to nothing. Two frames lie next to each other, and may be written
// as one, when they have the same Chunk and Off+Len of the first is Off of the
// second.
type Ref struct {
	Chunk uint32 // from 1, never used again
	Off   uint32
	Len   uint32
}

// Next tells whether s lies right behind r.
func (r Ref) Next(s Ref) bool { return r.Chunk == s.Chunk && r.Off+r.Len == s.Off }

// Entry is a record of a history, as it is handed to sessions.
type Entry struct {
	Offset  int64
	Time    int64  // the producer's timestamp, Unix milliseconds
	Channel []byte // aliases the Store: valid until the next Evict
	Ref     Ref
}
