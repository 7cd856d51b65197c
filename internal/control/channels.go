package control

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/odin-ws/odin/internal/event"
)

// Bounds of questions about channels.
const (
	FiltersMax       = 100    // patterns that a question names
	PatternCountsMax = 10_000 // patterns that a worker tells of: those of the most sessions
	SampledMax       = 10_000 // channels that a sample counts apart; the records of all others count as one
	SampleSecondsMax = 60
	CountsMax        = 100 // in one item
)

// Channels asks for the patterns that sessions subscribe to, or for the traffic
// of channels: of those alone that one of Within matches, if there are some.
type Channels struct {
	Within []string `json:"within,omitempty"` // channels and patterns, at most FiltersMax
}

// Check tells what is wrong with a question, and what would be right.
func (q *Channels) Check() error {
	var wrong []error
	if len(q.Within) > FiltersMax {
		wrong = append(wrong, fmt.Errorf("%d patterns are too many, allowed: %d", len(q.Within), FiltersMax))
	}
	for _, text := range q.Within[:min(len(q.Within), FiltersMax)] {
		if _, _, err := event.SplitPattern([]byte(text)); err != nil {
			wrong = append(wrong, fmt.Errorf("%.64q: %w", text, err))
		}
	}
	return errors.Join(wrong...)
}

// Selection decides which channels and patterns are asked for.
type Selection struct {
	all                    bool
	exact, subjects, names map[string]bool
}

// Selection is the question's, which Check has found right.
func (q *Channels) Selection() *Selection {
	s := &Selection{all: len(q.Within) == 0, exact: map[string]bool{}, subjects: map[string]bool{}, names: map[string]bool{}}
	for _, text := range q.Within {
		subject, name, _ := strings.Cut(text, ".")
		switch {
		case subject == "*" && name == "*":
			s.all = true
		case subject == "*":
			s.names[name] = true
		case name == "*":
			s.subjects[subject] = true
		default:
			s.exact[text] = true
		}
	}
	return s
}

// Has tells whether one of the patterns is this channel or pattern, or matches
// all that it does.
func (s *Selection) Has(pattern []byte) bool {
	if s.all || s.exact[string(pattern)] {
		return true
	}
	subject, name, ok := bytes.Cut(pattern, []byte{'.'})
	return ok && (s.subjects[string(subject)] || s.names[string(name)])
}

// PatternCount is how many sessions subscribe to a pattern.
type PatternCount struct {
	Pattern  string `json:"pattern"`  // or channel
	Sessions int    `json:"sessions"` // that subscribe to exactly this
}

// CompareCounts puts the pattern of the most sessions first.
func CompareCounts(a, b *PatternCount) int {
	if a.Sessions != b.Sessions {
		return b.Sessions - a.Sessions
	}
	return strings.Compare(a.Pattern, b.Pattern)
}

// ChannelsItem is what an answer about subscribed patterns consists of: counts,
// the largest first, and at last the Total. An empty one says that it is worked
// on.
type ChannelsItem struct {
	Counts []PatternCount `json:"counts,omitempty"`
	Total  *ChannelsTotal `json:"total,omitempty"`
}

// ChannelsTotal is what there was to answer from.
type ChannelsTotal struct {
	Patterns      int `json:"patterns"`      // that were asked for and are subscribed to
	Subscriptions int `json:"subscriptions"` // to them
	Least         int `json:"least"`         // what isn't told has no more sessions than this; 0: all is told
}

// ChannelTraffic is what came on a channel in the time of a sample.
type ChannelTraffic struct {
	Channel string `json:"channel"`
	Records uint64 `json:"records"`
	Bytes   uint64 `json:"bytes"` // of their frames
}

// TrafficItem is what an answer about traffic consists of: counts, and at last
// the Total.
type TrafficItem struct {
	Counts []ChannelTraffic `json:"counts,omitempty"`
	Total  *TrafficTotal    `json:"total,omitempty"`
}

// TrafficTotal is the whole of a sample.
type TrafficTotal struct {
	Seconds      float64 `json:"seconds"` // that it lasted
	Records      uint64  `json:"records"`
	Bytes        uint64  `json:"bytes"`
	OtherRecords uint64  `json:"other_records"` // of them, those of channels beyond SampledMax
	OtherBytes   uint64  `json:"other_bytes"`
}
