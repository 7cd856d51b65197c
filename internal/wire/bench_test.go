package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
)

const trade = `{"symbol":"BTC","price":"64012.55","size":0.0125,"side":"buy","id":9812345,"maker":false,"tags":["spot","usd"],"venue":{"name":"demo","region":"eu"},"note":"a trade of about two hundred bytes"}`

func BenchmarkReader(b *testing.B) {
	for _, size := range []int{32, 200, 4096, 65536} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			frame := wire.AppendClientFrame(nil, true, wire.Text, []byte(strings.Repeat("a", size)), [4]byte{1, 2, 3, 4})
			buf := make([]byte, len(frame))
			var r wire.Reader
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				copy(buf, frame)
				if m, _, err := r.Next(buf, 1<<20, nil); err != nil || m.Op != wire.Text {
					b.Fatal(m, err)
				}
			}
		})
	}
}

func BenchmarkAppendRecord(b *testing.B) {
	values := map[string][]byte{"json": []byte(trade), "base64": []byte(trade[1:]), "tombstone": nil}
	p := event.Partition{Topic: "odin.trades", Number: 7}
	for _, kind := range []string{"json", "base64", "tombstone"} {
		b.Run(kind, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = wire.AppendRecord(dst[:0], []byte("BTC.trade"), p, 1042, 1763800000123, values[kind])
			}
		})
	}
}

func BenchmarkValidJSON(b *testing.B) {
	checks := map[string]func([]byte) bool{"wire": wire.ValidJSON, "gjson": gjson.ValidBytes}
	for _, name := range []string{"wire", "gjson"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if !checks[name]([]byte(trade)) {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkParseRequest(b *testing.B) {
	requests := map[string]string{
		"heartbeat": `{"type":"heartbeat","id":"17"}`,
		"subscribe": `{"type":"subscribe","id":"1","data":{"channels":["BTC.trade","ETH.*"],"last":1}}`,
	}
	for _, kind := range []string{"heartbeat", "subscribe"} {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wire.ParseRequest([]byte(requests[kind]), wire.DefaultLimits()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
