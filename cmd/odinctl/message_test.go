package main

import (
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/odin-ws/odin/internal/wire"
)

func TestShow(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.Local).UnixMilli()
	data := func(text string) *wire.ServerMessage {
		return &wire.ServerMessage{Type: "message", Channel: "BTC.trade", Pos: "odin.trades:7:1042", TS: at, Data: []byte(text)}
	}
	bytes := data(`"aGk="`)
	bytes.Encoding = "base64"
	for name, c := range map[string]struct {
		message        *wire.ServerMessage
		stdout, stderr string
		err            error
	}{
		"record":        {data(`{"a":1}`), "03:04:05.678 BTC.trade odin.trades:7:1042 {\"a\":1}\n", "", nil},
		"over lines":    {data("{\n\t\"a\" : 1\r\n}"), "03:04:05.678 BTC.trade odin.trades:7:1042 {\"a\":1}\n", "", nil},
		"controls":      {data("\"\u009b31m\u007f\""), "03:04:05.678 BTC.trade odin.trades:7:1042 \"\\u009b31m\\u007f\"\n", "", nil},
		"tombstone":     {data("null"), "03:04:05.678 BTC.trade odin.trades:7:1042 null\n", "", nil},
		"base64":        {bytes, "03:04:05.678 BTC.trade odin.trades:7:1042 base64:aGk=\n", "", nil},
		"gap":           {&wire.ServerMessage{Type: "gap", Channel: "BTC.trade", Dropped: 3, Pos: "a:1:2"}, "", "odinctl: 3 records of BTC.trade were dropped before a:1:2, because we are too slow\n", nil},
		"reset":         {&wire.ServerMessage{Type: "reset", Reason: "epoch", Lost: true}, "", "odinctl: reset: epoch, records may be missing\n", nil},
		"harmless":      {&wire.ServerMessage{Type: "reset", Reason: "topology"}, "", "odinctl: reset: topology, nothing is lost\n", nil},
		"hello":         {&wire.ServerMessage{Type: "hello"}, "", "", nil},
		"ack":           {&wire.ServerMessage{Type: "subscription_ack", Subscribed: []string{"a.b", "c.d"}}, "", "", nil},
		"one rejected":  {&wire.ServerMessage{Type: "subscription_ack", Rejected: []wire.ServerRejection{{Channel: "x", Code: "bad_channel", Message: "no dot"}}}, "", "odinctl: \"x\" is not subscribed: bad_channel: no dot\n", nil},
		"both rejected": {&wire.ServerMessage{Type: "subscription_ack", Rejected: []wire.ServerRejection{{}}, Omitted: 1}, "", "odinctl: \"\" is not subscribed: : \n", errRefused},
	} {
		var stdout, stderr strings.Builder
		p := program{stdout: &stdout, stderr: &stderr}
		err := p.show(nil, c.message, 2)
		if stdout.String() != c.stdout || stderr.String() != c.stderr || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %q, %v", name, stdout.String(), stderr.String(), err)
		}
	}
	p := program{stdout: io.Discard, stderr: io.Discard}
	if err := p.show(nil, &wire.ServerMessage{Type: "error", Code: "bad_request", Message: "no"}, 1); err == nil || !strings.Contains(err.Error(), "bad_request: no") {
		t.Errorf("an error shows as %v", err)
	}
}

func TestShowJSON(t *testing.T) {
	t.Parallel()
	for frame, want := range map[string]string{
		`{"type":"message","data":{ "a" : 1 }}`:              `{"type":"message","data":{"a":1}}` + "\n",
		`{"type":"gap","channel":"BTC.trade"}`:               `{"type":"gap","channel":"BTC.trade"}` + "\n",
		`{"type":"reset","reason":"epoch"}`:                  `{"type":"reset","reason":"epoch"}` + "\n",
		`{"type":"hello"}`:                                   "",
		`{"type":"subscription_ack"}`:                        "",
		"{\"type\":\"message\",\"data\":\"<\u009b&\ud7ff\"}": "{\"type\":\"message\",\"data\":\"<\\u009b&\ud7ff\"}\n",
	} {
		var stdout strings.Builder
		p := program{stdout: &stdout, stderr: io.Discard, json: true}
		kind := strings.Split(frame, `"`)[3]
		if err := p.show([]byte(frame), &wire.ServerMessage{Type: kind}, 1); err != nil || stdout.String() != want {
			t.Errorf("%s: %q, %v", frame, stdout.String(), err)
		}
	}
}

func TestCloseReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		end  websocket.CloseError
		want string
	}{
		{websocket.CloseError{Code: 1001, Text: `{"code":"draining","retry_min_ms":500,"retry_max_ms":5000}`}, "1001 draining; try again in 500ms to 5s"},
		{websocket.CloseError{Code: 1008, Text: `{"code":"origin"}`}, "1008 origin"},
		{websocket.CloseError{Code: 1011, Text: "words\x1b[2J"}, `1011 words\u001b[2J`},
		{websocket.CloseError{Code: 1000}, "1000 "},
	} {
		if got := closeReason(&c.end); got != c.want {
			t.Errorf("%+v: %q, want %q", c.end, got, c.want)
		}
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"odind closed the connection: 4000 slow": &websocket.CloseError{Code: 4000, Text: `{"code":"slow"}`},
		"the connection to odind broke":          &websocket.CloseError{Code: websocket.CloseAbnormalClosure, Text: "unexpected EOF"},
		"the connection to odind broke: EOF":     io.EOF,
	} {
		if got := closed(err).Error(); !strings.HasPrefix(got, want) {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"error":"too many connections","reason":"connections"}`: "connections: too many connections; try again in 5 s",
		"plain words\n":            "plain words; try again in 5 s",
		strings.Repeat("x", 1<<20): strings.Repeat("x", refusalMax) + "; try again in 5 s",
	} {
		response := &http.Response{Header: http.Header{"Retry-After": {"5"}}, Body: io.NopCloser(strings.NewReader(body))}
		if got := refusal(response); got != want {
			t.Errorf("%.40s: %.80q, want %.80q", body, got, want)
		}
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words []string
		line  string
		want  []string
	}{
		{[]string{"t", "k"}, `{"a": 1}`, []string{"t", "k", `{"a": 1}`}},
		{[]string{"t", "k"}, "", []string{"t", "k", ""}},
		{[]string{"t", "k"}, "v\r", []string{"t", "k", "v"}},
		{[]string{"t"}, `BTC {"a": 1}`, []string{"t", "BTC", `{"a": 1}`}},
		{[]string{"t"}, ` {"a":1}`, []string{"t", "", `{"a":1}`}},
		{nil, "t k a b c", []string{"t", "k", "a b c"}},
		{[]string{"t"}, "BTC", nil},
		{nil, "t k", nil},
		{nil, "", nil},
	} {
		got, err := complete(c.words, c.line)
		if !reflect.DeepEqual(got, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("%v and %q: %q, %v", c.words, c.line, got, err)
		}
	}
}

func FuzzOneLine(f *testing.F) {
	for _, text := range []string{`{"a":1}`, "\"\u009b\"", "[\n1]", "x\x1b", ""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if line := oneLine(data); strings.ContainsAny(line, "\n\r\x1b\x00") {
			t.Errorf("%q gives %q", data, line)
		}
	})
}
