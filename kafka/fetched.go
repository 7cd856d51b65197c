package kafka

import "github.com/odin-ws/odin/internal/event"

// Tag marks what an assignment delivers: the index of the partition in the
// partition table, and the term and era that it is fetched for. Topic is the
// incarnation that the assigned offset belongs to: should the broker have
// another one, that is a fault. Zero: whatever the broker has.
type Tag struct {
	Index     int
	Term, Era uint32
	Topic     event.TopicID
}

// Fetched is what came of one partition. Within an assignment, Prev is the To
// of the one before, at first the assigned offset less one. All records of it
// were appended under one leader epoch, ToEpoch. Records are valid until the
// callback returns. Without any, To may have moved all the same (aborted and
// control records, those that Encode skipped, compacted ones), or the bounds
// of the log did.
type Fetched struct {
	event.Advance
	Stable   int64               // last stable offset of the log when it was fetched, -1 unknown
	High     int64               // its high watermark, -1 unknown
	LogStart int64               // the first offset in it, -1 unknown
	Skipped  [SkipReasons]uint32 // records that Encode found no place for, by its reason
	Fault    Fault               // if any: the last of its assignment, To is Prev
}

// FaultKind says why a partition can't be read on.
type FaultKind uint8

// The kinds of Fault.
const (
	NoFault    FaultKind = iota
	Truncated            // what was read is no longer all in the log
	Recreated            // the topic was made anew
	Trimmed              // the wanted offset is below the log's start
	Unreadable           // a batch can't be decoded, and was fetched several times
)

// String names the kind for logs.
func (k FaultKind) String() string {
	switch k {
	case NoFault:
		return "none"
	case Truncated:
		return "truncated"
	case Recreated:
		return "recreated"
	case Trimmed:
		return "trimmed"
	case Unreadable:
		return "unreadable"
	}
	return "unknown"
}

// Fault is a break in a partition's log. It is told once, behind all that was
// fetched before it, and the partition rests until it is assigned anew.
type Fault struct {
	Kind FaultKind
	// Offset is where reading can go on. Truncated: the first offset that
	// may not be as it was. Trimmed: the log's start. Unreadable: the one
	// behind the broken batch. Recreated: 0.
	Offset int64
	Epoch  int32         // Truncated: the leader epoch of Offset-1, event.NoEpoch if unknown
	Topic  event.TopicID // Recreated: the new incarnation
	Err    error         // the cause in words
}
