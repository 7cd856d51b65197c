package wire

import (
	"encoding/base64"
	"strconv"

	"github.com/odin-ws/odin/internal/event"
)

// The words of a record's frame, in their order.
const (
	recordChannel = `{"type":"message","channel":`
	recordPos     = `,"pos":`
	recordTime    = `,"ts":`
	recordData    = `,"data":`
	recordBase64  = `,"encoding":"base64","data":"`
	recordNull    = `null`
)

// AppendRecord appends the complete text frame of one record, the same bytes
// for every session. value is spliced in as it is when it is ValidJSON, else
// as base64 in a string; nil, a tombstone, is null. tsMillis is the record's
// timestamp in Unix milliseconds. Where dst has room it allocates nothing.
func AppendRecord(dst, channel []byte, p event.Partition, offset, tsMillis int64, value []byte) []byte {
	dst, _ = AppendRecordKind(dst, channel, p, offset, tsMillis, value)
	return dst
}

// AppendRecordKind is AppendRecord; it also tells whether the value had to
// become base64.
func AppendRecordKind(dst, channel []byte, p event.Partition, offset, tsMillis int64, value []byte) (_ []byte, isBase64 bool) {
	isBase64 = value != nil && !ValidJSON(value)
	guess := recordSize(channel, p, offset, tsMillis, value, isBase64)
	dst, body := beginText(dst, guess)
	dst = appendString(append(dst, recordChannel...), channel)
	dst = appendPos(append(dst, recordPos...), p, offset)
	dst = appendKeyInt(dst, recordTime, tsMillis)
	switch {
	case isBase64:
		dst = base64.StdEncoding.AppendEncode(append(dst, recordBase64...), value)
		dst = append(dst, '"')
	case value == nil:
		dst = append(append(dst, recordData...), recordNull...)
	default:
		dst = append(append(dst, recordData...), value...)
	}
	dst = append(dst, '}')
	return endText(dst, body, guess), isBase64
}

// recordSize is the size of a record's payload when nothing in its names has
// to be escaped, which holds for every name that Kafka or a route lets pass.
func recordSize(channel []byte, p event.Partition, offset, tsMillis int64, value []byte, isBase64 bool) int {
	n := len(recordChannel) + len(`""`) + len(channel) +
		len(recordPos) + len(`"::"`) + len(p.Topic) + digits(int64(p.Number)) + digits(offset) +
		len(recordTime) + digits(tsMillis) + len(`}`)
	switch {
	case isBase64:
		return n + len(recordBase64) + base64.StdEncoding.EncodedLen(len(value)) + len(`"`)
	case value == nil:
		return n + len(recordData) + len(recordNull)
	}
	return n + len(recordData) + len(value)
}

// digits is the length of n in decimal, its sign included.
func digits(n int64) int {
	size := 1
	u := uint64(n)
	if n < 0 {
		size, u = 2, -u
	}
	for ; u >= 10; u /= 10 {
		size++
	}
	return size
}

// appendPos appends a position, "topic:partition:offset", as a JSON string.
func appendPos(dst []byte, p event.Partition, offset int64) []byte {
	dst = appendString(dst, p.Topic)
	dst[len(dst)-1] = ':' // in place of the closing quote
	dst = strconv.AppendInt(dst, int64(p.Number), 10)
	dst = append(dst, ':')
	dst = strconv.AppendInt(dst, offset, 10)
	return append(dst, '"')
}
