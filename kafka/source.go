package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

// Errors of a Source.
var (
	ErrClosed  = errors.New("kafka: closed")
	ErrTrimmed = errors.New("kafka: the records are below the log's start")
)

// Tag marks what an assignment delivers. Topic is the incarnation that the
// offset belongs to: a topic made anew meanwhile is a fault. Zero: whatever
// the broker has.
type Tag struct {
	Index     int
	Term, Era uint32
	Topic     event.TopicID
}

// Fetched is what one fetch brought for one partition.
type Fetched struct {
	event.Advance                     // Prev is the last To of this assignment; records are valid until the callback returns
	Stable        int64               // last stable offset, as of this fetch; -1 unknown
	High          int64               // high watermark; -1 unknown
	LogStart      int64               // first offset in the log; -1 unknown
	Skipped       [SkipReasons]uint32 // records that Encode could not place, by reason
	Fault         Fault               // when set, the last of this assignment, and without records
}

// FaultKind says why a partition can't be read on.
type FaultKind uint8

// The kinds of Fault.
const (
	NoFault   FaultKind = iota
	Truncated           // the log lost what was read: Offset is the first offset that is not as it was
	Recreated           // the topic was made anew: Topic is its new id
	Trimmed             // the wanted offset is below the log's start: Offset is that start
)

// Fault is a break in a partition's log. It is told once, and the partition
// rests until it is assigned anew.
type Fault struct {
	Kind   FaultKind
	Offset int64
	Epoch  int32 // Truncated: leader epoch of Offset-1, event.NoEpoch if unknown
	Topic  event.TopicID
	Err    error // what the broker said
}

// Topology is what the cluster holds of the wanted topics.
type Topology struct {
	Topics  []Topic  // in the order of Options.Topics
	Missing []string // wanted, and not there
}

// Topic is one topic.
type Topic struct {
	Name       string
	ID         event.TopicID // zero: brokers without topic ids
	Partitions int
}

// Ends are the bounds of a partition's log.
type Ends struct{ LogStart, Stable, High int64 }

// RangeLimit bounds a Range; 0 = no bound of that kind.
type RangeLimit struct{ Records, Bytes int }

// Start is where a partition without history begins.
type Start struct {
	beginning bool
	ago       time.Duration
}

// End starts behind the newest record.
func End() Start { return Start{} }

// Beginning starts at the oldest record.
func Beginning() Start { return Start{beginning: true} }

// Ago starts at the first record that is at most d old, by its timestamp.
func Ago(d time.Duration) Start { return Start{ago: d} }

// Source reads partitions of Kafka.
type Source struct{}

// Open makes a Source. It does not wait for a broker.
func Open(Options) (*Source, error) { return nil, errors.ErrUnsupported }

// Close ends everything; Poll and Range return ErrClosed.
func (s *Source) Close() {}

// Assign reads a partition from an offset on, instead of what was assigned
// before. epoch is the leader epoch of from-1, event.NoEpoch if unknown.
func (s *Source) Assign(p event.Partition, tag Tag, from int64, epoch int32) {}

// Revoke stops reading a partition.
func (s *Source) Revoke(p event.Partition) {}

// Poll waits for what was fetched and hands it over, one call of into per
// partition and leader epoch. One goroutine polls.
func (s *Source) Poll(ctx context.Context, into func(Fetched)) error { return errors.ErrUnsupported }

// Range reads the visible, placeable records of [from,to] beside Poll. It
// returns how far it came: less than to when a limit was reached.
func (s *Source) Range(ctx context.Context, p event.Partition, from, to int64, lim RangeLimit) ([]event.Record, int64, error) {
	return nil, 0, errors.ErrUnsupported
}

// Topology asks for the wanted topics: complete and without any error, or an
// error.
func (s *Source) Topology(ctx context.Context) (Topology, error) {
	return Topology{}, errors.ErrUnsupported
}

// Resolve turns a start into the offset of the first record to read.
func (s *Source) Resolve(ctx context.Context, ps []event.Partition, at Start) (map[event.Partition]int64, error) {
	return nil, errors.ErrUnsupported
}

// Ends asks for the bounds of partitions' logs.
func (s *Source) Ends(ctx context.Context, ps []event.Partition) (map[event.Partition]Ends, error) {
	return nil, errors.ErrUnsupported
}

// EpochEnd asks where a leader epoch ended: the largest epoch that is not
// above it, and the offset behind that epoch's last record (KIP-101).
func (s *Source) EpochEnd(ctx context.Context, p event.Partition, epoch int32) (last int32, end int64, err error) {
	return 0, 0, errors.ErrUnsupported
}

// Health tells whether the brokers can be read from and, if not, why.
func (s *Source) Health() (healthy bool, reason string) { return false, "not open" }
