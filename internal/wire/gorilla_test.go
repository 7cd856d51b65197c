package wire_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/internal/wire"
)

// script is a connection that reads what a client sent and keeps what the
// server answers.
type script struct {
	net.Conn // nil: only what gorilla calls is there
	input    *bytes.Reader
	output   bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)  { return s.input.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.output.Write(p) }
func (s *script) Close() error                { return nil }

func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// hijacked lets gorilla's Upgrader have the script as a connection.
type hijacked struct {
	http.ResponseWriter
	conn *script
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// gorilla is what gorilla/websocket makes of the input: the messages, and the
// code with which it closed, 0 if the input merely ended.
func gorilla(t *testing.T, input []byte, limit int64) (s seen) {
	t.Helper()
	return gorillaWith(t, "", input, limit)
}

// gorillaWith is gorilla where a client made these offers of extensions.
func gorillaWith(t *testing.T, offers string, input []byte, limit int64) (s seen) {
	t.Helper()
	conn := &script{input: bytes.NewReader(input)}
	req := httptest.NewRequest(http.MethodGet, "/ws", http.NoBody)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		req.Header.Set(k, v)
	}
	up := websocket.Upgrader{EnableCompression: offers != ""}
	if offers != "" {
		req.Header.Set("Sec-WebSocket-Extensions", offers)
	}
	c, err := up.Upgrade(hijacked{httptest.NewRecorder(), conn}, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.output.Reset()
	c.SetReadLimit(limit)
	note := func(op wire.Opcode, payload string) {
		s.Messages = append(s.Messages, fmt.Sprintf("%v %s", op, payload))
	}
	c.SetPingHandler(func(p string) error { note(wire.Ping, p); return nil })
	c.SetPongHandler(func(p string) error { note(wire.Pong, p); return nil })
	c.SetCloseHandler(func(code int, reason string) error {
		payload := ""
		if code != websocket.CloseNoStatusReceived {
			payload = string([]byte{byte(code >> 8), byte(code)}) + reason
		}
		note(wire.Close, payload)
		return nil
	})
	for {
		op, payload, err := c.ReadMessage()
		if err != nil {
			s.Code, s.Fault = closedBy(conn, err), err.Error()
			return s
		}
		note(wire.Opcode(op), string(payload))
	}
}

// closedBy is the code of the close frame that gorilla wrote, if it did.
func closedBy(conn *script, err error) wire.CloseCode {
	var closed *websocket.CloseError
	if errors.As(err, &closed) && !errors.Is(err, io.ErrUnexpectedEOF) && conn.output.Len() == 0 {
		return 0 // the client closed
	}
	out := conn.output.Bytes()
	if errors.Is(err, websocket.ErrReadLimit) && len(out) == 0 {
		return wire.CloseTooBig // a negative length or sum: no frame is sent
	}
	if len(out) >= 4 && out[0] == 0x88 {
		code, _ := wire.ParseClose(out[2:])
		return code
	}
	return 0
}

// FuzzReader gives the same bytes to Reader and to gorilla/websocket.
func FuzzReader(f *testing.F) {
	for _, c := range readerCases {
		f.Add(c.input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		ours := feed(t, bytes.Clone(input), testMax, whole)
		if bits := feed(t, bytes.Clone(input), testMax, byteWise); !sameSeen(ours, bits) {
			t.Fatalf("%q:\nat once         %+v\na byte at a time %+v", input, ours, bits)
		}
		checkDifference(t, input, ours, gorilla(t, input, testMax))
	})
}

// checkDifference allows what gorilla is lax in, and nothing else.
func checkDifference(t *testing.T, input []byte, ours, theirs seen) {
	t.Helper()
	fail := func(why string) { t.Errorf("%s\ninput  %q\nours   %+v\ntheirs %+v", why, input, ours, theirs) }
	n := len(ours.Messages)
	if n > len(theirs.Messages) && !newCode(ours.Messages[n-1]) {
		fail("gorilla sees fewer messages")
		return
	}
	for i, m := range ours.Messages[:min(n, len(theirs.Messages))] {
		if m != theirs.Messages[i] {
			fail("message " + m)
			return
		}
	}
	switch {
	case stricter(ours.Fault):
	case ours.Code == wire.CloseInvalidData: // gorilla takes any bytes for text
		if !badTextBehind(input, n) {
			fail("refused, but valid UTF-8")
		}
	case len(theirs.Messages) > n:
		fail("gorilla sees more messages")
	case ours.Code == theirs.Code:
	case ours.Code != 0 && theirs.Code == 0 && strings.Contains(theirs.Fault, "EOF"): // it wanted the whole header first
	case n > 0 && newCode(ours.Messages[n-1]) && theirs.Code == wire.CloseProtocolError:
	default:
		fail("another code")
	}
}

// stricter tells whether a fault is one that gorilla doesn't look for.
func stricter(fault string) bool {
	for _, part := range []string{"must be sent in 7", "two bytes", "highest bit"} {
		if strings.Contains(fault, part) {
			return true
		}
	}
	return false
}

// newCode tells whether a message is a close with 1014, which was registered
// after gorilla's list was made.
func newCode(message string) bool { return strings.HasPrefix(message, "close \x03\xf6") }

// badTextBehind tells whether text that is not UTF-8 is what comes next behind n
// messages and control frames, be it of a message that has no end.
func badTextBehind(input []byte, n int) bool {
	var text []byte
	isText := false
	for len(input) >= 2 {
		op, fin := wire.Opcode(input[0]&0x0f), input[0]&0x80 != 0
		payload, rest, whole := unmasked(input)
		if input = rest; op >= wire.Close {
			if n == 0 {
				return op == wire.Close && len(payload) > 2 && whole && !utf8.Valid(payload[2:])
			}
			n--
			continue
		}
		if op != wire.Continuation {
			text, isText = nil, op == wire.Text
		}
		text = append(text, payload...)
		if n == 0 && isText && badText(text, fin && whole) {
			return true
		}
		if fin {
			n--
		}
	}
	return false
}

// unmasked is a client's first frame, as far as it has come.
func unmasked(input []byte) (payload, rest []byte, whole bool) {
	size, at := uint64(input[1]&0x7f), 2
	if more := map[uint64]int{126: 2, 127: 8}[size]; more > 0 {
		if at += more; len(input) < at {
			return nil, nil, false
		}
		size = binary.BigEndian.Uint64(append(make([]byte, 8-more), input[2:at]...))
	}
	if len(input) < at+4 {
		return nil, nil, false
	}
	key, body := input[at:at+4], input[at+4:]
	end := min(size, uint64(len(body)))
	for i, b := range body[:end] {
		payload = append(payload, b^key[i%4])
	}
	return payload, body[end:], end == size
}

// badText tells whether a text can't be the beginning of one that is UTF-8, or
// isn't UTF-8 if this is all of it.
func badText(text []byte, all bool) bool {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			return all || utf8.FullRune(text)
		}
		text = text[size:]
	}
	return false
}
