package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// reader understands the server's messages.
type reader struct {
	topics     int
	partitions int // of a topic
}

var (
	recordStart  = []byte(`{"type":"message","channel":"`)
	posStart     = []byte(`","pos":"`)
	channelStart = []byte(`{"bch":`)
	timeStart    = []byte(`"bts":`)
)

// isRecord is what most messages are: they are taken apart by their fixed form.
func isRecord(b []byte) bool { return bytes.HasPrefix(b, recordStart) }

// record takes a record apart: which channel it is of, where it stands, and when
// it was sent.
func (r reader) record(b []byte) (channel int32, at position, sent uint64, err error) {
	b = b[len(recordStart):]
	i := bytes.Index(b, posStart)
	if i < 0 {
		return 0, at, 0, errNotRecord
	}
	b = b[i+len(posStart):]
	end := bytes.IndexByte(b, '"')
	if end < 0 {
		return 0, at, 0, errNotRecord
	}
	at, ok := r.position(b[:end])
	if !ok {
		return 0, at, 0, fmt.Errorf("%w: pos %q", errNotRecord, b[:end])
	}
	c, b, ok1 := numberBehind(b, channelStart)
	sent, _, ok2 := numberBehind(b, timeStart)
	if !ok1 || !ok2 {
		return 0, at, 0, errNotRecord
	}
	return int32(c), at, sent, nil
}

// position reads TOPIC:PARTITION:OFFSET.
func (r reader) position(b []byte) (at position, ok bool) {
	for i := range r.topics {
		rest, found := bytes.CutPrefix(b, []byte(events[i].topic))
		if !found || len(rest) == 0 || rest[0] != ':' {
			continue
		}
		p, rest, ok1 := number(rest[1:])
		if !ok1 || len(rest) == 0 || rest[0] != ':' || p >= uint64(r.partitions) {
			return at, false
		}
		o, rest, ok2 := number(rest[1:])
		return position{int32(i*r.partitions) + int32(p), int64(o)}, ok2 && len(rest) == 0
	}
	return at, false
}

// reached reads the pos of a notice: a position like any other, or -1 for the
// offset, where it isn't known how far everything is told.
func (r reader) reached(b []byte) (at position, ok bool) {
	if rest, unknown := bytes.CutSuffix(b, []byte(":-1")); unknown {
		at, ok = r.position(append(bytes.Clone(rest), ":0"...))
		at.offset = -1
		return at, ok
	}
	return r.position(b)
}

func numberBehind(b, mark []byte) (n uint64, rest []byte, ok bool) {
	i := bytes.Index(b, mark)
	if i < 0 {
		return 0, nil, false
	}
	return number(b[i+len(mark):])
}

func number(b []byte) (n uint64, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9' && i < 19; i++ {
		n = n*10 + uint64(b[i]-'0')
	}
	return n, b[i:], i > 0
}

// answer is any other message.
type answer struct {
	Type      string `json:"type"`
	Channel   string `json:"channel"`
	Dropped   int64  `json:"dropped"`
	Pos       string `json:"pos"`
	Rejected  []any  `json:"rejected"`
	Recovered bool   `json:"recovered"`
	Reason    string `json:"reason"`
	Replayed  int64  `json:"messages_replayed"`
	Cursor    map[string]struct {
		Epoch   string   `json:"epoch"`
		Offsets []*int64 `json:"offsets"`
	} `json:"cursor"`
}

func parseAnswer(b []byte) (a answer, err error) {
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("%w: %.200q", err, b)
	}
	return a, nil
}

// marks are the cursor's offsets, by partition of all topics.
func (r reader) marks(a answer) marks {
	m := make(marks, r.topics*r.partitions)
	for i := range m {
		m[i] = -1
		offsets := a.Cursor[events[i/r.partitions].topic].Offsets
		if at := i % r.partitions; at < len(offsets) && offsets[at] != nil {
			m[i] = *offsets[at]
		}
	}
	return m
}

// channel finds the number of a channel by its name.
func (r reader) channel(name string) (int32, error) {
	subject, event, _ := strings.Cut(name, ".")
	n, err := strconv.Atoi(strings.TrimPrefix(subject, "S"))
	for i := range r.topics {
		if err == nil && events[i].event == event {
			return int32(n*r.topics + i), nil
		}
	}
	return 0, fmt.Errorf("there is no channel %q", name)
}
