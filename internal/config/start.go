package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// agoMax bounds how far back a start may lie: ten years.
const agoMax = 10 * 365 * 24 * time.Hour

var errStart = errors.New(`allowed: end, start, or how far back, like 15m, 12h or 7d`)

// Start says where a partition is read from that nobody has a position of.
// The zero Start is the log's end.
type Start struct {
	Beginning bool          // the log's first record
	Ago       time.Duration // above 0: the first record not older than this
}

// ParseStart reads end, start or a duration (as time.ParseDuration does, and
// whole days: 7d).
func ParseStart(text string) (Start, error) {
	switch text {
	case "end":
		return Start{}, nil
	case "start":
		return Start{Beginning: true}, nil
	}
	ago, err := parseAgo(text)
	if err != nil || ago <= 0 || ago > agoMax {
		return Start{}, errStart
	}
	return Start{Ago: ago}, nil
}

func parseAgo(text string) (time.Duration, error) {
	days, ok := strings.CutSuffix(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 12)
	return time.Duration(n) * 24 * time.Hour, err
}

// String gives what ParseStart reads.
func (s Start) String() string {
	switch {
	case s.Beginning:
		return "start"
	case s.Ago > 0:
		return s.Ago.String()
	default:
		return "end"
	}
}

// MarshalText is String.
func (s Start) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseStart.
func (s *Start) UnmarshalText(text []byte) error {
	parsed, err := ParseStart(string(text))
	if err == nil {
		*s = parsed
	}
	return err
}
