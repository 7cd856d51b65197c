package wire_test

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/odin-ws/odin/internal/deflate"
	"github.com/odin-ws/odin/internal/wire"
)

const (
	fin  = true
	more = false
)

var maskKey = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// client is one frame as a client sends it.
func client(final bool, op wire.Opcode, payload string) []byte {
	return wire.AppendClientFrame(nil, final, op, []byte(payload), maskKey)
}

func join(frames ...[]byte) (all []byte) {
	for _, f := range frames {
		all = append(all, f...)
	}
	return all
}

// seen is what a Reader made of an input.
type seen struct {
	Messages []string // "op payload"
	Code     wire.CloseCode
	Fault    string
	Left     int // unconsumed, unless it failed
}

// feed gives a Reader the input in pieces of the sizes that step returns, as
// a session does: what Next leaves is presented again.
func feed(t *testing.T, input []byte, limit int, step func(left int) int) (s seen) {
	t.Helper()
	var r wire.Reader
	return feedTo(t, &r, nil, input, limit, step)
}

// feedTo is feed with a Reader, and with an Inflater; nil: compression was not
// agreed on.
func feedTo(t *testing.T, r *wire.Reader, z *deflate.Inflater, input []byte, limit int, step func(left int) int) (s seen) {
	t.Helper()
	var rest []byte
	for {
		n := step(len(input))
		rest, input = append(rest, input[:n]...), input[n:]
		for {
			m, left, err := r.Next(rest, limit, z)
			if err != nil {
				s.Code, s.Fault = err.Code, err.Message
				return s
			}
			if m.Op == wire.Continuation {
				checkIdle(t, r, left)
				rest = append([]byte(nil), left...)
				break
			}
			s.Messages = append(s.Messages, fmt.Sprintf("%v %s", m.Op, m.Payload))
			rest = left
			if m.Op == wire.Close {
				s.Left = len(left)
				return s
			}
		}
		if len(input) == 0 {
			s.Left = len(rest) + min(r.Buffered(), 1)
			return s
		}
	}
}

// checkIdle checks what holds when Next wants more input.
func checkIdle(t *testing.T, r *wire.Reader, left []byte) {
	t.Helper()
	if len(left) > wire.RestMax {
		t.Fatalf("Next left %d bytes, more than RestMax", len(left))
	}
	if r.Need(left) <= 0 {
		t.Fatalf("Need is %d while more is wanted (%d bytes left)", r.Need(left), len(left))
	}
}

func whole(left int) int { return left }

func byteWise(left int) int { return min(1, left) }

const testMax = 1000

var readerCases = []struct {
	name  string
	input []byte
	want  seen
}{
	{"nothing", nil, seen{}},
	{"text", client(fin, wire.Text, "hello"), seen{Messages: []string{"text hello"}}},
	{"empty text", client(fin, wire.Text, ""), seen{Messages: []string{"text "}}},
	{"binary is the caller's matter", client(fin, wire.Binary, "\x00\xff"), seen{Messages: []string{"binary \x00\xff"}}},
	{"two messages", join(client(fin, wire.Text, "a"), client(fin, wire.Text, "b")), seen{Messages: []string{"text a", "text b"}}},
	{"ping, pong", join(client(fin, wire.Ping, "x"), client(fin, wire.Pong, "")), seen{Messages: []string{"ping x", "pong "}}},
	{"ping of 125", client(fin, wire.Ping, strings.Repeat("p", 125)), seen{Messages: []string{"ping " + strings.Repeat("p", 125)}}},
	{"length in 16 bits", client(fin, wire.Text, strings.Repeat("a", 126)), seen{Messages: []string{"text " + strings.Repeat("a", 126)}}},
	{"exactly the limit", client(fin, wire.Text, strings.Repeat("a", testMax)), seen{Messages: []string{"text " + strings.Repeat("a", testMax)}}},

	{"three fragments", join(client(more, wire.Text, "a"), client(more, wire.Continuation, "b"), client(fin, wire.Continuation, "c")), seen{Messages: []string{"text abc"}}},
	{"empty fragments", join(client(more, wire.Text, ""), client(more, wire.Continuation, ""), client(fin, wire.Continuation, "")), seen{Messages: []string{"text "}}},
	{"binary fragments", join(client(more, wire.Binary, "\xff"), client(fin, wire.Continuation, "\xfe")), seen{Messages: []string{"binary \xff\xfe"}}},
	{"ping between fragments", join(client(more, wire.Text, "a"), client(fin, wire.Ping, "!"), client(fin, wire.Continuation, "b")), seen{Messages: []string{"ping !", "text ab"}}},
	{"close between fragments", join(client(more, wire.Text, "a"), client(fin, wire.Close, ""), client(fin, wire.Continuation, "b")), seen{Messages: []string{"close "}, Left: 7}},
	{"a message behind fragments", join(client(more, wire.Text, "a"), client(fin, wire.Continuation, "b"), client(fin, wire.Text, "c")), seen{Messages: []string{"text ab", "text c"}}},
	{"fragments over fragments", join(client(more, wire.Text, "a"), client(fin, wire.Continuation, ""), client(more, wire.Text, "c"), client(fin, wire.Continuation, "d")), seen{Messages: []string{"text a", "text cd"}}},
	{"an unfinished header", client(fin, wire.Text, "hello")[:3], seen{Left: 3}},
	{"an unfinished ping", client(fin, wire.Ping, "hello")[:9], seen{Left: 9}},
	{"an unfinished text", client(fin, wire.Text, "hello")[:9], seen{Left: 1}},

	{"unmasked", wire.AppendFrame(nil, wire.Text, []byte("hello")), seen{Code: 1002, Fault: "a client's frame must be masked"}},
	{"unmasked ping", wire.AppendFrame(nil, wire.Ping, nil), seen{Code: 1002, Fault: "a client's frame must be masked"}},
	{"first reserved bit", harm(client(fin, wire.Text, "a"), 0, 0x40), seen{Code: 1002, Fault: "a reserved bit is set, but no extension was negotiated"}},
	{"second reserved bit", harm(client(fin, wire.Text, "a"), 0, 0x20), seen{Code: 1002, Fault: "a reserved bit is set, but no extension was negotiated"}},
	{"third reserved bit", harm(client(fin, wire.Ping, "a"), 0, 0x10), seen{Code: 1002, Fault: "a reserved bit is set, but no extension was negotiated"}},
	{"reserved opcode 3", client(fin, 3, "a"), seen{Code: 1002, Fault: "reserved opcode"}},
	{"reserved opcode 7", client(fin, 7, "a"), seen{Code: 1002, Fault: "reserved opcode"}},
	{"reserved opcode 11", client(fin, 11, "a"), seen{Code: 1002, Fault: "reserved opcode"}},
	{"reserved opcode 15", client(fin, 15, "a"), seen{Code: 1002, Fault: "reserved opcode"}},
	{"what came before counts", join(client(fin, wire.Text, "a"), client(fin, 5, "")), seen{Messages: []string{"text a"}, Code: 1002, Fault: "reserved opcode"}},
	{"fragmented ping", client(more, wire.Ping, "a"), seen{Code: 1002, Fault: "a control frame must not be fragmented"}},
	{"ping of 126", client(fin, wire.Ping, strings.Repeat("p", 126)), seen{Code: 1002, Fault: "a control frame has at most 125 bytes"}},
	{"ping of 64 bits", head(0x89, 0xff, 0, 0, 0, 0, 0, 1, 0, 0), seen{Code: 1002, Fault: "a control frame has at most 125 bytes"}},
	{"continuation of nothing", client(fin, wire.Continuation, "a"), seen{Code: 1002, Fault: "a continuation frame without a message to continue"}},
	{"continuation of a whole message", join(client(fin, wire.Text, "a"), client(fin, wire.Continuation, "b")), seen{Messages: []string{"text a"}, Code: 1002, Fault: "a continuation frame without a message to continue"}},
	{"continuation of an ended message", join(client(more, wire.Text, "a"), client(fin, wire.Continuation, "b"), client(more, wire.Continuation, "c")), seen{Messages: []string{"text ab"}, Code: 1002, Fault: "a continuation frame without a message to continue"}},
	{"text within fragments", join(client(more, wire.Text, "a"), client(fin, wire.Text, "b")), seen{Code: 1002, Fault: "a new message before the fragmented one ended"}},
	{"binary within fragments", join(client(more, wire.Text, "a"), client(more, wire.Binary, "b")), seen{Code: 1002, Fault: "a new message before the fragmented one ended"}},

	{"125 in 16 bits", head(0x81, 0xfe, 0, 125), seen{Code: 1002, Fault: "a length below 126 must be sent in 7 bits"}},
	{"65535 in 64 bits", head(0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff), seen{Code: 1002, Fault: "a length below 65536 must be sent in 7 or 16 bits"}},
	{"negative length", head(0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0), seen{Code: 1002, Fault: "a 64-bit length must have its highest bit clear"}},
	{"a byte too many", head(0x81, 0xfe, 3, 0xe9), seen{Code: 1009, Fault: "the message is larger than max_request_bytes"}},
	{"the largest length", head(0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), seen{Code: 1009, Fault: "the message is larger than max_request_bytes"}},
	{"too much over fragments", join(client(more, wire.Text, strings.Repeat("a", 600)), head(0x80, 0xfe, 1, 0x91)), seen{Code: 1009, Fault: "the message is larger than max_request_bytes"}},
	{"the limit over fragments", join(client(more, wire.Text, strings.Repeat("a", 600)), client(fin, wire.Continuation, strings.Repeat("b", 400))), seen{Messages: []string{"text " + strings.Repeat("a", 600) + strings.Repeat("b", 400)}}},
	{"the largest length over fragments", join(client(more, wire.Text, "a"), head(0x80, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)), seen{Code: 1009, Fault: "the message is larger than max_request_bytes"}},

	{"close without a code", client(fin, wire.Close, ""), seen{Messages: []string{"close "}}},
	{"close of one byte", client(fin, wire.Close, "\x03"), seen{Code: 1002, Fault: "a close frame's code has two bytes"}},
	{"close 1000", client(fin, wire.Close, "\x03\xe8bye"), seen{Messages: []string{"close \x03\xe8bye"}}},
	{"input behind a close", join(client(fin, wire.Close, ""), client(fin, wire.Text, "a")), seen{Messages: []string{"close "}, Left: 7}},
	{"close 1005", client(fin, wire.Close, "\x03\xed"), seen{Code: 1002, Fault: "close code 1005 must not be sent"}},
	{"close reason not UTF-8", client(fin, wire.Close, "\x03\xe8\xc3\x28"), seen{Code: 1007, Fault: "the reason of a close frame must be valid UTF-8"}},

	{"UTF-8", client(fin, wire.Text, "κόσμε 🙂"), seen{Messages: []string{"text κόσμε 🙂"}}},
	{"a rune over fragments", join(client(more, wire.Text, "\xf0\x9f"), client(more, wire.Continuation, "\x99"), client(fin, wire.Continuation, "\x82")), seen{Messages: []string{"text 🙂"}}},
	{"not UTF-8", client(fin, wire.Text, "a\xffb"), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
	{"a rune without its end", client(fin, wire.Text, "a\xf0\x9f\x99"), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
	{"a rune without its end over fragments", join(client(more, wire.Text, "\xf0\x9f"), client(fin, wire.Continuation, "")), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
	{"a surrogate", client(fin, wire.Text, "\xed\xa0\x80"), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
	{"an overlong rune", client(fin, wire.Text, "\xc0\xaf"), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
	{"beyond Unicode", client(fin, wire.Text, "\xf4\x90\x80\x80"), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
	{"fails before the message ends", client(more, wire.Text, "a\xffb"), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
	{"fails before the frame ends", client(fin, wire.Text, "a\xff"+strings.Repeat("b", 500))[:100], seen{Code: 1007, Fault: "text must be valid UTF-8"}},
	{"fails before the rune ends", client(more, wire.Text, "\xf4\x90"), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
}

func harm(frame []byte, at int, bit byte) []byte {
	frame[at] |= bit
	return frame
}

func head(b ...byte) []byte { return b }

func TestReader(t *testing.T) {
	for _, c := range readerCases {
		t.Run(c.name, func(t *testing.T) {
			if got := feed(t, c.input, testMax, whole); !reflect.DeepEqual(got, c.want) {
				t.Errorf("all at once:\n got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// However the input is cut, a Reader sees the same.
func TestReaderCuts(t *testing.T) {
	for _, c := range readerCases {
		t.Run(c.name, func(t *testing.T) {
			if got := feed(t, c.input, testMax, byteWise); !sameSeen(got, c.want) {
				t.Errorf("a byte at a time:\n got %+v\nwant %+v", got, c.want)
			}
			for cut := range len(c.input) {
				first := true
				got := feed(t, c.input, testMax, func(left int) int {
					if first {
						first = false
						return cut
					}
					return left
				})
				if !sameSeen(got, c.want) {
					t.Errorf("cut at %d:\n got %+v\nwant %+v", cut, got, c.want)
				}
			}
		})
	}
}

// sameSeen compares all but Left: what lies behind a close may not have been
// presented.
func sameSeen(a, b seen) bool {
	a.Left, b.Left = 0, 0
	return reflect.DeepEqual(a, b)
}

func TestReaderCloseCodes(t *testing.T) {
	allowed := map[uint16]bool{}
	for _, c := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014} {
		allowed[c] = true
	}
	for code := range 1 << 16 {
		payload := string(binary.BigEndian.AppendUint16(nil, uint16(code)))
		got := feed(t, client(fin, wire.Close, payload), testMax, whole)
		want := allowed[uint16(code)] || code >= 3000 && code <= 4999
		if (got.Code == 0) != want {
			t.Errorf("close code %d: %+v, allowed is %v", code, got, want)
		}
	}
}

func TestReaderCostsNothingIdle(t *testing.T) {
	if size := unsafe.Sizeof(wire.Reader{}); size > 16 {
		t.Errorf("a Reader has %d bytes", size)
	}
	var r wire.Reader
	for _, op := range []wire.Opcode{wire.Text, wire.Continuation} {
		for input := client(op == wire.Continuation, op, strings.Repeat("a", 400)); ; {
			m, rest, err := r.Next(input, testMax, nil)
			if err != nil {
				t.Fatal(err)
			}
			if input = rest; m.Op == 0 {
				break
			}
		}
	}
	if r.Buffered() != 0 {
		t.Errorf("between messages the Reader holds %d bytes", r.Buffered())
	}
}

func TestReaderHoldsOnlyWhatArrived(t *testing.T) {
	var r wire.Reader
	announced := head(0x81, 0xff, 0, 0, 0, 0, 0x0f, 0, 0, 0, 0, 0, 0, 0)
	if m, rest, err := r.Next(append(announced, 'a'), 1<<30, nil); m.Op != 0 || len(rest) != 0 || err != nil {
		t.Fatal(m, rest, err)
	}
	if r.Buffered() > 1024 {
		t.Errorf("for one byte of a large message the Reader holds %d", r.Buffered())
	}
	if need := r.Need(nil); need != 0x0f000000-1 {
		t.Errorf("Need is %#x", need)
	}
	for range 1000 {
		if _, rest, err := r.Next(make([]byte, 1000), 1<<30, nil); len(rest) != 0 || err != nil {
			t.Fatal(rest, err)
		}
	}
	if r.Buffered() > 4<<20 {
		t.Errorf("for 1 MB the Reader holds %d", r.Buffered())
	}
}

func TestReaderNeed(t *testing.T) {
	ping := client(fin, wire.Ping, "12345")
	long := client(fin, wire.Text, strings.Repeat("a", 70000))
	for _, c := range []struct {
		rest []byte
		want int
	}{
		{nil, 6},
		{ping[:1], 5},
		{ping[:6], 5},
		{ping[:10], 1},
		{long[:2], 4},
		{long[:6], 8},
		{long[:13], 1},
	} {
		var r wire.Reader
		if got := r.Need(c.rest); got != c.want {
			t.Errorf("Need of %d bytes is %d, want %d", len(c.rest), got, c.want)
		}
	}
}

func TestReaderDoesNotAllocate(t *testing.T) {
	frame := client(fin, wire.Text, `{"type":"heartbeat"}`)
	buf := make([]byte, len(frame))
	var r wire.Reader
	if n := testing.AllocsPerRun(100, func() {
		copy(buf, frame)
		if m, _, err := r.Next(buf, testMax, nil); err != nil || m.Op != wire.Text {
			t.Fatal(m, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a small message", n)
	}
}

// The payload must not reach into what is behind it, should its user append.
func TestReaderPayloadIsClipped(t *testing.T) {
	var r wire.Reader
	m, rest, _ := r.Next(join(client(fin, wire.Text, "a"), client(fin, wire.Text, "b")), testMax, nil)
	_ = append(m.Payload, "spoil"...)
	if m, _, err := r.Next(rest, testMax, nil); err != nil || string(m.Payload) != "b" {
		t.Errorf("the next message is %q, %v", m.Payload, err)
	}
}
