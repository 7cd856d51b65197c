package route

import "errors"

// Slow is what happens to a session that is too slow for a route's records.
type Slow uint8

// SlowClose, the only policy so far, closes the session with 4000. The others
// of the protocol, drop and conflate, are refused until they are built: a
// route that asks for one must not silently get another.
const SlowClose Slow = 0

var errSlow = errors.New("slow must be close (the default); drop and conflate are not served by this version")

// ParseSlow reads a policy; the empty string is the default.
func ParseSlow(text string) (Slow, error) {
	if text == "" || text == "close" {
		return SlowClose, nil
	}
	return SlowClose, errSlow
}

// String is the policy as the configuration has it.
func (Slow) String() string { return "close" }
