package route

import "errors"

// Slow is what happens to a session that is too slow for a route's records.
type Slow uint8

// The policies; closing is the default.
const (
	SlowClose    Slow = iota // close with 4000
	SlowDrop                 // drop the oldest, announced by `gap`
	SlowConflate             // keep only the newest of each channel
)

var errSlow = errors.New("slow must be close (the default), drop or conflate")

// ParseSlow reads a policy; the empty string is the default.
func ParseSlow(text string) (Slow, error) {
	switch text {
	case "", "close":
		return SlowClose, nil
	case "drop":
		return SlowDrop, nil
	case "conflate":
		return SlowConflate, nil
	}
	return SlowClose, errSlow
}

// String is the policy as the configuration has it.
func (s Slow) String() string {
	switch s {
	case SlowDrop:
		return "drop"
	case SlowConflate:
		return "conflate"
	}
	return "close"
}
