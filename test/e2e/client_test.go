package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// client is a browser that writes everything down. One goroutine reads; it ends
// with the connection.
type client struct {
	name     string
	conn     *websocket.Conn
	worker   int
	patterns []string // subscribed to

	mu      sync.Mutex
	log     []message // in the order of arrival, from hello on
	end     error     // why reading ended
	changed chan struct{}
	nextID  int
}

// closing is what a close frame's reason says.
type closing struct {
	Code     string `json:"code"`
	RetryMin *int   `json:"retry_min_ms"`
	RetryMax *int   `json:"retry_max_ms"`
}

// dial opens a connection and waits for nothing.
func dial(s *server) (*websocket.Conn, error) {
	d := websocket.Dialer{HandshakeTimeout: soon}
	conn, resp, err := d.Dial("ws://"+s.host+":3001/ws", nil)
	if err != nil && resp != nil {
		return nil, &refusal{resp.StatusCode, resp.Header, err}
	}
	return conn, err
}

// refusal is an answer other than 101.
type refusal struct {
	code   int
	header http.Header
	err    error
}

func (r *refusal) Error() string { return fmt.Sprintf("HTTP %d: %v", r.code, r.err) }
func (r *refusal) Unwrap() error { return r.err }

// connect opens a session and waits for its hello.
func connect(t testing.TB, s *server) *client {
	t.Helper()
	c, err := tryConnect(s)
	must(t, err)
	t.Cleanup(c.close)
	return c
}

func tryConnect(s *server) (*client, error) {
	conn, err := dial(s)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, changed: make(chan struct{})}
	go c.read()
	if !c.await(soon, func() bool { return len(c.log) > 0 }) {
		c.close()
		return nil, fmt.Errorf("no hello: %w", c.ended())
	}
	hello := c.log[0]
	if hello.Type != "hello" || hello.Worker == nil {
		c.close()
		return nil, fmt.Errorf("instead of hello: %s", hello.raw)
	}
	c.worker, c.name = *hello.Worker, fmt.Sprintf("%s on worker %d", conn.LocalAddr(), *hello.Worker)
	return c, nil
}

func (c *client) close() { _ = c.conn.Close() }

// read takes everything down until the end.
func (c *client) read() {
	for {
		kind, raw, err := c.conn.ReadMessage()
		var m message
		if err == nil && kind != websocket.TextMessage {
			err = fmt.Errorf("a message of type %d", kind)
		}
		if err == nil {
			m, err = parseMessage(raw)
		}
		c.mu.Lock()
		if err != nil {
			c.end = err
		} else {
			c.log = append(c.log, m)
		}
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// await waits until what is written down satisfies done (called under the
// lock), or the connection has ended without.
func (c *client) await(within time.Duration, done func() bool) bool {
	deadline := time.After(within)
	for {
		c.mu.Lock()
		ok, ended, changed := done(), c.end != nil, c.changed
		c.mu.Unlock()
		if ok || ended {
			return ok
		}
		select {
		case <-changed:
		case <-deadline:
			return false
		}
	}
}

// ended is why the connection is over, nil while it isn't.
func (c *client) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// entries is a copy of what has been written down so far.
func (c *client) entries() []message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log[:len(c.log):len(c.log)]
}

// find waits for the first message that is wanted.
func (c *client) find(t testing.TB, what string, wanted func(message) bool) message {
	t.Helper()
	var found message
	seen := 0
	ok := c.await(soon, func() bool {
		for ; seen < len(c.log); seen++ {
			if wanted(c.log[seen]) {
				found = c.log[seen]
				return true
			}
		}
		return false
	})
	if !ok {
		t.Fatalf("%s: no %s: ended: %v; log: %s", c.name, what, c.ended(), tail(c.entries(), 5))
	}
	return found
}

func tail(log []message, n int) string {
	var b strings.Builder
	for _, m := range log[max(0, len(log)-n):] {
		fmt.Fprintf(&b, "\n  %.300s", m.raw)
	}
	return b.String()
}

// send sends any text.
func (c *client) send(t testing.TB, text string) {
	t.Helper()
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatalf("%s: send: %v (read ended: %v)", c.name, err, c.ended())
	}
}

// ask sends a request and returns the id that its answer will have.
func (c *client) ask(t testing.TB, kind string, data any) (id string) {
	t.Helper()
	c.nextID++
	id = fmt.Sprintf("q%d", c.nextID)
	text := mustDo[[]byte](t)(json.Marshal(map[string]any{"type": kind, "id": id, "data": data}))
	c.send(t, string(text))
	return id
}

// answer waits for the answer with an id.
func (c *client) answer(t testing.TB, id, kind string) message {
	t.Helper()
	return c.find(t, "answer to "+kind, func(m message) bool { return m.ID != nil && *m.ID == id })
}

// request sends a request and waits for its answer.
func (c *client) request(t testing.TB, kind string, data any) message {
	t.Helper()
	return c.answer(t, c.ask(t, kind, data), kind)
}

// subscribe subscribes to channels that must all be taken.
func (c *client) subscribe(t testing.TB, channels ...string) message {
	t.Helper()
	ack := c.request(t, "subscribe", map[string]any{"channels": channels})
	if ack.Type != "subscription_ack" || len(ack.Rejected) > 0 || len(ack.Subscribed) != len(channels) {
		t.Fatalf("%s: subscribe %v: %s", c.name, channels, ack.raw)
	}
	c.patterns = append(c.patterns, channels...)
	return ack
}

// heartbeat returns the pong.
func (c *client) heartbeat(t testing.TB) message {
	t.Helper()
	pong := c.request(t, "heartbeat", nil)
	if pong.Type != "pong" {
		t.Fatalf("%s: heartbeat: %s", c.name, pong.raw)
	}
	return pong
}

// closed waits for the end and returns the close frame's code and reason.
func (c *client) closed(t testing.TB, within time.Duration) (int, closing) {
	t.Helper()
	if c.await(within, func() bool { return false }); c.ended() == nil {
		t.Fatalf("%s: still open after %v", c.name, within)
	}
	var e *websocket.CloseError
	if !errors.As(c.ended(), &e) {
		t.Fatalf("%s: ended without a close frame: %v", c.name, c.ended())
	}
	return e.Code, parseReason(t, e.Text)
}

func parseReason(t testing.TB, text string) closing {
	t.Helper()
	var reason closing
	if err := json.Unmarshal([]byte(text), &reason); err != nil || reason.Code == "" {
		t.Errorf("close reason %q is not the JSON that was agreed: %v", text, err)
	}
	return reason
}

// clientsOnEach connects until every worker has n of the sessions.
func clientsOnEach(t testing.TB, s *server, n int) []*client {
	t.Helper()
	have := map[int]int{}
	var all []*client
	for tries := 0; len(all) < n*s.options.workers; tries++ {
		if tries > 200*n*s.options.workers {
			t.Fatalf("connects don't spread over %d workers: %v", s.options.workers, have)
		}
		c := connect(t, s)
		if c.worker >= s.options.workers || have[c.worker] == n {
			c.close()
			continue
		}
		have[c.worker]++
		all = append(all, c)
	}
	return all
}
