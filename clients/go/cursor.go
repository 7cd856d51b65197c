package odin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Bounds of what a server may say of places. No odind has more partitions, and
// none has more than 64 topics at a time.
const (
	partitionsMax = 4096
	topicsMax     = 1024
	topicMax      = 249 // bytes of its name, as Kafka has it
	epochMax      = 128 // bytes
)

// Pos is a record's place in the log.
type Pos struct {
	Topic     string
	Partition int
	Offset    int64
}

// String is the place as the protocol writes it: topic:partition:offset.
func (p Pos) String() string {
	return p.Topic + ":" + strconv.Itoa(p.Partition) + ":" + strconv.FormatInt(p.Offset, 10)
}

// ParsePos reads what Pos.String writes.
func ParsePos(text string) (Pos, error) {
	rest, offset, ok := cutLast(text)
	topic, partition, ok2 := cutLast(rest)
	if !ok || !ok2 || topic == "" || len(topic) > topicMax || partition >= partitionsMax {
		return Pos{}, fmt.Errorf("odin: %.300q is no position: topic:partition:offset, like odin.trades:7:1042", text)
	}
	return Pos{Topic: topic, Partition: int(partition), Offset: offset}, nil
}

// cutLast cuts the number behind the last colon off.
func cutLast(text string) (before string, number int64, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(text[i+1:], 10, 63)
	return text[:i], int64(n), err == nil
}

// Cursor is a place in the log: for each topic, how far one has got. As JSON it
// has the protocol's form, which is what to keep in a file.
type Cursor map[string]TopicCursor

// TopicCursor is the place in one topic.
type TopicCursor struct {
	// Epoch names the incarnation of the topic that the offsets belong to.
	Epoch string `json:"epoch"`
	// Offsets has an entry for each partition: every record up to it was had,
	// or announced as lost.
	Offsets []Offset `json:"offsets"`
}

// Offset is a place in a partition: -1 is before its first record.
type Offset int64

// Unproven is the place in a partition of which nothing can be proven: null in
// JSON.
const Unproven Offset = -2

// MarshalJSON writes the number, or null.
func (o Offset) MarshalJSON() ([]byte, error) {
	if o == Unproven {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(o), 10), nil
}

// UnmarshalJSON reads a whole number from -1 on, or null.
func (o *Offset) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*o = Unproven
		return nil
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < -1 {
		return fmt.Errorf("odin: %s is no offset: a whole number from -1 on, or null", text)
	}
	*o = Offset(n)
	return nil
}

// ParseCursor reads a cursor that was kept as JSON.
func ParseCursor(text []byte) (Cursor, error) {
	var c Cursor
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("odin: no cursor: %w", err)
	}
	if c == nil {
		return nil, fmt.Errorf("odin: no cursor: %s is no object", text)
	}
	return c, c.check()
}

// check holds a cursor to the server's bounds.
func (c Cursor) check() error {
	n := 0
	for topic, entry := range c {
		if len(topic) > topicMax || len(entry.Epoch) > epochMax {
			return fmt.Errorf("odin: a cursor with a topic of %d bytes and an epoch of %d, allowed: %d and %d", len(topic), len(entry.Epoch), topicMax, epochMax)
		}
		n += len(entry.Offsets)
	}
	if n > partitionsMax || len(c) > topicsMax {
		return fmt.Errorf("odin: a cursor of %d topics and %d partitions, allowed: %d and %d", len(c), n, topicsMax, partitionsMax)
	}
	return nil
}

// Clone returns a copy that shares nothing with the cursor.
func (c Cursor) Clone() Cursor {
	copied := maps.Clone(c)
	for topic, entry := range copied {
		copied[topic] = entry.clone()
	}
	return copied
}

func (t TopicCursor) clone() TopicCursor {
	t.Offsets = slices.Clone(t.Offsets)
	return t
}

// Advance moves the cursor behind a record, so that it can be kept together
// with what a handler made of the record. It never moves back. A record of a
// topic that the cursor doesn't have is left out: its epoch isn't known.
func (c Cursor) Advance(p Pos) {
	entry, ok := c[p.Topic]
	if !ok || p.Partition < 0 || p.Partition >= partitionsMax {
		return
	}
	entry.Offsets = raise(entry.Offsets, p)
	c[p.Topic] = entry
}

// raise makes the partition's offset the larger one. Partitions that are not
// there yet are before their first record.
func raise(offsets []Offset, p Pos) []Offset {
	for len(offsets) <= p.Partition {
		offsets = append(offsets, -1)
	}
	offsets[p.Partition] = max(offsets[p.Partition], Offset(p.Offset))
	return offsets
}

// covers tells whether the cursor says that the record was sent.
func (c Cursor) covers(p Pos) bool {
	return at(c[p.Topic].Offsets, p.Partition) >= Offset(p.Offset)
}

// at is the partition's offset; one that isn't there is before its first
// record.
func at(offsets []Offset, partition int) Offset {
	if partition < len(offsets) {
		return offsets[partition]
	}
	return -1
}
