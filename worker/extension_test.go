package worker

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/deflate"
	"github.com/odin-ws/odin/internal/wire"
)

// shake does a handshake with offers of extensions, and gives the answer's.
func (st *theatre) shake(offers ...string) (conn net.Conn, in *bufio.Reader, extension string) {
	st.t.Helper()
	conn, err := net.Dial("tcp", st.workers[0].address)
	st.must(err)
	st.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	head := "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, o := range offers {
		head += "Sec-WebSocket-Extensions: " + o + "\r\n"
	}
	_, err = io.WriteString(conn, head+"\r\n")
	st.must(err)
	in = bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	st.must(err)
	if answer.StatusCode != http.StatusSwitchingProtocols {
		st.t.Fatalf("%q: %s", offers, answer.Status)
	}
	return conn, in, answer.Header.Get("Sec-WebSocket-Extensions")
}

// readFrame reads one frame of the server's.
func (st *theatre) readFrame(in *bufio.Reader) []byte {
	st.t.Helper()
	var head []byte
	for size := 2; ; {
		b, err := in.Peek(size)
		st.must(err)
		if head = b; size == 2 && b[1] >= 126 {
			size = map[byte]int{126: 4, 127: 10}[b[1]]
			continue
		}
		break
	}
	frame := make([]byte, wire.FrameSize(head))
	_, err := io.ReadFull(in, frame)
	st.must(err)
	return frame
}

func TestOffersOfExtensions(t *testing.T) {
	st := newTheatre(t, 1, enabled)
	const agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for _, c := range []struct {
		offers []string
		want   string
	}{
		{nil, ""},
		{[]string{"permessage-deflate; client_max_window_bits"}, agreed},
		{[]string{"x-unknown", "permessage-deflate; server_max_window_bits=10"}, agreed + "; server_max_window_bits=10"},
		{[]string{"permessage-deflate; server_max_window_bits=99, permessage-deflate"}, agreed},
		{[]string{"permessage-deflate; server_max_window_bits=99"}, ""},
		{[]string{"permessage-deflate; what"}, ""},
		{[]string{";;=,,"}, ""},
	} {
		_, in, got := st.shake(c.offers...)
		if got != c.want {
			t.Errorf("%q: agreed on %q, want %q", c.offers, got, c.want)
		}
		if hello := st.readFrame(in); wire.Deflated(hello) || !bytes.Contains(hello, []byte(`"hello"`)) {
			t.Errorf("%q: greeted with %q", c.offers, hello)
		}
	}
}

// A client with a small window gets compressed what fits into it, and all else
// as it is.
func TestSmallWindows(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) {
		enabled(c)
		c.Compression.MinBytes = 0
	})
	conn, in, _ := st.shake("permessage-deflate; server_max_window_bits=9")
	st.readFrame(in)
	_, err := conn.Write(wire.AppendClientFrame(nil, true, wire.Text, []byte(`{"type":"subscribe","data":{"channels":["A.trade"]}}`), [4]byte{}))
	st.must(err)
	st.readFrame(in)
	large, small := quotes(1), `"`+strings.Repeat("small ", 50)+`"`
	var z deflate.Inflater
	for i, value := range []string{large, small, large, small} {
		st.produce("odin.trades", 0, "A", value)
		frame := st.readFrame(in)
		if wire.Deflated(frame) != (value == small) {
			t.Errorf("record %d of %d bytes: compressed is %v", i, len(value), wire.Deflated(frame))
		}
		if !wire.Deflated(frame) {
			continue
		}
		payload, err := z.Inflate(frame[len(frame)-payloadOf(frame):], 512)
		if err != nil || !bytes.Contains(payload, []byte(value)) {
			t.Errorf("record %d inflates to %q, %v", i, payload, err)
		}
	}
}

func payloadOf(frame []byte) int {
	if frame[1] < 126 {
		return int(frame[1])
	}
	return len(frame) - 4
}
