package kafka

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/internal/event"
)

// TestEncodedRecordsKeepTheirBytes lets encoders build their answer in all the
// ways that an append may, with records of any size next to each other.
func TestEncodedRecordsKeepTheirBytes(t *testing.T) {
	encoders := map[string]Encoder{
		"in one go": encodePlain,
		"channel first": func(dst []byte, r Raw) (channel, frame []byte, skip int) {
			dst = append(dst, r.Key...)
			channel = dst[:len(dst):len(dst)] // stays where it is when the next append moves
			n := len(dst)
			dst = append(append(append(dst, '<'), r.Value...), '>')
			return channel, dst[n:], 0
		},
		"own memory": func(_ []byte, r Raw) (channel, frame []byte, skip int) {
			return bytes.Clone(r.Key), fmt.Appendf(nil, "<%s>", r.Value), 0
		},
		"frame of its own": func(dst []byte, r Raw) (channel, frame []byte, skip int) {
			return append(dst, r.Key...), fmt.Appendf(nil, "<%s>", r.Value), 0
		},
		"channel of its own": func(dst []byte, r Raw) (channel, frame []byte, skip int) {
			dst = append(append(append(dst, '<'), r.Value...), '>')
			return bytes.Clone(r.Key), dst, 0
		},
	}
	sizes := []int{0, 1, 10, 900_000, 5, 500_000, 170_000, 170_000, 3, 2 * handRoom, 7, 100}
	for name, encode := range encoders {
		e := encoder{encode: encode}
		d := newDecoder(1)
		for round := range 3 {
			e.reset()
			for i, n := range sizes {
				e.add(d, event.Partition{}, header{}, &kgo.Record{
					Offset: int64(i), Key: fmt.Appendf(nil, "key%d.%d", round, i), Value: bytes.Repeat([]byte{byte('a' + i)}, n),
				})
			}
			for i, r := range e.records {
				want := "<" + strings.Repeat(string(rune('a'+i)), sizes[i]) + ">"
				if string(r.Channel) != fmt.Sprintf("key%d.%d", round, i) || string(r.Frame) != want {
					t.Errorf("%s: record %d: channel %q, %d bytes of frame", name, i, r.Channel, len(r.Frame))
				}
			}
			if cap(e.buf) != handRoom {
				t.Errorf("%s: the room has %d bytes", name, cap(e.buf))
			}
		}
	}
}
