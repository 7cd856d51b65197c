package wire

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// Head is what a frame that AppendRecord or AppendGap made says of itself. Its
// slices alias the frame.
type Head struct {
	Channel   []byte
	Topic     []byte
	Partition int32
	Offset    int64
	Dropped   uint64 // of a gap; 0: a record
}

// FrameSize is the size of the unmasked frame that b begins with (RFC 6455
// section 5.2); b holds at least its header.
func FrameSize(b []byte) int {
	head, payload := frameSizes(b)
	return head + payload
}

func frameSizes(b []byte) (head, payload int) {
	switch n := int(b[1] & 0x7f); n {
	case length16:
		return 4, int(binary.BigEndian.Uint16(b[2:]))
	case length64:
		return 10, int(binary.BigEndian.Uint64(b[2:]))
	default:
		return 2, n
	}
}

const gapChannel = `{"type":"gap","channel":`

// ReadHead reads the head of a frame of our own making. False: it is neither
// a record nor a gap, but an answer, a notice or a control frame.
func ReadHead(frame []byte) (h Head, ok bool) {
	if Opcode(frame[0]&0x0f) != Text {
		return h, false
	}
	size, _ := frameSizes(frame)
	body := frame[size:]
	if rest, found := bytes.CutPrefix(body, []byte(recordChannel)); found {
		return readRecordHead(rest)
	}
	if rest, found := bytes.CutPrefix(body, []byte(gapChannel)); found {
		return readGapHead(rest)
	}
	return h, false
}

func readRecordHead(rest []byte) (h Head, ok bool) {
	h.Channel, rest = plainString(rest)
	rest, ok = bytes.CutPrefix(rest, []byte(recordPos))
	return h, ok && h.readPos(rest)
}

func readGapHead(rest []byte) (h Head, ok bool) {
	h.Channel, rest = plainString(rest)
	rest, ok = bytes.CutPrefix(rest, []byte(`,"dropped":`))
	end := bytes.IndexByte(rest, ',')
	if !ok || end < 0 {
		return h, false
	}
	var err error
	if h.Dropped, err = strconv.ParseUint(string(rest[:end]), 10, 64); err != nil || h.Dropped == 0 {
		return h, false
	}
	rest, ok = bytes.CutPrefix(rest[end:], []byte(recordPos))
	return h, ok && h.readPos(rest)
}

// plainString reads a JSON string in which nothing is escaped: channels and
// topics have no byte that would have to be. What is none gives nil.
func plainString(b []byte) (text, rest []byte) {
	if len(b) == 0 || b[0] != '"' {
		return nil, b
	}
	end := bytes.IndexByte(b[1:], '"')
	if end < 0 {
		return nil, b
	}
	return b[1 : 1+end], b[2+end:]
}

// readPos reads "topic:partition:offset" from its end, as a topic of brokers
// that allow it may hold a colon.
func (h *Head) readPos(b []byte) bool {
	text, _ := plainString(b)
	last := bytes.LastIndexByte(text, ':')
	if last < 0 {
		return false
	}
	middle := bytes.LastIndexByte(text[:last], ':')
	if middle < 0 {
		return false
	}
	partition, err := strconv.ParseInt(string(text[middle+1:last]), 10, 32)
	if err != nil {
		return false
	}
	offset, err := strconv.ParseInt(string(text[last+1:]), 10, 64)
	if err != nil {
		return false
	}
	h.Topic, h.Partition, h.Offset = text[:middle], int32(partition), offset
	return true
}
