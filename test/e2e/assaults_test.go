package e2e

import (
	"bytes"
	"compress/flate"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// silence connects and says nothing: more than there may be handshakes at once,
// so some are told that there are too many.
func silence(t *testing.T, s *server) []net.Conn {
	return many(t, s, 10000, func(*raw) error { return nil })
}

// trickling begins a handshake and then sends a little again and again, which
// must not put its deadline off.
func trickling(every time.Duration, piece string) func(*testing.T, *server) []net.Conn {
	return func(t *testing.T, s *server) []net.Conn {
		held := many(t, s, 500, func(r *raw) error {
			_, err := r.WriteString(handshake[:len("GET /ws HTTP/1.1\r\n")])
			return err
		})
		over := make(chan struct{})
		t.Cleanup(func() { close(over) })
		go func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				select {
				case <-over:
					return
				case <-tick.C:
				}
				for _, c := range held {
					_, _ = c.Write([]byte(piece)) // it may be closed by now, as it should
				}
			}
		}()
		return held
	}
}

// resets connects, says something, and resets.
func resets(said string) func(*testing.T, *server) []net.Conn {
	return func(t *testing.T, s *server) []net.Conn {
		return many(t, s, 5000, func(r *raw) error {
			if _, err := r.WriteString(said); err != nil {
				return err
			}
			return r.reset()
		})
	}
}

func resetSessions(t *testing.T, s *server) []net.Conn {
	return many(t, s, 500, func(r *raw) error {
		if err := subscribedTo(r, "WITNESS.*"); err != nil {
			return err
		}
		return r.reset()
	})
}

// promises begins a request of 200 KiB in each of its sessions, sends some bytes
// of it, one at a time, and resets. All together have promised 100 MiB.
func promises(t *testing.T, s *server) []net.Conn {
	request := frame(flagFin|opText, true, make([]byte, 200<<10))
	held := many(t, s, 500, func(r *raw) error {
		if err := subscribedTo(r, "WITNESS.*"); err != nil {
			return err
		}
		return r.dribble(request[:20])
	})
	for _, c := range held {
		must(t, c.(*raw).reset())
	}
	return held
}

// bombs are messages of 64 KiB, each of which would inflate to 64 MiB.
func bombs(t *testing.T, s *server) []net.Conn {
	var payload bytes.Buffer
	w := mustDo[*flate.Writer](t)(flate.NewWriter(&payload, flate.BestCompression))
	zeros := make([]byte, 1<<20)
	for range 64 {
		mustDo[int](t)(w.Write(zeros))
	}
	must(t, w.Flush())
	bomb := frame(flagFin|flagReserved|opText, true, payload.Bytes())
	return many(t, s, 200, func(r *raw) error {
		if _, err := r.WriteString(handshake + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"); err != nil {
			return err
		}
		if err := r.upgraded(); err != nil {
			return err
		}
		if _, err := r.Write(bomb); err != nil {
			return fmt.Errorf("a bomb of %d bytes: %w", len(bomb), err)
		}
		return r.closedWith(1009)
	})
}

// subscribedTo makes a session of a connection.
func subscribedTo(r *raw, channel string) error {
	if _, err := r.WriteString(handshake + "\r\n"); err != nil {
		return err
	}
	if err := r.upgraded(); err != nil {
		return err
	}
	if _, err := r.Write(text(`{"type":"subscribe","id":"s","data":{"channels":["` + channel + `"]}}`)); err != nil {
		return err
	}
	return r.answered("subscription_ack", "s")
}

// hugeHeads sends 1 MiB of header lines. It is cut off long before.
func hugeHeads(t *testing.T, s *server) []net.Conn {
	lines := strings.Repeat("X-Large: "+strings.Repeat("x", 1000)+"\r\n", 1000)
	return many(t, s, 200, func(r *raw) error {
		_, _ = r.WriteString(handshake + lines)
		return nil
	})
}

// halfHeads closes its half of the connection within the head.
func halfHeads(t *testing.T, s *server) []net.Conn {
	return many(t, s, 500, func(r *raw) error {
		if _, err := r.WriteString(handshake); err != nil {
			return err
		}
		return r.CloseWrite()
	})
}

// halfOpen closes its half of a session without a close frame, and never the
// other half.
func halfOpen(t *testing.T, s *server) []net.Conn {
	return many(t, s, 500, func(r *raw) error {
		if err := subscribedTo(r, "WITNESS.*"); err != nil {
			return err
		}
		return r.CloseWrite()
	})
}

// unanswered breaks the protocol, reads no more, and never closes.
func unanswered(t *testing.T, s *server) []net.Conn {
	return many(t, s, 200, func(r *raw) error {
		if err := subscribedTo(r, "WITNESS.*"); err != nil {
			return err
		}
		_, err := r.Write(frame(flagFin|opText, false, []byte(`{"type":"heartbeat"}`)))
		return err
	})
}
