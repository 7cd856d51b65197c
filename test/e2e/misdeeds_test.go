package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// byteAtATime is slow but right, and served.
func byteAtATime(s *server) error {
	r, err := rawDial(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	_ = r.SetNoDelay(true)
	if err := r.dribble([]byte(handshake + "\r\n")); err != nil {
		return err
	}
	if err := r.upgraded(); err != nil {
		return err
	}
	if err := r.dribble(text(`{"type":"subscribe","id":"slow","data":{"channels":["WITNESS.trade"]}}`)); err != nil {
		return err
	}
	return r.answered("subscription_ack", "slow")
}

// dribble writes a byte a call.
func (r *raw) dribble(b []byte) error {
	for i := range b {
		if _, err := r.Write(b[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// answered reads past records to an answer with this id.
func (r *raw) answered(kind, id string) error {
	for {
		m, err := r.message()
		if err != nil {
			return fmt.Errorf("instead of %s: %w", kind, err)
		}
		if m.Type == kind && m.ID != nil && *m.ID == id {
			return nil
		}
		if m.Type != "message" {
			return fmt.Errorf("instead of %s: %s", kind, m.raw)
		}
	}
}

// handshakeDeadline is 5 s by protocol.md; what is beyond is for a busy machine.
const handshakeDeadline = 5*time.Second + soon

// silent says less than a head and waits to be closed.
func silent(s *server, said string) error {
	r, err := rawDial(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := r.WriteString(said); err != nil {
		return err
	}
	_, err = r.gone(handshakeDeadline)
	return err
}

// tricklingHead sends a little all the time, which must not put the deadline off.
func tricklingHead(s *server) error {
	r, err := rawDial(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	over := make(chan struct{})
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		_, err := r.WriteString(handshake)
		for err == nil {
			select {
			case <-over:
				return
			case <-tick.C:
				_, err = r.WriteString("X-More: more\r\n")
			}
		}
	}()
	defer close(over)
	_, err = r.gone(handshakeDeadline)
	return err
}

// halfClosed says no more, without a close frame: gone.
func halfClosed(s *server) error {
	r, err := rawUpgrade(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.CloseWrite(); err != nil {
		return err
	}
	_, err = r.gone(soon)
	return err
}

func halfClosedHead(s *server) error {
	r, err := rawDial(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := r.WriteString(handshake); err != nil {
		return err
	}
	if err := r.CloseWrite(); err != nil {
		return err
	}
	_, err = r.gone(handshakeDeadline)
	return err
}

// reset ends a connection as a crashed host's neighbour does.
func (r *raw) reset() error {
	if err := r.SetLinger(0); err != nil {
		return err
	}
	return r.Close()
}

func resetWithinFrame(s *server) error {
	r, err := rawUpgrade(s, 0)
	if err != nil {
		return err
	}
	request := text(`{"type":"subscribe","data":{"channels":["WITNESS.trade"]}}`)
	if _, err := r.Write(request[:len(request)/2]); err != nil {
		return err
	}
	return r.reset()
}

func resetWithinHead(s *server) error {
	r, err := rawDial(s, 0)
	if err != nil {
		return err
	}
	if _, err := r.WriteString(handshake[:40]); err != nil {
		return err
	}
	return r.reset()
}

// earlyBytes sends a frame before it may: the connection is closed, and no
// session comes of it.
func earlyBytes(s *server) error {
	r, err := rawDial(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := r.Write(append([]byte(handshake+"\r\n"), text(`{"type":"heartbeat"}`)...)); err != nil {
		return err
	}
	answer, err := r.gone(soon)
	if err == nil && strings.Contains(answer, `"hello"`) {
		err = fmt.Errorf("a session in spite of early bytes: %q", answer)
	}
	return err
}

// largeHead is never upgraded, and closed well before it has sent all it could.
func largeHead(s *server) error {
	r, err := rawDial(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	_, _ = r.WriteString(handshake + "X-Large: " + strings.Repeat("x", 9<<10) + "\r\n\r\n")
	answer, err := r.gone(handshakeDeadline)
	if err == nil && strings.Contains(answer, " 101 ") {
		err = fmt.Errorf("upgraded with a head of 9 KiB: %.100q", answer)
	}
	return err
}

// notHTTP sends what isn't HTTP at all.
func notHTTP(noise string) func(*server) error {
	return func(s *server) error {
		r, err := rawDial(s, 0)
		if err != nil {
			return err
		}
		defer r.Close()
		if _, err := r.WriteString(noise); err != nil {
			return err
		}
		answer, err := r.gone(handshakeDeadline)
		if err == nil && answer != "" && !strings.HasPrefix(answer, "HTTP/1.1 400") {
			err = fmt.Errorf("answered by %.100q", answer)
		}
		return err
	}
}

// pinging wants each ping's payload back, in between of requests too.
func pinging(s *server) error {
	r, err := rawUpgrade(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, payload := range []string{"", "hello", strings.Repeat("p", 125)} {
		if _, err := r.Write(frame(flagFin|opPing, true, []byte(payload))); err != nil {
			return err
		}
		op, got, err := r.next()
		for err == nil && op != opPong {
			op, got, err = r.next()
		}
		if err != nil || string(got) != payload {
			return fmt.Errorf("pong of %q for %q: %w", got, payload, err)
		}
	}
	_, err = r.Write(bytes.Join([][]byte{frame(flagFin|opPong, true, []byte("unasked")), text(`{"type":"heartbeat","id":"h"}`)}, nil))
	if err != nil {
		return err
	}
	return r.answered("pong", "h")
}

// fragmented sends a request in frames, a ping among them, which is right.
func fragmented(s *server) error {
	r, err := rawUpgrade(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	request := []byte(`{"type":"subscribe","id":"grüße","data":{"channels":["FRAG.trade"]}}`)
	var sent []byte
	for i := range request {
		op := byte(opContinuation)
		if i == 0 {
			op = opText
		}
		if i == len(request)-1 {
			op |= flagFin
		}
		sent = append(sent, frame(op, true, request[i:i+1])...)
		if i == 20 {
			sent = append(sent, frame(flagFin|opPing, true, []byte("in between"))...)
		}
	}
	if _, err := r.Write(sent); err != nil {
		return err
	}
	return r.answered("subscription_ack", "grüße")
}

// vanishing leaves while records are on their way to it.
func vanishing(s *server) error {
	r, err := rawUpgrade(s, 0)
	if err != nil {
		return err
	}
	if _, err := r.Write(text(`{"type":"subscribe","id":"v","data":{"channels":["*.*"]}}`)); err != nil {
		return err
	}
	if err := r.answered("subscription_ack", "v"); err != nil {
		return err
	}
	return r.reset()
}

// workerHealth asks the port of the clients.
func workerHealth(s *server) (int, error) {
	resp, err := (&http.Client{Timeout: soon}).Get("http://" + s.host + ":3001/health")
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
