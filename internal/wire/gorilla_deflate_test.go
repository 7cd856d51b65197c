package wire_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/odin-ws/odin/internal/deflate"
	"github.com/odin-ws/odin/internal/wire"
)

// FuzzReaderDeflated gives the same bytes to Reader and to gorilla/websocket,
// which both have agreed on compression.
func FuzzReaderDeflated(f *testing.F) {
	for _, c := range readerCases {
		f.Add(c.input)
	}
	f.Add(marked(fin, wire.Text, hello))
	f.Add(join(marked(more, wire.Text, hello[:3]), client(fin, wire.Ping, ""), client(fin, wire.Continuation, hello[3:])))
	f.Add(marked(fin, wire.Binary, "\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00"))
	f.Add(marked(fin, wire.Text, small(f, strings.Repeat("a", testMax+1))))
	f.Add(marked(fin, wire.Pong, ""))
	f.Fuzz(compareDeflated)
}

func TestReaderDeflatedRandomly(t *testing.T) {
	c := compressor(t)
	for seed := range uint64(4000) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		if compareDeflated(t, deflatedConversation(rnd, c)); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// deflatedConversation has compressed messages, whole and in fragments, among
// what conversation has.
func deflatedConversation(rnd *rand.Rand, c *deflate.Compressor) (input []byte) {
	for range 1 + rnd.IntN(4) {
		plain := bytes.Repeat(dataPayload(rnd), 1+rnd.IntN(4))
		payload, _ := c.Append(nil, plain)
		if rnd.IntN(10) == 0 {
			payload[rnd.IntN(len(payload))] ^= 1 << rnd.IntN(8)
		}
		cut := rnd.IntN(len(payload) + 1)
		last := rnd.IntN(2) == 0
		if last {
			cut = len(payload)
		}
		input = append(input, marked(last, []wire.Opcode{wire.Text, wire.Binary}[rnd.IntN(2)], string(payload[:cut]))...)
		if !last {
			if rnd.IntN(3) == 0 {
				input = append(input, client(fin, wire.Ping, "between")...)
			}
			input = append(input, client(fin, wire.Continuation, string(payload[cut:]))...)
		}
		if rnd.IntN(3) == 0 {
			input = append(input, conversation(rnd)...)
		}
	}
	return input
}

func compareDeflated(t *testing.T, input []byte) {
	t.Helper()
	var r wire.Reader
	var z deflate.Inflater
	ours := feedTo(t, &r, &z, bytes.Clone(input), testMax, whole)
	if bits := feedTo(t, new(wire.Reader), &z, bytes.Clone(input), testMax, byteWise); !sameSeen(ours, bits) {
		t.Fatalf("%q:\nat once         %+v\na byte at a time %+v", input, ours, bits)
	}
	theirs := gorillaWith(t, deflate.Extension, input, testMax)
	if why := differs(ours, theirs, r.Buffered() > 0); why != "" {
		t.Errorf("%s\ninput  %q\nours   %+v\ntheirs %+v", why, input, ours, theirs)
	}
}

// differs tells what is different though it should not be. Gorilla inflates
// as frames come, so that an error stands elsewhere among control frames; it
// stops at the first block that says to be the last; it bounds what comes, and
// not what that inflates to; and it takes marks on any frame. FuzzInflate
// compares what is inflated to the byte. open: our Reader is left within a
// message.
func differs(ours, theirs seen, open bool) string {
	data, control := parted(ours.Messages)
	theirData, theirControl := parted(theirs.Messages)
	for i, m := range data[:min(len(data), len(theirData))] {
		if !strings.HasPrefix(m, theirData[i]) {
			return "message " + m
		}
	}
	for i, m := range control[:min(len(control), len(theirControl))] {
		if m != theirControl[i] {
			return "control frame " + m
		}
	}
	next := theirData[min(len(data), len(theirData)):]
	switch {
	case stricter(ours.Fault), strings.Contains(ours.Fault, "only the first frame"):
	case len(data) > len(theirData) && theirs.Code == 0 && !strings.Contains(theirs.Fault, "flate"):
		return "gorilla sees fewer messages"
	case ours.Code == wire.CloseInvalidData:
		if len(next) > 0 && allUTF8(next) {
			return "refused, but valid UTF-8"
		}
	case strings.Contains(ours.Fault, "compressed data"):
		if len(next) == 0 && theirs.Code == 0 && !corruptOrCut(theirs.Fault) {
			return "refused, but not corrupt"
		}
	case ours.Code == wire.CloseTooBig:
		if theirs.Code != wire.CloseTooBig && len(next) > 0 && len(next[0]) <= testMax+len("text ") && !corruptOrCut(theirs.Fault) {
			return "refused, but small enough"
		}
	case len(next) == 1 && open: // it has no end, but an end of its data
	case len(next) > 0:
		return "gorilla sees more messages"
	case ours.Code == theirs.Code:
	case ours.Code != 0 && theirs.Code == 0 && corruptOrCut(theirs.Fault):
	case len(control) > 0 && newCode(control[len(control)-1]) && theirs.Code == wire.CloseProtocolError:
	default:
		return fmt.Sprintf("another code: %d, %d", ours.Code, theirs.Code)
	}
	return ""
}

func parted(messages []string) (data, control []string) {
	for _, m := range messages {
		if strings.HasPrefix(m, "text ") || strings.HasPrefix(m, "binary ") {
			data = append(data, m)
		} else {
			control = append(control, m)
		}
	}
	return data, control
}

func allUTF8(messages []string) bool {
	for _, m := range messages {
		if strings.HasPrefix(m, "text ") && !utf8.ValidString(m) {
			return false
		}
	}
	return true
}

func corruptOrCut(fault string) bool {
	return strings.Contains(fault, "flate") || strings.Contains(fault, "EOF")
}
