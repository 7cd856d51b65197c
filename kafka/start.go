package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

// Start is where a partition without history begins. The zero value is End.
type Start struct {
	beginning bool
	ago       time.Duration
}

// End starts with the first record that is decided on after now: at the last
// stable offset. Not at the high watermark, which may lie above records of
// transactions that are open now: committed later, they were never seen.
func End() Start { return Start{} }

// Beginning starts with the oldest record.
func Beginning() Start { return Start{beginning: true} }

// Ago starts with the first record whose timestamp is at most d back.
func Ago(d time.Duration) Start { return Start{ago: d} }

// ErrStart is a start that can't be understood.
var ErrStart = errors.New(`kafka: a start is "end", "start" or how far back, like 15m`)

// ParseStart reads a start as operators write it.
func ParseStart(text string) (Start, error) {
	switch text {
	case "end":
		return End(), nil
	case "start":
		return Beginning(), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return Ago(d), nil
	}
	return Start{}, fmt.Errorf("%w: %q", ErrStart, text)
}

// String is what ParseStart reads.
func (s Start) String() string {
	switch {
	case s.beginning:
		return "start"
	case s.ago > 0:
		return s.ago.String()
	}
	return "end"
}

// Resolve turns a start into the offset of the first record to read: for all
// partitions, or an error. It tries again until ctx is done.
func (s *Source) Resolve(ctx context.Context, ps []event.Partition, at Start) (map[event.Partition]int64, error) {
	if at.beginning {
		return s.offsets(ctx, ps, atStart, readCommitted)
	}
	// the end comes first: a record that arrives meanwhile is above it
	ends, err := s.offsets(ctx, ps, atEnd, readCommitted)
	if err != nil || at.ago <= 0 {
		return ends, err
	}
	found, err := s.offsets(ctx, ps, time.Now().Add(-at.ago).UnixMilli(), readCommitted)
	if err != nil {
		return nil, err
	}
	for p, end := range ends {
		if b := found[p]; b >= 0 && b < end { // -1: all are older
			ends[p] = b
		}
	}
	return ends, nil
}
