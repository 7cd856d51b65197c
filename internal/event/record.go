package event

import "strconv"

// None is the offset of "nothing yet": the one before a partition's first.
const None int64 = -1

// NoEpoch is a leader epoch that is not known.
const NoEpoch int32 = -1

// Partition names one partition of one topic.
type Partition struct {
	Topic  string
	Number int32
}

// String gives the form that clients see in `pos` and operators in logs.
func (p Partition) String() string {
	return p.Topic + ":" + strconv.FormatInt(int64(p.Number), 10)
}

// Record is one record, routed to its channel and encoded once, as it travels
// between workers and into sessions.
type Record struct {
	Offset  int64
	Epoch   int32  // leader epoch of the batch that held it, NoEpoch if unknown
	Time    int64  // the producer's timestamp, Unix milliseconds; never used for order
	Channel []byte // "SUBJECT.EVENT"
	Frame   []byte // the complete WebSocket frame, the same bytes for every session
}

// Advance (ADV) carries all visible, placeable records of (Prev, To] of one
// partition, in offset order. Skipped, aborted and control records only move
// To, so Records may be empty. A poll of Kafka is an Advance to oneself.
type Advance struct {
	Partition int // index in the partition table
	Era       uint32
	Term      uint32
	Prev      int64
	To        int64
	ToEpoch   int32 // leader epoch of To
	Records   []Record
}

// Seek asks the owner of a partition to relay from Held+1 on.
type Seek struct {
	Partition  int
	Era        uint32
	Term       uint32
	Positioned bool  // false: the receiver holds nothing and takes the owner's Held
	Held       int64 // last offset held; meaningless unless Positioned
	HeldEpoch  int32 // leader epoch of Held
}

// Want asks the owner of a partition for all records of [From, To], below the
// asker's history, for sessions that resume.
type Want struct {
	Partition int
	Era       uint32
	Number    uint32 // of the question: the answer repeats it
	From, To  int64
}

// Past is a part of the answer to a Want: all records of (Prev, To].
type Past struct {
	Partition int
	Era       uint32
	Number    uint32
	Prev, To  int64
	Records   []Record
}

// PastEnd ends the answer to a Want, which reached so far.
type PastEnd struct {
	Partition int
	Era       uint32
	Number    uint32
	To        int64
	LogStart  int64 // what lies below it is gone from the log; None: not known
	Why       uint8 // why no more can be had, a resume.Reason; 0: that was all
}

// Lost says that the records of (Prev, To] can't be had any more.
type Lost struct {
	Partition int
	Era       uint32
	Term      uint32
	Prev      int64
	To        int64
}
