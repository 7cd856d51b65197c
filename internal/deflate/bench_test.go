package deflate_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/deflate"
)

// record is like a record's payload of about so many bytes.
func record(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"type":"message","channel":"BTC.trade","pos":"odin.trades:7:1042118","ts":1763800000123,"data":{"symbol":"BTC"`)
	for i := 0; b.Len() < size-2; i++ {
		fmt.Fprintf(&b, `,"%s%d":"%d.%04d"`, []string{"price", "size", "bid", "ask", "fee"}[i%5], i, 64012+i*7919%4001, i*104729%9973)
	}
	b.WriteString("}}")
	return []byte(b.String())
}

// What one record costs, for all sessions together, and what is left of it.
func BenchmarkCompress(b *testing.B) {
	for _, size := range []int{200, 500, 1500, 16 << 10, 256 << 10} {
		plain := record(size)
		for _, level := range []int{1, 3, 6, 9} {
			b.Run(fmt.Sprintf("%d/level %d", size, level), func(b *testing.B) {
				c, err := deflate.NewCompressor(level)
				if err != nil {
					b.Fatal(err)
				}
				var dst []byte
				b.SetBytes(int64(len(plain)))
				b.ReportAllocs()
				for b.Loop() {
					dst, _ = c.Append(dst[:0], plain)
				}
				b.ReportMetric(100*float64(len(dst))/float64(len(plain)), "%left")
			})
			b.Run(fmt.Sprintf("%d/level %d/standard library", size, level), func(b *testing.B) {
				var out bytes.Buffer
				w, err := flate.NewWriter(&out, level)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(plain)))
				b.ReportAllocs()
				for b.Loop() {
					out.Reset()
					w.Reset(&out)
					_, _ = w.Write(plain) // a buffer takes all
					_ = w.Flush()
				}
				b.ReportMetric(100*float64(out.Len())/float64(len(plain)), "%left")
			})
		}
	}
}

func BenchmarkInflate(b *testing.B) {
	inputs := map[string][]byte{
		"heartbeat": compressed(b, 1, []byte(`{"type":"heartbeat","id":"17"}`)),
		"1500":      compressed(b, 1, record(1500)),
		"hostile":   hostile(256 << 10),
	}
	for _, kind := range []string{"heartbeat", "1500", "hostile"} {
		b.Run(kind, func(b *testing.B) {
			var z deflate.Inflater
			b.SetBytes(int64(len(inputs[kind])))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := z.Inflate(inputs[kind], 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// hostile is nothing in very many blocks, each with Huffman codes of its own:
// the dearest input, byte by byte, that is known.
func hostile(size int) []byte {
	var w bits
	for len(w.b) < size {
		w.put(0b100, 3) // not the last, dynamic codes
		w.put(0, 5+5)   // 257 literals and lengths, 1 distance
		w.put(14, 4)    // 18 lengths of code lengths:
		for _, symbol := range [...]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1} {
			length := uint64(0)
			if symbol == 18 || symbol == 1 {
				length = 1
			}
			w.put(length, 3)
		}
		w.put(1|127<<1, 8) // 138 zeros
		w.put(1|107<<1, 8) // 118 zeros
		w.put(0, 2)        // the end of the block and the distance: one bit each
		w.put(0, 1)        // the end of the block
	}
	w.put(0, 3) // an empty block, to be completed
	w.put(0, 7)
	return w.b
}

// bits writes the lowest bit first.
type bits struct {
	b    []byte
	held uint64
	n    uint
}

func (w *bits) put(v uint64, n uint) {
	w.held |= v << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.b = append(w.b, byte(w.held))
		w.held >>= 8
	}
}
