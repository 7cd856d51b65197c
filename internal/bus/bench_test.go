package bus

import (
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// tradeBatch is 500 records of a usual size: 250 bytes of frame.
func tradeBatch() event.Advance {
	a := event.Advance{Prev: -1, To: 499}
	for i := range 500 {
		a.Records = append(a.Records, event.Record{
			Offset: int64(i), Channel: []byte("BTC.trade"), Frame: make([]byte, 250),
		})
	}
	return a
}

func BenchmarkAppendAdvance(b *testing.B) {
	a := tradeBatch()
	out := AppendAdvance(nil, &a)
	for b.Loop() {
		out = AppendAdvance(out[:0], &a)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/record")
}

func BenchmarkDecodeAdvance(b *testing.B) {
	a := tradeBatch()
	wire := AppendAdvance(nil, &a)
	var d Decoder
	for b.Loop() {
		if _, _, err := d.Next(wire); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/record")
}
