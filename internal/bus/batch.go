package bus

import "github.com/odin-ws/odin/internal/event"

// AdvanceBytes is what an ADV without records takes on a link.
const AdvanceBytes = lengthBytes + kindBytes + advanceBytes

// RecordBytes is what one record adds to an ADV, given the lengths of its
// channel and its frame.
func RecordBytes(channel, frame int) int { return recordBytes + channel + frame }

// Size is what AppendAdvance will append.
func Size(a *event.Advance) int {
	n := AdvanceBytes
	for i := range a.Records {
		n += RecordBytes(len(a.Records[i].Channel), len(a.Records[i].Frame))
	}
	return n
}

// Cut splits an advance at a record, so that the first part takes at most
// bytesMax on a link, or holds one record if that alone is larger. The second
// part begins where the first ends; more is false if nothing was cut off, and
// rest then is meaningless. Records are shared with a, not copied.
func Cut(a event.Advance, bytesMax int) (head, rest event.Advance, more bool) {
	size := AdvanceBytes
	for i := range a.Records {
		size += RecordBytes(len(a.Records[i].Channel), len(a.Records[i].Frame))
		if size <= bytesMax || i == 0 {
			continue
		}
		last := &a.Records[i-1]
		head, rest = a, a
		head.Records, head.To, head.ToEpoch = a.Records[:i], last.Offset, last.Epoch
		rest.Records, rest.Prev = a.Records[i:], last.Offset
		return head, rest, true
	}
	return a, event.Advance{}, false
}
