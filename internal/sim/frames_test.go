package sim

import (
	"encoding/binary"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

// frames makes records as they travel, valid until the next call.
func (w *world) frames(rs []record) []event.Record {
	w.recs, w.bytes = w.recs[:0], w.bytes[:0]
	for _, r := range rs {
		from := len(w.bytes)
		w.bytes = appendFrame(w.bytes, r)
		frame := w.bytes[from:len(w.bytes):len(w.bytes)]
		w.recs = append(w.recs, event.Record{
			Offset: r.offset, Epoch: r.epoch, Time: r.offset, Channel: channelOf(r.offset), Frame: frame,
		})
	}
	return w.recs
}

// copies is frames that stay.
func (w *world) copies(rs []record) []event.Record {
	out := append([]event.Record(nil), w.frames(rs)...)
	for i := range out {
		out[i].Frame = append([]byte(nil), out[i].Frame...)
	}
	return out
}

// pack copies a batch out of the Store, as a link does by writing it.
func pack(b replica.Batch) message {
	if b.Lost != nil {
		return message{kind: kindLost, part: b.Lost.Partition, lost: *b.Lost}
	}
	m := message{kind: kindAdvance, part: b.Advance.Partition, advance: *b.Advance}
	m.records, m.advance.Records = packed(b.Advance.Records), nil
	return m
}

func packed(rs []event.Record) (out []record) {
	for i := range rs {
		out = append(out, record{offset: rs[i].Offset, content: contentOf(rs[i].Frame), epoch: rs[i].Epoch})
	}
	return out
}

var channels = [2][]byte{[]byte("a.even"), []byte("b.odd")}

func channelOf(offset int64) []byte { return channels[offset&1] }

// appendFrame writes the content's number; every other frame has its channel
// within, and their lengths differ.
func appendFrame(dst []byte, r record) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, r.content)
	if r.offset&1 == 0 {
		dst = append(dst, channels[0]...)
	}
	for range r.offset % 7 {
		dst = append(dst, '.')
	}
	return dst
}

func contentOf(frame []byte) uint64 {
	if len(frame) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(frame)
}
