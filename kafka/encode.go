package kafka

import (
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/internal/event"
)

// Bounds of one call of Serve's callback.
const (
	handBytes   = 1 << 20 // reached: handed over before the next record
	handRecords = 4096
	handRoom    = handBytes + handBytes/2 // a larger frame gets memory of its own
)

// encoder collects encoded records in memory of its own: franz-go's buffers
// are free again afterwards.
type encoder struct {
	encode  Encoder
	records []event.Record
	buf     []byte
	bytes   int // of channels and frames, in buf or not
	skipped [SkipReasons]uint32
}

func (e *encoder) full() bool { return e.bytes >= handBytes || len(e.records) >= handRecords }

// reset makes room: what was collected is not valid any more.
func (e *encoder) reset() {
	e.records, e.buf, e.bytes = e.records[:0], e.buf[:0], 0
	e.skipped = [SkipReasons]uint32{}
}

// add encodes one record, or counts why it has no place.
func (e *encoder) add(d *decoder, p event.Partition, h header, r *kgo.Record) {
	if e.buf == nil {
		e.buf = make([]byte, 0, handRoom)
	}
	room := e.buf[len(e.buf):]
	channel, frame, skip := e.encode(room, d.raw(p, r))
	if skip != 0 {
		e.skipped[min(max(skip, 0), SkipReasons-1)]++
		return
	}
	e.buf = e.buf[:len(e.buf)+max(occupied(room, channel), occupied(room, frame))]
	e.bytes += len(channel) + len(frame)
	e.records = append(e.records, event.Record{
		Offset: r.Offset, Epoch: h.epoch, Time: r.Timestamp.UnixMilli(), Channel: channel, Frame: frame,
	})
}

// occupied is how much of a room is in use by b: up to its end, if it lies
// there. What didn't fit has memory of its own.
func occupied(room, b []byte) int {
	from, at := uintptr(unsafe.Pointer(unsafe.SliceData(room))), uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	if len(b) == 0 || at < from || at >= from+uintptr(cap(room)) {
		return 0
	}
	return int(at-from) + len(b)
}
