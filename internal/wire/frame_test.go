package wire

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

func TestAppendFrame(t *testing.T) {
	for _, c := range []struct {
		op   Opcode
		size int
		head string
	}{
		{Text, 0, "\x81\x00"},
		{Text, 125, "\x81\x7d"},
		{Binary, 126, "\x82\x7e\x00\x7e"},
		{Text, 65535, "\x81\x7e\xff\xff"},
		{Text, 65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"},
		{Ping, 3, "\x89\x03"},
		{Pong, 125, "\x8a\x7d"},
	} {
		payload := bytes.Repeat([]byte("x"), c.size)
		got := AppendFrame([]byte("before"), c.op, payload)
		if want := "before" + c.head + string(payload); string(got) != want {
			t.Errorf("%v of %d: % x", c.op, c.size, got[:min(len(got), 20)])
		}
	}
	if got := AppendFrame(nil, Pong, bytes.Repeat([]byte("x"), 200)); len(got) != 127 || got[1] != 125 {
		t.Errorf("a pong too long has %d bytes", len(got))
	}
}

// Whatever size was guessed, the frame is the same, and nothing before it is
// touched.
func TestEndTextMendsTheGuess(t *testing.T) {
	sizes := []int{0, 1, 125, 126, 127, 65535, 65536, 70000}
	for _, size := range sizes {
		payload := strings.Repeat("p", size)
		want := "before" + string(AppendFrame(nil, Text, []byte(payload)))
		for _, guess := range sizes {
			dst, body := beginText([]byte("before"), guess)
			if got := endText(append(dst, payload...), body, guess); string(got) != want {
				t.Errorf("size %d, guessed %d: wrong", size, guess)
			}
		}
	}
}

// The size of a record is guessed right, so that it is never moved.
func TestRecordSizeIsExact(t *testing.T) {
	p := event.Partition{Topic: "odin.trades", Number: 7}
	for _, value := range [][]byte{nil, []byte(`{"a":1}`), []byte("text"), {}} {
		for _, n := range []int64{0, 9, 10, 1042, -1, -10, math.MaxInt64, math.MinInt64} {
			isBase64 := value != nil && !ValidJSON(value)
			frame := AppendRecord(nil, []byte("BTC.trade"), p, n, n, value)
			guess := recordSize([]byte("BTC.trade"), p, n, n, value, isBase64)
			if want := headerSize(guess) + guess; len(frame) != want {
				t.Errorf("%q at %d: %d bytes, guessed %d", value, n, len(frame), want)
			}
		}
	}
}

func TestOpcodes(t *testing.T) {
	for op := range Opcode(16) {
		known := !strings.HasPrefix(op.String(), "reserved")
		if known == op.reserved() {
			t.Errorf("%v: reserved is %v", op, op.reserved())
		}
		if op.control() != (op >= Close) {
			t.Errorf("%v: control is %v", op, op.control())
		}
	}
}
