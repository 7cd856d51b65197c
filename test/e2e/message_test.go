package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// message is anything that the server sends, with the fields of all types.
type message struct {
	Type         string          `json:"type"`
	ID           *string         `json:"id"`
	Version      string          `json:"version"`
	Node         string          `json:"node"`
	Worker       *int            `json:"worker"`
	TS           int64           `json:"ts"`
	PingInterval int             `json:"ping_interval_ms"`
	Limits       map[string]int  `json:"limits"`
	Channel      string          `json:"channel"`
	Pos          string          `json:"pos"`
	Data         json.RawMessage `json:"data"`
	Encoding     string          `json:"encoding"`
	Subscribed   []string        `json:"subscribed"`
	Unsubscribed []string        `json:"unsubscribed"`
	Rejected     []rejection     `json:"rejected"`
	Count        int             `json:"count"`
	History      int             `json:"history"`
	Recovered    bool            `json:"recovered"`
	Code         string          `json:"code"`
	Message      string          `json:"message"`
	Reason       string          `json:"reason"`
	Lost         *bool           `json:"lost"`
	Dropped      int             `json:"dropped"`
	Cursor       cursor          `json:"cursor"`

	raw []byte
	at  time.Time // when it was read
	pos position
}

type rejection struct {
	Channel string `json:"channel"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// cursor is a C of protocol.md.
type cursor map[string]topicCursor

type topicCursor struct {
	Epoch   string   `json:"epoch"`
	Offsets []*int64 `json:"offsets"`
}

// partition names one.
type partition struct {
	topic  string
	number int32
}

// position is where a record stands.
type position struct {
	partition
	offset int64
}

func (p position) String() string { return fmt.Sprintf("%s:%d:%d", p.topic, p.number, p.offset) }

// at is the cursor's entry, and whether it has one that proves something.
func (c cursor) at(p partition) (int64, bool) {
	entry, ok := c[p.topic]
	if !ok || int(p.number) >= len(entry.Offsets) || entry.Offsets[p.number] == nil {
		return 0, false
	}
	return *entry.Offsets[p.number], true
}

// parseMessage is strict about what is JSON and what a position is.
func parseMessage(raw []byte) (message, error) {
	m := message{raw: raw, at: time.Now()}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("not JSON: %w: %.200q", err, raw)
	}
	var err error
	if m.Type == "message" {
		m.pos, err = parsePosition(m.Pos)
	}
	return m, err
}

func parsePosition(s string) (position, error) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return position{}, fmt.Errorf("pos %q", s)
	}
	number, err1 := strconv.ParseInt(parts[1], 10, 32)
	offset, err2 := strconv.ParseInt(parts[2], 10, 64)
	if err1 != nil || err2 != nil || number < 0 || offset < 0 {
		return position{}, fmt.Errorf("pos %q", s)
	}
	return position{partition{parts[0], int32(number)}, offset}, nil
}

// keysOf are the sorted names of a JSON object's fields.
func keysOf(raw []byte) []string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return nil
	}
	keys := make([]string, 0, len(fields))
	for k := range fields {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// matches tells whether a pattern, like BTC.*, stands for a channel.
func matches(pattern, channel string) bool {
	ps, pe, _ := strings.Cut(pattern, ".")
	cs, ce, _ := strings.Cut(channel, ".")
	return (ps == "*" || ps == cs) && (pe == "*" || pe == ce)
}

func matchesAny(patterns []string, channel string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, channel) })
}

func cutChannel(channel string) (subject, event string, ok bool) {
	return strings.Cut(channel, ".")
}
