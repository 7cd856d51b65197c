package bus

import (
	"encoding/binary"

	"github.com/odin-ws/odin/internal/event"
)

// decodeAdvance reads an ADV and holds it to rule 8: the records lie within
// (prev, to] and in rising order.
func (d *Decoder) decodeAdvance(b []byte) (*event.Advance, error) {
	a := &d.advance
	var err error
	if a.Partition, a.Era, a.Term, err = decodeOrigin(b); err != nil {
		return nil, err
	}
	if a.Prev, a.To, err = decodeSpan(b[12:]); err != nil {
		return nil, err
	}
	a.ToEpoch = int32(binary.LittleEndian.Uint32(b[28:]))
	count := int(binary.LittleEndian.Uint32(b[32:]))
	if b = b[advanceBytes:]; count > len(b)/(recordBytes+frameMin) {
		return nil, malformed("%d records in %d bytes", count, len(b))
	}
	if a.Records, err = decodeRecords(a.Records[:0], b, count); err != nil {
		return nil, err
	}
	return a, checkOffsets(a)
}

// decodeRecords appends the records that b consists of. That count fits into b
// has been checked, so the slice never grows by a number that was only claimed.
func decodeRecords(records []event.Record, b []byte, count int) ([]event.Record, error) {
	for range count {
		if len(b) < recordBytes {
			return records, malformed("record cut off after %d bytes", len(b))
		}
		channel := int(binary.LittleEndian.Uint16(b[20:]))
		frame := int(binary.LittleEndian.Uint32(b[22:]))
		if channel == 0 || channel > event.ChannelMax || frame < frameMin || frame > MaxFrameBytes {
			return records, malformed("record with a channel of %d and a frame of %d bytes", channel, frame)
		}
		end := recordBytes + channel + frame
		if end > len(b) {
			return records, malformed("record of %d bytes in %d", end, len(b))
		}
		split := recordBytes + channel
		records = append(records, event.Record{
			Offset:  int64(binary.LittleEndian.Uint64(b)),
			Epoch:   int32(binary.LittleEndian.Uint32(b[8:])),
			Time:    int64(binary.LittleEndian.Uint64(b[12:])),
			Channel: b[recordBytes:split:split],
			Frame:   b[split:end:end],
		})
		b = b[end:]
	}
	if len(b) > 0 {
		return records, malformed("%d bytes behind the last record", len(b))
	}
	return records, nil
}

func checkOffsets(a *event.Advance) error {
	last := a.Prev
	for i := range a.Records {
		if o := a.Records[i].Offset; o <= last || o > a.To {
			return malformed("offset %d after %d in (%d, %d]", o, last, a.Prev, a.To)
		}
		last = a.Records[i].Offset
	}
	return nil
}
