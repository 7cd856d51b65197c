package replica

import "github.com/odin-ws/odin/internal/event"

// Kind tells which fields of an Effect count.
type Kind uint8

// The kinds of effects, to be carried out in the order they were given.
const (
	// Fetch: assign the partition to this worker's source: From (the next
	// offset), Epoch (leader epoch of From-1), Term and Era (the tag of each
	// poll). It replaces an earlier assignment.
	Fetch Kind = iota + 1
	// StopFetch: revoke the assignment.
	StopFetch
	// SendSeek: send Seek on the link to Peer.
	SendSeek
	// Wake: there is something to relay to Peer; call Next while its link is
	// writable and until it gives nothing. Not repeated before that.
	Wake
	// AskPublished: this worker owns the partition and has no position; answer
	// with PeerPublished.
	AskPublished
	// ReadRange: read [From, To] by the second reader, bounded as the worker
	// sees fit, and answer with RangeRead, tagged Term and Era. At most one is
	// on its way per partition; another Term or Era makes it void.
	ReadRange
	// ProposeEra: compare-and-set the era record to NewEra. Won or lost, the
	// record is then read anew for EraChanged.
	ProposeEra
	// Compare: ask the leader whether the record at From, of leader epoch Epoch,
	// is in its log, and answer with Compared, tagged Term and Era; try for as
	// long as both are the present ones. To is a leader epoch that was met: a
	// leader of an earlier one can't tell. At most one is on its way.
	Compare
	// Drain: what follows has to wait until all that is held is applied; do so
	// (Pending, Applied) before the next input, or that input is dropped and
	// asked for again.
	Drain
	// Reset: tell the sessions that can match, with Reason and Lost. Their
	// cursor becomes To for Epoch, and the larger of To and their own for
	// Trimmed. Replaying sessions are closed, retryably.
	Reset
	// Count: add N to Counter.
	Count
)

// Reason of a Reset, as the client protocol names it.
type Reason uint8

// The reasons.
const (
	Epoch   Reason = iota + 1 // made anew, or truncated
	Trimmed                   // gone from the log before they could be had
)

// String gives the word of the client protocol.
func (r Reason) String() string {
	switch r {
	case Epoch:
		return "epoch"
	case Trimmed:
		return "trimmed"
	}
	return "unknown"
}

// Effect is one thing for the worker to do.
type Effect struct {
	Kind    Kind
	Reason  Reason
	Lost    bool
	Counter Counter
	Epoch   int32
	Term    uint32
	Era     uint32
	Peer    int // slot
	From    int64
	To      int64
	N       uint64
	Seek    event.Seek
	NewEra  event.Era
}

// Counter names what a replica counts.
type Counter uint8

// The counters. Each drop of rules 7, 8 and 10 has its own.
const (
	DropStaleTerm Counter = iota // an ADV, LOST, poll or range of another term, or from who does not own
	DropOtherEra                 // the same of another era
	DropDuplicate                // all of it is held already
	DropUnsought                 // from a link on which nothing was asked for
	DropMissed                   // came between a LOST and its Drain, or while a position is compared; asked for again
	DropMalformed                // records out of order or out of (Prev, To]
	Gap                          // begins above what is held: a defect, to be logged
	SeekIgnored                  // a SEEK of another term or era, or to who does not own
	RangeFailed                  // a range that the log does not give any more
	LostRanges                   // LOST taken, the owner's own included
	LostOffsets                  // offsets in them
	EraChanges                   // eras entered, the first not counted
	countersLength
)

// Counters is how many counters there are.
const Counters = int(countersLength)

// String gives the counter's name as a metric's label has it.
func (c Counter) String() string {
	return [...]string{
		"stale_term", "other_era", "duplicate", "unsought", "missed", "malformed", "gap",
		"seek_ignored", "range_failed", "lost_ranges", "lost_offsets", "era_changes", "unknown",
	}[min(c, countersLength)]
}

func count(fx []Effect, c Counter, n uint64) []Effect {
	return append(fx, Effect{Kind: Count, Counter: c, N: n})
}
