package wire_test

import (
	"bytes"
	"crypto/sha1" // RFC 6455 section 1.3 wants it
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/internal/deflate"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
)

// FuzzFrames has gorilla's client read what the server says: a conversation of
// whatever frames can be made, compressed ones too. It gets the very messages,
// in their order, and the very close code.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{})
	for kind := range sayings {
		f.Add([]byte{byte(kind), 5, 1, 0, 'h', 'e', 'l', 'l', 'o', byte(kind), 1, 250, 1, 'a'})
	}
	f.Add(append([]byte{0, 255, 255, 1}, strings.Repeat("0123456789", 30)...)) // 64 bits of length
	f.Fuzz(checkFrames)
}

func TestFramesRandomly(t *testing.T) {
	for seed := range uint64(2000) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		script := make([]byte, rnd.IntN(400))
		for i := range script {
			script[i] = byte(rnd.Uint32())
		}
		if checkFrames(t, script); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func checkFrames(t *testing.T, script []byte) {
	t.Helper()
	var s speech
	for len(script) > 0 && !s.closed {
		script = s.say(t, script)
	}
	got := readByGorilla(t, s.frames)
	for i, m := range s.messages[:min(len(s.messages), len(got.Messages))] {
		if m != got.Messages[i] {
			t.Fatalf("message %d is %.200q, not %.200q", i, got.Messages[i], m)
		}
	}
	switch {
	case len(got.Messages) != len(s.messages):
		t.Fatalf("%d messages instead of %d: %s", len(got.Messages), len(s.messages), got.Fault)
	case s.code == 1014 && strings.Contains(got.Fault, "bad close code"): // registered after gorilla's list was made
	case got.Code != s.code:
		t.Fatalf("closed with %d instead of %d: %s", got.Code, s.code, got.Fault)
	case s.checkReason != nil && !s.checkReason(got.Reason):
		t.Fatalf("closed with the reason %q", got.Reason)
	}
}

// compressors are of the levels that there may be, and the one between.
var compressors = [...]func() *deflate.Compressor{compressorOf(deflate.LevelMin), compressorOf(6), compressorOf(deflate.LevelMax)}

func compressorOf(level int) func() *deflate.Compressor {
	return sync.OnceValue(func() *deflate.Compressor {
		c, err := deflate.NewCompressor(level)
		if err != nil {
			panic(err)
		}
		return c
	})
}

// speech is what a server says, and what of it has to arrive.
type speech struct {
	frames   []byte
	messages []string
	closed   bool
	code     wire.CloseCode // 0: it ends without a close frame
	// checkReason tells whether that of the close frame is right; nil: there is
	// none to check.
	checkReason func(string) bool
}

// sayings are what a server can say of some bytes.
var sayings = []func(*speech, *testing.T, []byte){
	func(s *speech, _ *testing.T, b []byte) { s.frame(wire.Text, b, b) },
	func(s *speech, _ *testing.T, b []byte) { s.frame(wire.Binary, b, b) },
	func(s *speech, _ *testing.T, b []byte) { s.frame(wire.Ping, b, b[:min(len(b), 125)]) },
	func(s *speech, _ *testing.T, b []byte) { s.frame(wire.Pong, b, b[:min(len(b), 125)]) },
	func(s *speech, t *testing.T, b []byte) { s.deflated(t, wire.AppendFrame(nil, wire.Text, b)) },
	func(s *speech, t *testing.T, b []byte) { s.deflated(t, wire.AppendFrame(nil, wire.Binary, b)) },
	func(s *speech, t *testing.T, b []byte) { s.message(t, recordOf(b)) },
	func(s *speech, t *testing.T, b []byte) { s.deflated(t, recordOf(b)) },
	func(s *speech, t *testing.T, b []byte) {
		s.message(t, wire.AppendGap(nil, b, uint64(len(b)), event.Partition{Topic: string(b), Number: 3}, int64(len(b))))
	},
	func(s *speech, t *testing.T, b []byte) {
		s.message(t, wire.AppendError(nil, &wire.RequestError{Code: wire.ErrorBadRequest, ID: b, Message: string(b)}))
	},
	(*speech).closeFor,
	(*speech).closeWithCode,
	(*speech).closeInReply,
}

func recordOf(value []byte) []byte {
	return wire.AppendRecord(nil, value[:min(len(value), 200)], event.Partition{Topic: "odin.trades", Number: 7}, 1042, 1763800000123, value)
}

// say takes one saying from the script: its kind, and the bytes that it is of,
// which are as many as it says, so often.
func (s *speech) say(t *testing.T, script []byte) (rest []byte) {
	var head [4]byte
	script = script[copy(head[:], script):]
	size := min(int(head[1]), len(script))
	content := bytes.Repeat(script[:size], int(binary.LittleEndian.Uint16(head[2:]))%512)
	sayings[int(head[0])%len(sayings)](s, t, content)
	return script[size:]
}

func (s *speech) frame(op wire.Opcode, payload, arrives []byte) {
	s.frames = wire.AppendFrame(s.frames, op, payload)
	s.messages = append(s.messages, fmt.Sprintf("%v %s", op, arrives))
}

// message says a whole frame.
func (s *speech) message(t *testing.T, frame []byte) {
	t.Helper()
	op, payload := payloadOf(t, frame)
	s.frames = append(s.frames, frame...)
	s.messages = append(s.messages, fmt.Sprintf("%v %s", op, payload))
}

// deflated says a frame's compressed form, if there is one.
func (s *speech) deflated(t *testing.T, frame []byte) {
	t.Helper()
	frames, ok := wire.AppendDeflated(s.frames, frame, compressors[len(frame)%len(compressors)]())
	if !ok {
		s.message(t, frame)
		return
	}
	op, payload := payloadOf(t, frame)
	s.frames, s.messages = frames, append(s.messages, fmt.Sprintf("%v %s", op, payload))
}

// closeFor closes with a reason, whose JSON has to arrive whatever the reason
// was.
func (s *speech) closeFor(_ *testing.T, b []byte) {
	meanings := wire.CloseMeanings()
	retry := time.Duration(len(b)) * time.Second
	s.end(meanings[len(b)%len(meanings)].Code)
	s.frames = wire.AppendClose(s.frames, s.code, string(b), retry/2, retry)
	s.checkReason = func(text string) bool {
		var reason wire.CloseReason
		err := json.Unmarshal([]byte(text), &reason)
		return err == nil && reason.RetryMaxMS == retry.Milliseconds() && reason.RetryMinMS == (retry/2).Milliseconds() &&
			(len(reason.Code) == len(b) || len(b) > 40)
	}
}

// closeWithCode closes with a code of the server's, or with none where it must
// not travel.
func (s *speech) closeWithCode(_ *testing.T, b []byte) {
	code := codeIn(b)
	s.end(sendable(code))
	s.frames = wire.AppendCloseCode(s.frames, code)
}

// closeInReply answers a close frame of a client's.
func (s *speech) closeInReply(_ *testing.T, b []byte) {
	s.end(sendable(codeIn(b)))
	s.frames = wire.AppendCloseReply(s.frames, b)
}

func (s *speech) end(code wire.CloseCode) { s.closed, s.code = true, code }

func codeIn(b []byte) wire.CloseCode {
	code, _ := wire.ParseClose(b)
	return code
}

// sendable is what a client is told if a code may or may not be sent (RFC 6455
// section 7.4).
func sendable(code wire.CloseCode) wire.CloseCode {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
		return code
	}
	return wire.CloseNoStatus
}

// heard is what a client of gorilla's made of it.
type heard struct {
	Messages []string
	Code     wire.CloseCode // of the server's close frame; 0: there was none
	Reason   string
	Fault    string
}

func readByGorilla(t *testing.T, frames []byte) (h heard) {
	t.Helper()
	conn := &answering{frames: frames}
	d := websocket.Dialer{EnableCompression: true, NetDial: func(string, string) (net.Conn, error) { return conn, nil }}
	c, _, err := d.Dial("ws://odin/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	note := func(op wire.Opcode, payload string) {
		h.Messages = append(h.Messages, fmt.Sprintf("%v %s", op, payload))
	}
	c.SetPingHandler(func(p string) error { note(wire.Ping, p); return nil })
	c.SetPongHandler(func(p string) error { note(wire.Pong, p); return nil })
	for {
		op, payload, err := c.ReadMessage()
		if err == nil {
			note(wire.Opcode(op), string(payload))
			continue
		}
		h.Fault = err.Error()
		var closed *websocket.CloseError
		if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
			h.Code, h.Reason = wire.CloseCode(closed.Code), closed.Text
		}
		return h
	}
}

// answering is a connection to a server that answers the handshake, agrees on
// compression as Odin does, says its frames and ends.
type answering struct {
	script
	frames []byte
}

func (a *answering) Write(p []byte) (int, error) {
	if a.input != nil {
		return len(p), nil
	}
	key := header(p, "Sec-WebSocket-Key")
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	extension, _ := deflate.Negotiate([]string{header(p, "Sec-WebSocket-Extensions")})
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\nSec-WebSocket-Extensions: " + extension + "\r\n\r\n"
	a.input = bytes.NewReader(append([]byte(answer), a.frames...))
	return len(p), nil
}

// header is a request's header of this name.
func header(request []byte, name string) string {
	_, rest, _ := strings.Cut(string(request), "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}
