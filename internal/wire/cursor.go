package wire

import (
	"strconv"
	"strings"

	"github.com/odin-ws/odin/internal/event"
)

// TopicCursor is a cursor's entry of one topic: for partition i, every
// matching record up to Offsets[i] was sent; -1 is before the first.
type TopicCursor struct {
	Topic   string
	Epoch   string // the topic's incarnation, event.EpochName
	Offsets []int64
}

// Unproven is an offset of which nothing can be proven: null on the wire.
const Unproven int64 = -2

// AppendCursor appends a cursor as JSON.
func AppendCursor(dst []byte, cursor []TopicCursor) []byte {
	dst = append(dst, '{')
	for i := range cursor {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = cursor[i].append(dst)
	}
	return append(dst, '}')
}

func (t *TopicCursor) append(dst []byte) []byte {
	dst = append(appendString(dst, t.Topic), `:{"epoch":`...)
	dst = append(appendString(dst, t.Epoch), `,"offsets":[`...)
	for i, offset := range t.Offsets {
		if i > 0 {
			dst = append(dst, ',')
		}
		if offset == Unproven {
			dst = append(dst, "null"...)
		} else {
			dst = strconv.AppendInt(dst, offset, 10)
		}
	}
	return append(dst, ']', '}')
}

const cursorForm = `{"topic":{"epoch":"…","offsets":[1042,-1]}}, as in the last answer`

// readCursor takes the cursor of a reconnect.
func (r *Request) readCursor(value []byte) *RequestError {
	if value[0] != '{' {
		return badRequest("data.cursor must be an object like " + cursorForm)
	}
	r.Cursor = []TopicCursor{}
	room := OffsetsMax
	for w := walk(value); ; {
		key, entry, ok := w.member()
		if !ok {
			return nil
		}
		topic, err := r.readTopicCursor(key, entry, room)
		if err != nil {
			return err
		}
		room -= len(topic.Offsets)
		r.Cursor = append(r.Cursor, topic)
	}
}

func (r *Request) readTopicCursor(key, entry []byte, room int) (t TopicCursor, fault *RequestError) {
	name, _ := unquote(key)
	t.Topic = string(name)
	path := "data.cursor[" + quoteShort(name) + "]"
	if len(name) > TopicMax || len(r.Cursor) == TopicsMax {
		return t, badRequest("data.cursor has at most 64 topics, their names at most 249 bytes")
	}
	for i := range r.Cursor {
		if r.Cursor[i].Topic == t.Topic {
			return t, badRequest(path + " is there twice: send it once")
		}
	}
	if entry[0] != '{' {
		return t, badRequest("data.cursor must be an object like " + cursorForm)
	}
	var epoch, offsets []byte
	if fault := members(entry, path+".", field{"epoch", &epoch}, field{"offsets", &offsets}); fault != nil {
		return t, fault
	}
	text, ok := unquote(epoch)
	if !ok || len(text) > EpochMax {
		return t, badRequest(path + ".epoch must be a string of at most 128 bytes, as in the last answer")
	}
	t.Epoch = string(text)
	t.Offsets, fault = readOffsets(offsets, path, room)
	return t, fault
}

// readOffsets takes an entry for each partition, at most room of them.
func readOffsets(value []byte, path string, room int) ([]int64, *RequestError) {
	if value == nil || value[0] != '[' {
		return nil, badRequest(path + ".offsets must be a list like [1042,-1,null]")
	}
	offsets := []int64{}
	for w := walk(value); ; {
		element, ok := w.element()
		if !ok {
			return offsets, nil
		}
		if len(offsets) == room {
			return nil, badRequest("data.cursor has at most 4096 offsets")
		}
		n, ok := wholeNumber(element)
		switch {
		case element[0] == 'n':
			n = Unproven
		case !ok || n < -1:
			return nil, badRequest(path + ".offsets[" + strconv.Itoa(len(offsets)) + "] must be a whole number from -1 on, or null")
		}
		offsets = append(offsets, n)
	}
}

// readLastOffsets takes the replaced system's form of a cursor.
func (r *Request) readLastOffsets(value []byte) *RequestError {
	if value[0] != '{' {
		return badRequest(`data.last_offset must be an object like {"odin.trades:7":1042}; better send the cursor of the last answer`)
	}
	r.LastOffsets = []LastOffset{}
	met := map[event.Partition]bool{}
	for w := walk(value); ; {
		key, entry, more := w.member()
		if !more {
			return nil
		}
		name, _ := unquote(key)
		if len(name) > TopicMax+len(":2147483647") || len(r.LastOffsets) == OffsetsMax {
			return badRequest("data.last_offset has at most 4096 entries, the topics' names at most 249 bytes")
		}
		path := "data.last_offset[" + quoteShort(name) + "]"
		offset, fault := readLastOffset(string(name), entry, path)
		if fault != nil {
			return fault
		}
		of := event.Partition{Topic: offset.Topic, Number: max(offset.Partition, 0)} // not named: it can only be the first
		if met[of] {
			return badRequest(path + " is there twice: send it once")
		}
		met[of] = true
		r.LastOffsets = append(r.LastOffsets, offset)
	}
}

func readLastOffset(name string, entry []byte, path string) (o LastOffset, fault *RequestError) {
	n, ok := wholeNumber(entry)
	if !ok || n < -1 {
		return o, badRequest(path + " must be a whole number from -1 on")
	}
	topic, partition, ok := splitPartition(name)
	if !ok {
		return o, badRequest(path + ` must be named "topic:partition", like "odin.trades:7"`)
	}
	return LastOffset{Topic: topic, Partition: partition, Offset: n}, nil
}

// splitPartition takes "topic:partition" apart; Kafka's names have no colon.
// Without one the partition is -1.
func splitPartition(name string) (topic string, partition int32, ok bool) {
	topic, number, found := strings.Cut(name, ":")
	if !found {
		return name, -1, true
	}
	n, err := strconv.ParseUint(number, 10, 31)
	return topic, int32(n), err == nil
}
