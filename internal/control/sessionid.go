package control

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// SessionID names one session of all that a node ever had: the worker's slot
// and generation, and the number of its arrival there. Its text, in logs and
// answers, is SLOT-GENERATION-NUMBER, like 3-1-12345.
type SessionID struct {
	Slot       int
	Generation uint32
	Number     uint64 // from 1
}

// ErrSessionID says what a session's id looks like.
var ErrSessionID = errors.New("a session's id is SLOT-GENERATION-NUMBER, like 3-1-12345")

// String is the id's text.
func (id SessionID) String() string {
	return strconv.Itoa(id.Slot) + "-" + strconv.FormatUint(uint64(id.Generation), 10) + "-" + strconv.FormatUint(id.Number, 10)
}

// ParseSessionID reads what String writes.
func ParseSessionID(text string) (SessionID, error) {
	parts := strings.Split(text, "-")
	if len(parts) != 3 {
		return SessionID{}, fmt.Errorf("%.64q: %w", text, ErrSessionID)
	}
	slot, err := strconv.ParseUint(parts[0], 10, 16)
	generation, err2 := strconv.ParseUint(parts[1], 10, 32)
	number, err3 := strconv.ParseUint(parts[2], 10, 64)
	if errors.Join(err, err2, err3) != nil {
		return SessionID{}, fmt.Errorf("%.64q: %w", text, ErrSessionID)
	}
	return SessionID{Slot: int(slot), Generation: uint32(generation), Number: number}, nil
}

// MarshalText is for JSON, where an id is a string.
func (id SessionID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (id *SessionID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseSessionID(string(text))
	return err
}
