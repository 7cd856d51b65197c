package route

import (
	"fmt"
	"slices"
	"strings"
)

// Slow is what happens to a session that is too slow for a route's records.
type Slow uint8

// The policies.
const (
	SlowClose    Slow = iota // the session is closed with 4000
	SlowDrop                 // its oldest records are dropped and announced
	SlowConflate             // only the newest record of each channel is kept; the others are announced
)

var slowNames = []string{"close", "drop", "conflate"}

// ParseSlow reads a policy; the empty string is the default, close.
func ParseSlow(text string) (Slow, error) {
	i, err := choose("slow", text, slowNames)
	return Slow(i), err
}

// String is the policy as the configuration has it.
func (s Slow) String() string { return slowNames[s] }

// Class is how dear a route's records are when a session is owed too much: of
// the routes that may drop records, those of the lower class do first.
type Class uint8

// The classes. Records of a critical route are never dropped: the session is
// closed instead.
const (
	Normal Class = iota
	High
	Critical
)

var classNames = []string{"normal", "high", "critical"}

// ParseClass reads a class; the empty string is the default, normal.
func ParseClass(text string) (Class, error) {
	i, err := choose("class", text, classNames)
	return Class(i), err
}

// String is the class as the configuration has it.
func (c Class) String() string { return classNames[c] }

// choose finds a word among those allowed, of which the first is the default.
func choose(what, text string, allowed []string) (int, error) {
	if text == "" {
		return 0, nil
	}
	i := slices.Index(allowed, text)
	if i < 0 {
		return 0, fmt.Errorf("%s must be %s (the default), %s", what, allowed[0], strings.Join(allowed[1:], " or "))
	}
	return i, nil
}
