package worker

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/shm"
)

// Whatever ends a connection before it is a session is counted once, by its
// reason, and its place is free again.
func TestHandshakesThatFailAreCountedByReason(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) {
		c.Limits.HandshakeMax = 3 * time.Second
		c.Origins = []string{"https://app.example.com"}
	})
	for _, c := range []struct {
		name, says string
		leaves     bool
		want       shm.Counter
	}{
		{"no request in time", "GET /ws HTTP/1.1\r\n", false, shm.HandshakesFailedDeadline},
		{"nothing at all", "", false, shm.HandshakesFailedDeadline},
		{"nothing, and gone", "", true, shm.HandshakesFailedIO},
		{"half a head, and gone", "GET /ws HT", true, shm.HandshakesFailedIO},
		{"not HTTP", "\x16\x03\x01 hello\r\n\r\n", false, shm.HandshakesFailedBadRequest},
		{"no host", "GET /ws HTTP/1.1\r\n\r\n", false, shm.HandshakesFailedBadRequest},
		{"a head too large", upgradeHead + "X: " + strings.Repeat("x", 20<<10) + "\r\n\r\n", false, shm.HandshakesFailedTooLarge},
		{"no upgrade", "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", false, shm.HandshakesFailedBadRequest},
		{"another version", strings.Replace(upgradeHead, "13", "12", 1) + "\r\n", false, shm.HandshakesFailedBadRequest},
		{"another origin", upgradeHead + "Origin: https://evil.example.com\r\n\r\n", false, shm.HandshakesFailedOrigin},
		{"a frame before the answer", upgradeHead + "\r\n\x81\x80\x00\x00\x00\x00", false, shm.HandshakesFailedEarlyBytes},
		{"a session", upgradeHead + "\r\n", true, shm.Handshakes},
		{"health", "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", false, -1},
	} {
		before := failures(st)
		knockWith(t, st.workers[0].address, c.says, c.leaves)
		st.await(c.name+": it is over", func() bool {
			return st.segment.Slot(0).Counter(shm.ConnectionsAccepted) == before[shm.ConnectionsAccepted]+1 &&
				st.segment.Slot(0).Gauge(shm.PendingHandshakes) == 0 && (c.want < 0 || failures(st)[c.want] != before[c.want])
		})
		for counter, n := range failures(st) {
			want := before[counter]
			if counter == c.want || counter == shm.ConnectionsAccepted {
				want++
			}
			if n != want {
				t.Errorf("%s: %s{%s} went from %d to %d", c.name, counter.Metric().Name, counter.Metric().Value, before[counter], n)
			}
		}
	}
}

// upgradeHead is a handshake without its last line.
const upgradeHead = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// failures are all counters up to the upgrade.
func failures(st *theatre) map[shm.Counter]uint64 {
	now := map[shm.Counter]uint64{}
	for c := shm.ConnectionsAccepted; c <= shm.RefusedHandshakes; c++ {
		now[c] = st.segment.Slot(0).Counter(c)
	}
	return now
}

// knockWith says something and waits to be answered or closed, or leaves.
func knockWith(t *testing.T, address, says string, leaves bool) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprint(c, says); err != nil {
		t.Fatal(err)
	}
	if leaves {
		return
	}
	c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("neither answered nor closed after %q", says)
	}
}
