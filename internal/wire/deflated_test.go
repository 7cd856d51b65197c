package wire_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/deflate"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
)

// hello is RFC 7692's compressed "Hello".
const hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"

// compressor makes one of the least level.
func compressor(t testing.TB) *deflate.Compressor {
	t.Helper()
	c, err := deflate.NewCompressor(deflate.LevelMin)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// small is the compressed form of a text.
func small(t testing.TB, text string) string {
	t.Helper()
	payload, ok := compressor(t).Append(nil, []byte(text))
	if !ok {
		t.Fatal("not compressed")
	}
	return string(payload)
}

// marked is a frame of a client that begins a compressed message.
func marked(final bool, op wire.Opcode, payload string) []byte {
	return harm(client(final, op, payload), 0, 0x40)
}

func TestReaderDeflated(t *testing.T) {
	const (
		notFirst = "only the first frame of a message may be marked as compressed"
		corrupt  = "the message's compressed data is not valid"
		tooLarge = "the message is larger than max_request_bytes"
	)
	exact, over := strings.Repeat("a", testMax), strings.Repeat("a", testMax+1)
	for _, c := range []struct {
		name  string
		input []byte
		want  seen
	}{
		{"text", marked(fin, wire.Text, hello), seen{Messages: []string{"text Hello"}}},
		{"binary", marked(fin, wire.Binary, hello), seen{Messages: []string{"binary Hello"}}},
		{"plain text", client(fin, wire.Text, hello[:1]), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
		{"one plain, one not", join(client(fin, wire.Text, "a"), marked(fin, wire.Text, hello), client(fin, wire.Text, "b")), seen{Messages: []string{"text a", "text Hello", "text b"}}},
		{"fragments", join(marked(more, wire.Text, hello[:3]), client(more, wire.Continuation, hello[3:4]), client(fin, wire.Continuation, hello[4:])), seen{Messages: []string{"text Hello"}}},
		{"empty fragments", join(marked(more, wire.Text, ""), client(more, wire.Continuation, hello), client(fin, wire.Continuation, "")), seen{Messages: []string{"text Hello"}}},
		{"plain fragments behind", join(marked(fin, wire.Text, hello), client(more, wire.Text, "a"), client(fin, wire.Continuation, "b")), seen{Messages: []string{"text Hello", "text ab"}}},
		{"ping between fragments", join(marked(more, wire.Text, hello[:3]), client(fin, wire.Ping, "!"), client(fin, wire.Continuation, hello[3:])), seen{Messages: []string{"ping !", "text Hello"}}},
		{"a last block", marked(fin, wire.Text, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), seen{Messages: []string{"text Hello"}}},
		{"an unfinished one", marked(fin, wire.Text, hello)[:9], seen{Left: 1}},

		{"marked ping", marked(fin, wire.Ping, ""), seen{Code: 1002, Fault: notFirst}},
		{"marked close", marked(fin, wire.Close, ""), seen{Code: 1002, Fault: notFirst}},
		{"marked continuation", join(marked(more, wire.Text, hello), marked(fin, wire.Continuation, "")), seen{Code: 1002, Fault: notFirst}},
		{"marked continuation of plain text", join(client(more, wire.Text, "a"), marked(fin, wire.Continuation, "")), seen{Code: 1002, Fault: notFirst}},
		{"second reserved bit", harm(marked(fin, wire.Text, hello), 0, 0x20), seen{Code: 1002, Fault: "a reserved bit is set, but no extension was negotiated"}},
		{"third reserved bit", harm(client(fin, wire.Text, "a"), 0, 0x10), seen{Code: 1002, Fault: "a reserved bit is set, but no extension was negotiated"}},
		{"reserved opcode", marked(fin, 3, hello), seen{Code: 1002, Fault: "reserved opcode"}},

		{"nothing", marked(fin, wire.Text, ""), seen{Code: 1002, Fault: corrupt}},
		{"not compressed at all", marked(fin, wire.Text, `{"type":"heartbeat"}`), seen{Code: 1002, Fault: corrupt}},
		{"cut short", marked(fin, wire.Text, hello[:3]), seen{Code: 1002, Fault: corrupt}},
		{"garbage behind a last block", marked(fin, wire.Text, "\xf3\x48\xcd\xc9\xc9\x07\x00\xff\xff"), seen{Code: 1002, Fault: corrupt}},
		{"what came before counts", join(marked(fin, wire.Text, hello), marked(fin, wire.Text, "\xff")), seen{Messages: []string{"text Hello"}, Code: 1002, Fault: corrupt}},

		{"exactly the limit", marked(fin, wire.Text, small(t, exact)), seen{Messages: []string{"text " + exact}}},
		{"a byte too many", marked(fin, wire.Text, small(t, over)), seen{Code: 1009, Fault: tooLarge}},
		{"a bomb", marked(fin, wire.Binary, small(t, strings.Repeat("\x00", 1<<19))), seen{Code: 1009, Fault: tooLarge}},
		{"too many compressed", join(marked(more, wire.Text, hello), head(0x80, 0xfe, 0x03, 0xe2)), seen{Code: 1009, Fault: tooLarge}},

		{"UTF-8", marked(fin, wire.Text, small(t, "κόσμε 🙂")), seen{Messages: []string{"text κόσμε 🙂"}}},
		{"a rune over fragments", join(marked(more, wire.Text, small(t, "🙂")[:3]), client(fin, wire.Continuation, small(t, "🙂")[3:])), seen{Messages: []string{"text 🙂"}}},
		{"not UTF-8", marked(fin, wire.Text, small(t, "a\xffb")), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
		{"not UTF-8 over fragments", join(marked(more, wire.Text, small(t, "a\xffb")), client(fin, wire.Continuation, "")), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
		{"half a rune", marked(fin, wire.Text, small(t, "\xf0\x9f\x99")), seen{Code: 1007, Fault: "text must be valid UTF-8"}},
		{"binary needn't be UTF-8", marked(fin, wire.Binary, small(t, "\xff")), seen{Messages: []string{"binary \xff"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var z deflate.Inflater
			if got := feedTo(t, new(wire.Reader), &z, bytes.Clone(c.input), testMax, whole); !reflect.DeepEqual(got, c.want) {
				t.Errorf("all at once:\n got %+v\nwant %+v", got, c.want)
			}
			for cut := range len(c.input) {
				first := true
				got := feedTo(t, new(wire.Reader), &z, bytes.Clone(c.input), testMax, func(left int) int {
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

// What was read without compression reads the same with it, unless it is
// marked.
func TestReaderWithAndWithoutInflater(t *testing.T) {
	for _, c := range readerCases {
		if c.name == "first reserved bit" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if got := feedTo(t, new(wire.Reader), &deflate.Inflater{}, bytes.Clone(c.input), testMax, whole); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// A session that has sent a compressed message in fragments holds nothing of
// it.
func TestReaderHoldsNothingInflated(t *testing.T) {
	var r wire.Reader
	var z deflate.Inflater
	input := join(marked(more, wire.Text, hello[:3]), client(fin, wire.Continuation, hello[3:]))
	m, rest, err := r.Next(input, testMax, &z)
	if err != nil || string(m.Payload) != "Hello" || len(rest) != 0 {
		t.Fatal(m, rest, err)
	}
	if r.Buffered() != 0 {
		t.Errorf("it holds %d bytes", r.Buffered())
	}
	frame := marked(fin, wire.Text, hello)
	buf := make([]byte, len(frame))
	if n := testing.AllocsPerRun(100, func() {
		copy(buf, frame)
		if m, _, err := r.Next(buf, testMax, &z); err != nil || m.Op != wire.Text {
			t.Fatal(m, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a small message", n)
	}
}

func TestAppendDeflated(t *testing.T) {
	c := compressor(t)
	var z deflate.Inflater
	for _, size := range []int{0, 1, 50, 125, 126, 200, 5000, 65535, 65536, 200_000} {
		for _, op := range []wire.Opcode{wire.Text, wire.Binary} {
			plain := bytes.Repeat([]byte("price "), size/6+1)[:size]
			frame := wire.AppendFrame(nil, op, plain)
			got, ok := wire.AppendDeflated([]byte("before"), frame, c)
			if !bytes.HasPrefix(got, []byte("before")) || ok != (size > 50) {
				t.Errorf("%d bytes: %v, %q…", size, ok, got[:min(20, len(got))])
				continue
			}
			if !ok {
				if len(got) != len("before") {
					t.Errorf("%d bytes: something is left behind", size)
				}
				continue
			}
			got = got[len("before"):]
			if len(got) >= len(frame) || wire.FrameSize(got) != len(got) || !wire.Deflated(got) || wire.Deflated(frame) {
				t.Errorf("%d bytes became %d, FrameSize %d", len(frame), len(got), wire.FrameSize(got))
			}
			m := asked(t, got, &z, size)
			if m.Op != op || !bytes.Equal(m.Payload, plain) {
				t.Errorf("%d bytes: %v of %d", size, m.Op, len(m.Payload))
			}
			if _, isHead := wire.ReadHead(got); isHead {
				t.Error("a compressed frame has a head that can be read")
			}
		}
	}
}

// asked reads a frame of the server's as if a client had sent it.
func asked(t *testing.T, frame []byte, z *deflate.Inflater, limit int) wire.Message {
	t.Helper()
	head := len(frame) - payloadSize(frame)
	masked := append(bytes.Clone(frame[:head]), 0, 0, 0, 0)
	masked[1] |= 0x80
	var r wire.Reader
	m, rest, err := r.Next(append(masked, frame[head:]...), limit, z)
	if err != nil || len(rest) != 0 {
		t.Fatalf("% x…: %v, %d bytes behind", frame[:min(len(frame), 20)], err, len(rest))
	}
	return m
}

func payloadSize(frame []byte) int {
	switch frame[1] {
	case 126:
		return len(frame) - 4
	case 127:
		return len(frame) - 10
	}
	return len(frame) - 2
}

// What does not get smaller is not sent compressed.
func TestAppendDeflatedKeepsWhatIsSmaller(t *testing.T) {
	c := compressor(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	for size := range 300 {
		noise := make([]byte, size)
		for i := range noise {
			noise[i] = byte(rnd.Uint32())
		}
		if got, ok := wire.AppendDeflated(nil, wire.AppendFrame(nil, wire.Binary, noise), c); ok || len(got) != 0 {
			t.Errorf("%d bytes of noise became %d", size, len(got))
		}
	}
	frame := wire.AppendRecord(nil, []byte("BTC.trade"), event.Partition{Topic: "odin.trades", Number: 7}, 1042, 1763800000123, []byte(trade))
	dst := make([]byte, 0, 2*len(frame))
	if n := testing.AllocsPerRun(100, func() { _, _ = wire.AppendDeflated(dst, frame, c) }); n != 0 {
		t.Errorf("%v allocations for a record", n)
	}
}
