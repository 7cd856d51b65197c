package handshake_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/internal/handshake"
)

// good is the example of RFC 6455 section 1.2, without its end.
const good = "GET /ws HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

func TestParse(t *testing.T) {
	head := good + "Origin: https://example.com\r\nSec-WebSocket-Protocol: chat, odin.v1\r\n" +
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x\r\nsec-websocket-protocol:\tother \r\n\r\n"
	if r, _, err := handshake.Parse([]byte("GET /health HTTP/1.0\r\n\r\n")); err != nil || r.Path != "/health" {
		t.Errorf("of HTTP/1.0: %+v, %v", r, err)
	}
	r, n, err := handshake.Parse([]byte(head + "rest"))
	if err != nil || n != len(head) || r.Check() != nil {
		t.Fatalf("%d of %d, %v, %v", n, len(head), err, r.Check())
	}
	if r.Method != "GET" || r.Path != "/ws" || r.Origin != "https://example.com" || r.Key != "dGhlIHNhbXBsZSBub25jZQ==" {
		t.Errorf("%+v", r)
	}
	if want := []string{"chat", "odin.v1", "other"}; !reflect.DeepEqual(r.Protocols, want) {
		t.Errorf("protocols %q", r.Protocols)
	}
	if want := []string{"permessage-deflate; client_max_window_bits", "x"}; !reflect.DeepEqual(r.Extensions, want) {
		t.Errorf("extensions %q", r.Extensions)
	}
}

func TestParseByteByByte(t *testing.T) {
	head := good + "\r\n"
	for n := range head {
		if _, took, err := handshake.Parse([]byte(head[:n])); took != 0 || err != nil {
			t.Fatalf("after %q: %d, %v", head[:n], took, err)
		}
	}
}

func TestParseTargets(t *testing.T) {
	for target, want := range map[string]string{
		"/ws": "/ws", "/ws?token=x?y": "/ws", "/": "/", "*": "*", "http://host/ws?x": "/ws", "ws://host:1/ws": "/ws", "http://host": "/",
		"/ws/": "/ws/", "/%77s": "/%77s", "//ws": "//ws",
	} {
		r, _, err := handshake.Parse([]byte("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"))
		if err != nil || r.Path != want {
			t.Errorf("%s: %q, %v", target, r.Path, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ head, want string }{
		"TLS":             {"\x16\x03\x01\x02\x00", "not an HTTP request"},
		"noise":           {"\x00\xff\r\n", "not an HTTP request"},
		"no target":       {"GET\r\n", "not an HTTP request"},
		"no protocol":     {"GET /ws\r\n", "not an HTTP request"},
		"another":         {"GET /ws SIP/2.0\r\n", "not an HTTP request"},
		"too old":         {"GET /ws HTTP/0.9\r\n", "HTTP/1.1 is needed, the request says HTTP/0.9"},
		"two":             {"PRI * HTTP/2.0\r\n", "HTTP/1.1 is needed"},
		"no method":       {" /ws HTTP/1.1\r\n", "not an HTTP request"},
		"hostile version": {"GET / HTTP/\x1b[2J\r\n", "the request says HTTP/?[2J"},
		"folded":          {"GET / HTTP/1.1\r\nHost: x\r\n y\r\n", "no NAME: VALUE"},
		"no colon":        {"GET / HTTP/1.1\r\nHost\r\n", "no NAME: VALUE"},
		"space":           {"GET / HTTP/1.1\r\nHost : x\r\n", "no NAME: VALUE"},
		"control":         {"GET / HTTP/1.1\r\nHost: x\x00\r\n", "control character"},
		"bare CR":         {"GET / HTTP/1.1\r\nHost: x\rX: y\r\n", "control character"},
		"no host":         {"GET / HTTP/1.1\r\n\r\n", "one Host header"},
		"two hosts":       {"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "one Host header"},
		"a body":          {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", "with a body"},
		"chunks":          {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "with a body"},
		"two origins":     {"GET / HTTP/1.1\r\nHost: x\r\nOrigin: a\r\nOrigin: b\r\n\r\n", "more than one Origin"},
		"many lines":      {"GET / HTTP/1.1\r\n" + strings.Repeat("a: b\r\n", 200), "more than 128"},
	} {
		_, _, err := handshake.Parse([]byte(c.head))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"method":       {"GET", "POST", "is a GET"},
		"too old":      {"HTTP/1.1", "HTTP/1.0", "HTTP/1.1 is needed"},
		"upgrade":      {"Upgrade: websocket", "Upgrade: h2c", "Upgrade: websocket"},
		"connection":   {"Connection: Upgrade", "Connection: keep-alive", "Connection: Upgrade"},
		"version":      {"Version: 13", "Version: 8", "not 13"},
		"no key":       {"Sec-WebSocket-Key", "X", "one Sec-WebSocket-Key"},
		"two keys":     {"Host:", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nHost:", "one Sec-WebSocket-Key"},
		"short key":    {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", "16 bytes"},
		"long key":     {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZWVl", "16 bytes"},
		"no base64":    {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZ!==", "16 bytes"},
		"padded wrong": {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=e", "16 bytes"},
	} {
		r, _, err := handshake.Parse([]byte(strings.Replace(good, c.from, c.to, 1) + "\r\n"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, lenient := range map[string]string{
		"lists":      strings.Replace(good, "Connection: Upgrade", "Connection: keep-alive, upgrade", 1),
		"case":       strings.ToLower(good[len("GET /ws HTTP/1.1\r\n"):strings.Index(good, "dGhl")]) + good[strings.Index(good, "dGhl"):],
		"bare lines": strings.ReplaceAll(good, "\r\n", "\n"),
	} {
		if name == "case" {
			lenient = "GET /ws HTTP/1.1\r\n" + lenient
		}
		r, _, err := handshake.Parse([]byte(lenient + "\r\n"))
		if err != nil || r.Check() != nil {
			t.Errorf("%s: %v, %v", name, err, r.Check())
		}
	}
}

func TestAccept(t *testing.T) {
	got := string(handshake.AppendAccept([]byte("x"), "dGhlIHNhbXBsZSBub25jZQ==", "odin.v1", "permessage-deflate"))
	for _, want := range []string{
		"xHTTP/1.1 101 Switching Protocols\r\n", "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
		"\r\nSec-WebSocket-Protocol: odin.v1\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if plain := string(handshake.AppendAccept(nil, "k", "", "")); strings.Contains(plain, "Protocol:") || strings.Contains(plain, "Extensions") {
		t.Errorf("%q", plain)
	}
}

func TestDocument(t *testing.T) {
	for _, c := range []struct {
		handshake.Document
		method string
		body   string
	}{
		{handshake.Document{Status: 200, Body: []byte(`{"a":1}`)}, "GET", `{"a":1}`},
		{handshake.Document{Status: 503, Body: []byte(`{}`), RetryAfter: 5}, "GET", "{}"},
		{handshake.Document{Status: 400, Body: []byte(`{}`)}, "GET", "{}"},
		{handshake.Document{Status: 200, Body: []byte(`{}`), Head: true}, "HEAD", ""},
	} {
		answer := c.Append(nil)
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), &http.Request{Method: c.method})
		if err != nil {
			t.Fatalf("%q: %v", answer, err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != c.body || r.StatusCode != c.Status || !r.Close || r.ContentLength != int64(len(c.Body)) {
			t.Errorf("%q: %q, %v", answer, body, err)
		}
		if got := r.Header.Get("Retry-After"); (got == "5") != (c.RetryAfter == 5) {
			t.Errorf("Retry-After %q", got)
		}
		if got := r.Header.Get("Sec-WebSocket-Version"); (got == "13") != (c.Status == 400) {
			t.Errorf("Sec-WebSocket-Version %q", got)
		}
	}
}

// What gorilla's Upgrader behind net/http takes is taken, and the other way
// round, but for what is stricter on purpose.
func FuzzAgainstGorilla(f *testing.F) {
	f.Add([]byte(good + "\r\n"))
	f.Add([]byte(strings.Replace(good, "Upgrade\r\n", "keep-alive , Upgrade\r\n", 1) + "Origin: x\r\n\r\n"))
	f.Add([]byte(strings.Replace(good, "13", "8", 1) + "\r\n"))
	f.Add([]byte(strings.Replace(good, "GET /ws", "GET http://a/ws?b", 1) + "\r\n"))
	f.Add([]byte("GET / HTTP/1.1\nHost:x\n\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		r, n, err := handshake.Parse(head)
		ours := err == nil && n == len(head) && r.Check() == nil
		if n > len(head) || n < 0 {
			t.Fatalf("%d bytes of %d", n, len(head))
		}
		if !ours {
			return
		}
		request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			if strings.Contains(err.Error(), "invalid URI") || strings.Contains(err.Error(), "parse ") {
				return // a path that is none: not found
			}
			t.Fatalf("net/http says %v of %q", err, head)
		}
		if !upgrades(request) {
			t.Errorf("gorilla doesn't take %q", head)
		}
	})
}

// upgrades asks gorilla.
func upgrades(r *http.Request) bool {
	u := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	near, far := net.Pipe()
	defer far.Close()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	conn, err := u.Upgrade(&hijacker{httptest.NewRecorder(), near}, r, nil)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

type hijacker struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	_ = h.conn.SetDeadline(time.Now().Add(time.Minute))
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

func BenchmarkHandshake(b *testing.B) {
	head := []byte(good + "Origin: https://example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n\r\n")
	var out []byte
	for b.Loop() {
		r, _, err := handshake.Parse(head)
		if err != nil || r.Check() != nil {
			b.Fatal(err)
		}
		out = handshake.AppendAccept(out[:0], r.Key, "", "")
	}
}
