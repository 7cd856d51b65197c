package wire_test

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/wire"
)

// payloadOf takes the payload out of one whole frame of the server.
func payloadOf(t testing.TB, frame []byte) (op wire.Opcode, payload []byte) {
	t.Helper()
	if len(frame) < 2 || frame[0]&0xf0 != 0x80 {
		t.Fatalf("no final frame without reserved bits: % x", frame[:min(len(frame), 20)])
	}
	size, body := int(frame[1]), 2
	switch {
	case size == 126:
		size, body = int(binary.BigEndian.Uint16(frame[2:])), 4
		if size < 126 {
			t.Fatalf("%d in 16 bits", size)
		}
	case size == 127:
		size, body = int(binary.BigEndian.Uint64(frame[2:])), 10
		if size < 1<<16 {
			t.Fatalf("%d in 64 bits", size)
		}
	case size > 127:
		t.Fatal("the server's frames are not masked")
	}
	if len(frame) != body+size {
		t.Fatalf("the header says %d bytes, %d follow", size, len(frame)-body)
	}
	return wire.Opcode(frame[0] & 0x0f), frame[body:]
}

// closeOf takes a close frame of the server apart.
func closeOf(t *testing.T, frame []byte) (code wire.CloseCode, reason string) {
	t.Helper()
	op, payload := payloadOf(t, frame)
	if op != wire.Close || len(payload) > 125 {
		t.Fatalf("%v frame of %d bytes", op, len(payload))
	}
	code, text := wire.ParseClose(payload)
	return code, string(text)
}

func TestAppendClose(t *testing.T) {
	for _, c := range []struct {
		code     wire.CloseCode
		reason   string
		min, max time.Duration
		want     string
	}{
		{1001, "draining", 500 * time.Millisecond, 5 * time.Second, `{"code":"draining","retry_min_ms":500,"retry_max_ms":5000}`},
		{1008, "too_many_errors", 0, 0, `{"code":"too_many_errors"}`},
		{1011, "internal:5f2a", 0, time.Second, `{"code":"internal:5f2a","retry_min_ms":0,"retry_max_ms":1000}`},
		{4000, "a\"b\\c\n\xffé", 0, 0, `{"code":"a?b?c????"}`},
		{4000, "", 0, 0, `{"code":""}`},
		{1013, "overloaded", -time.Second, 1 << 62, `{"code":"overloaded","retry_min_ms":0,"retry_max_ms":999999999}`},
	} {
		code, reason := closeOf(t, wire.AppendClose(nil, c.code, c.reason, c.min, c.max))
		if code != c.code || reason != c.want {
			t.Errorf("%d %q: %d %s, want %s", c.code, c.reason, code, reason, c.want)
		}
	}
}

func TestAppendCloseAlwaysFits(t *testing.T) {
	for size := range 300 {
		reason := strings.Repeat("\"", size)
		_, text := closeOf(t, wire.AppendClose(nil, 1011, reason, 1<<62, 1<<62))
		if !json.Valid([]byte(text)) {
			t.Fatalf("a reason of %d bytes gives %s", size, text)
		}
	}
}

func TestCloseMeanings(t *testing.T) {
	last := wire.CloseCode(0)
	for _, m := range wire.CloseMeanings() {
		if m.Code <= last {
			t.Errorf("%d is not in ascending order", m.Code)
		}
		last = m.Code
		if m.When == "" || m.Reconnect == "" {
			t.Errorf("%d is not documented", m.Code)
		}
		if wants := strings.HasPrefix(m.Reconnect, "yes"); wants != (m.RetryMax > 0) || m.RetryMin > m.RetryMax {
			t.Errorf("%d: reconnect %q, window %v to %v", m.Code, m.Reconnect, m.RetryMin, m.RetryMax)
		}
		if got, ok := m.Code.Meaning(); !ok || got.When != m.When {
			t.Errorf("%d: Meaning is %+v", m.Code, got)
		}
		code, reason := closeOf(t, wire.AppendCloseCode(nil, m.Code))
		var r wire.CloseReason
		if m.Reasons != nil {
			if err := json.Unmarshal([]byte(reason), &r); err != nil {
				t.Errorf("%d: reason %q: %v", m.Code, reason, err)
			}
		}
		if code != m.Code || r.RetryMinMS != m.RetryMin.Milliseconds() || r.RetryMaxMS != m.RetryMax.Milliseconds() {
			t.Errorf("%d: %d %s", m.Code, code, reason)
		}
	}
	if _, ok := wire.CloseCode(2999).Meaning(); ok {
		t.Error("2999 has a meaning")
	}
	if got := wire.CloseCode(2999).String() + ", " + wire.CloseSlowConsumer.String(); got != "2999, 4000 (the client reads too slowly and its queue is full)" {
		t.Error(got)
	}
}

func TestAppendCloseWithoutReason(t *testing.T) {
	for _, c := range []struct {
		name  string
		frame []byte
		want  string
	}{
		{"reply to a code", wire.AppendCloseReply(nil, []byte("\x0f\xa0bye")), "\x88\x02\x0f\xa0"},
		{"reply to none", wire.AppendCloseReply(nil, nil), "\x88\x00"},
		{"reply to one that must not travel", wire.AppendCloseReply(nil, []byte("\x03\xee")), "\x88\x00"},
		{"normal", wire.AppendCloseCode(nil, wire.CloseNormal), "\x88\x02\x03\xe8"},
		{"none", wire.AppendCloseCode(nil, wire.CloseNoStatus), "\x88\x00"},
		{"abnormal", wire.AppendCloseCode(nil, wire.CloseAbnormal), "\x88\x00"},
	} {
		if string(c.frame) != c.want {
			t.Errorf("%s: % x", c.name, c.frame)
		}
	}
}

func TestParseClose(t *testing.T) {
	for _, c := range []struct {
		payload string
		code    wire.CloseCode
		reason  string
	}{
		{"", wire.CloseNoStatus, ""},
		{"\x03\xe8", 1000, ""},
		{"\x0f\xa0slow", 4000, "slow"},
	} {
		if code, reason := wire.ParseClose([]byte(c.payload)); code != c.code || string(reason) != c.reason {
			t.Errorf("%q: %d %q", c.payload, code, reason)
		}
	}
}

func TestCloseErrorSaysAll(t *testing.T) {
	var err error = &wire.CloseError{Code: 1009, Message: "too much"}
	if err.Error() != "close 1009: too much" {
		t.Error(err)
	}
}
