package odin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

const greeting = `{"type":"hello","version":"odin.v1","node":"n1","worker":3,"ts":1,"ping_interval_ms":25000,"limits":{"max_channels":1000,"max_request_bytes":262144}}`

// fake is a server that does what a test tells it, over pipes, so that a test
// runs in a bubble of its own time.
type fake struct {
	t      *testing.T
	pipes  chan net.Conn
	server *http.Server
	peers  chan *peer

	mu      sync.Mutex
	refuse  []func(http.ResponseWriter) // the next handshakes
	dialErr error                       // of all dials, while set
	dials   []time.Time
}

// peer is the server's side of one connection.
type peer struct {
	t    *testing.T
	conn *websocket.Conn
	got  chan asked
	end  error // of reading, once got is closed
}

// asked is a request as the server sees it.
type asked struct {
	Type, ID string
	Data     struct {
		Channels []string
		Last     int
		ClientID string `json:"client_id"`
		Cursor   json.RawMessage
	}
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, pipes: make(chan net.Conn), peers: make(chan *peer, 100)}
	f.server = &http.Server{Handler: f}
	go f.server.Serve(pipeListener{f, make(chan struct{})})
	t.Cleanup(func() { f.server.Close() })
	return f
}

type pipeListener struct {
	*fake
	closed chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.pipes:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l pipeListener) Close() error   { close(l.closed); return nil }
func (l pipeListener) Addr() net.Addr { return &net.IPAddr{} }

// dial is the client's way to the fake.
func (f *fake) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	f.mu.Lock()
	err := f.dialErr
	f.dials = append(f.dials, time.Now())
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	select {
	case f.pipes <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if len(f.refuse) > 0 {
		defer f.mu.Unlock()
		f.refuse[0](w)
		f.refuse = f.refuse[1:]
		return
	}
	f.mu.Unlock()
	upgrader := websocket.Upgrader{Subprotocols: []string{"odin.v1"}}
	conn, err := upgrader.Upgrade(w, r, nil)
	if errors.Is(err, io.ErrClosedPipe) { // the client broke it off
		return
	}
	if err != nil {
		f.t.Errorf("upgrade: %v", err)
		return
	}
	p := &peer{t: f.t, conn: conn, got: make(chan asked, 1000)}
	f.peers <- p
	p.read()
}

func (p *peer) read() {
	defer close(p.got)
	for {
		_, text, err := p.conn.ReadMessage()
		if err != nil {
			p.end = err
			return
		}
		var a asked
		if err := json.Unmarshal(text, &a); err != nil {
			p.t.Errorf("the client sends %s: %v", text, err)
		}
		p.got <- a
	}
}

// accept waits for a connection and greets it.
func (f *fake) accept() *peer {
	f.t.Helper()
	p := f.acceptSilent()
	p.send(greeting)
	return p
}

func (f *fake) acceptSilent() *peer {
	f.t.Helper()
	select {
	case p := <-f.peers:
		return p
	case <-time.After(time.Hour):
		f.t.Fatal("no connection comes")
		return nil
	}
}

// expect waits for the next request but heartbeats, and wants its type and
// channels.
func (p *peer) expect(kind string, channels ...string) asked {
	p.t.Helper()
	for {
		select {
		case a, ok := <-p.got:
			switch {
			case !ok:
				p.t.Fatalf("the client ends, wanted %s: %v", kind, p.end)
			case a.Type == "heartbeat" && kind != a.Type:
				continue
			case a.Type != kind || !slices.Equal(a.Data.Channels, channels):
				p.t.Fatalf("the client sends %+v, wanted %s %q", a, kind, channels)
			}
			return a
		case <-time.After(time.Hour):
			p.t.Fatalf("the client doesn't send %s %q", kind, channels)
		}
	}
}

// quiet wants the client to have sent nothing but heartbeats.
func (p *peer) quiet() {
	p.t.Helper()
	synctest.Wait()
	for len(p.got) > 0 {
		if a := <-p.got; a.Type != "heartbeat" {
			p.t.Fatalf("the client sends %+v", a)
		}
	}
}

func (p *peer) send(format string, args ...any) {
	p.t.Helper()
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	if err := p.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		p.t.Fatalf("send %s: %v", text, err)
	}
}

// records sends a record at each of the offsets of partition 0.
func (p *peer) records(channel string, offsets ...int) {
	p.t.Helper()
	for _, offset := range offsets {
		p.send(`{"type":"message","channel":%q,"pos":"t:0:%d","ts":1763800000123,"data":{"n":%[2]d}}`, channel, offset)
	}
}

// cursorAt is a cursor with these offsets.
func cursorAt(epoch string, offsets ...string) string {
	return fmt.Sprintf(`{"t":{"epoch":%q,"offsets":[%s]}}`, epoch, strings.Join(offsets, ","))
}

// takes answers a subscribe in full.
func (p *peer) takes(a asked, cursor string) {
	p.t.Helper()
	names, _ := json.Marshal(a.Data.Channels)
	p.send(`{"type":"subscription_ack","id":%q,"subscribed":%s,"rejected":[],"count":%d,"history":0,"cursor":%s}`, a.ID, names, len(a.Data.Channels), cursor)
}

// recovers answers a reconnect.
func (p *peer) recovers(a asked, replayed int, cursor string) {
	p.t.Helper()
	names, _ := json.Marshal(a.Data.Channels)
	p.send(`{"type":"reconnect_ack","id":%q,"recovered":true,"status":"completed","messages_replayed":%d,"subscribed":%s,"rejected":[],"cursor":%s}`, a.ID, replayed, names, cursor)
}

// fails answers a reconnect that can't be recovered.
func (p *peer) fails(a asked, reason, cursor string) {
	p.t.Helper()
	names, _ := json.Marshal(a.Data.Channels)
	p.send(`{"type":"reconnect_ack","id":%q,"recovered":false,"reason":%q,"messages_replayed":0,"subscribed":%s,"rejected":[],"cursor":%s}`, a.ID, reason, names, cursor)
}

// close ends the connection with a close frame.
func (p *peer) close(code int, reason string) {
	p.t.Helper()
	if err := p.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Time{}); err != nil {
		p.t.Errorf("close: %v", err)
	}
	p.conn.Close()
}

// drop ends the connection without one.
func (p *peer) drop() { p.conn.Close() }

// closedWith is the code that the client closed with; 1006 for none.
func (p *peer) closedWith() int {
	for range p.got {
	}
	var end *websocket.CloseError
	if errors.As(p.end, &end) {
		return end.Code
	}
	return websocket.CloseAbnormalClosure
}

// rig is a client of a fake, with what its handlers heard, a line each.
type rig struct {
	*fake
	*Client
	cancel context.CancelFunc
	done   chan struct{}
	err    error // of Run, once done

	mu    sync.Mutex
	heard []string
}

func (r *rig) hear(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = append(r.heard, fmt.Sprintf(format, args...))
}

// wants compares what was heard since the last time.
func (r *rig) wants(lines ...string) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.heard, lines) {
		r.t.Fatalf("heard\n  %s\nwant\n  %s", strings.Join(r.heard, "\n  "), strings.Join(lines, "\n  "))
	}
	r.heard = nil
}

func (r *rig) wantsCursor(want string) {
	r.t.Helper()
	synctest.Wait()
	if got, err := json.Marshal(r.Cursor()); err != nil || string(got) != want {
		r.t.Fatalf("cursor %s, want %s (%v)", got, want, err)
	}
}

// newRig makes a client whose handlers take everything down. Handlers that the
// options have are kept.
func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	r := &rig{fake: newFake(t)}
	o.Dialer = &websocket.Dialer{NetDialContext: r.dial, HandshakeTimeout: handshakeMax}
	if o.OnRecord == nil {
		o.OnRecord = func(x Record) error {
			r.hear("%s %s%s", x.Pos, x.Channel, map[bool]string{true: " history"}[x.History])
			return nil
		}
	}
	o.OnGap = func(g Gap) error { r.hear("gap %s %d %s", g.Channel, g.Dropped, g.Pos); return nil }
	o.OnReset = func(x Reset) error { r.hear("reset %s %v", x.Reason, x.Lost); return nil }
	o.OnRecovery = func(x Recovery) error {
		r.hear("recovery %v %d %s", x.Recovered, x.Replayed, strings.TrimSpace(x.Reason+" "+x.Message))
		return nil
	}
	o.OnRejected = func(x Rejection) { r.hear("rejected %s %s", x.Channel, x.Code) }
	if o.OnConnect == nil {
		o.OnConnect = func(c Connection) { r.hear("connected %s/%d", c.Node, c.Worker) }
	}
	if o.OnDisconnect == nil {
		o.OnDisconnect = func(d Disconnection) { r.hear("disconnected final=%v", d.Final) }
	}
	client, err := New("ws://odin.test/ws", o)
	if err != nil {
		t.Fatal(err)
	}
	r.Client = client
	return r
}

func (r *rig) run() {
	ctx, cancel := context.WithCancel(r.t.Context())
	r.cancel, r.done = cancel, make(chan struct{})
	go func() {
		r.err = r.Run(ctx)
		close(r.done)
	}()
	r.t.Cleanup(func() {
		cancel()
		<-r.done
	})
}

// bubble runs a test in its own time, with a rig that runs.
func bubble(t *testing.T, o Options, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, o)
		r.run()
		test(t, r)
	})
}

// live is a rig's first connection, subscribed.
func (r *rig) live(cursor string) *peer {
	r.t.Helper()
	p := r.accept()
	p.takes(p.expect("subscribe", r.Channels()...), cursor)
	r.wants("connected n1/3")
	return p
}
