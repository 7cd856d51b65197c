package odin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

func TestEndOfContext(t *testing.T) {
	why := errors.New("enough")
	for name, c := range map[string]struct {
		until func(r *rig) *peer
		most  time.Duration
	}{
		"live":     {func(r *rig) *peer { return r.live("{}") }, 0},
		"resuming": {func(r *rig) *peer { r.live("{}").drop(); p := r.accept(); p.expect("reconnect", "A.x"); return p }, 0},
		"shaking hands": {func(r *rig) *peer {
			never := make(chan struct{})
			r.t.Cleanup(func() { close(never) })
			r.live("{}").drop()
			r.fake.mu.Lock()
			r.refuse = append(r.refuse, func(http.ResponseWriter) { <-never })
			r.fake.mu.Unlock()
			time.Sleep(DefaultBackoffMin)
			return nil
		}, 0},
		"not greeted": {func(r *rig) *peer { return r.acceptSilent() }, 0},
		"waiting": {func(r *rig) *peer {
			r.live("{}").close(1013, `{"code":"overloaded","retry_min_ms":5000,"retry_max_ms":30000}`)
			return nil
		}, 0},
		"deaf server": {func(r *rig) *peer {
			p := r.live("{}")
			p.conn.SetCloseHandler(func(int, string) error { return nil })
			return p
		}, 0},
		"stuck server": {func(r *rig) *peer { p := r.live("{}"); p.conn.NetConn().SetReadDeadline(time.Now()); return p }, goodbyeMax},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Options{Channels: []string{"A.x"}})
				ctx, cancel := context.WithCancelCause(t.Context())
				done := make(chan error)
				go func() { done <- r.Run(ctx) }()
				p := c.until(r)
				synctest.Wait()
				start := time.Now()
				cancel(why)
				if err := <-done; err != why {
					t.Errorf("Run returns %v", err)
				}
				if d := time.Since(start); d > max(c.most, goodbyeMax) || c.most == 0 && name != "deaf server" && d > 0 {
					t.Errorf("took %v", d)
				}
				if p != nil && name != "stuck server" && name != "deaf server" && p.closedWith() != websocket.CloseNormalClosure {
					t.Errorf("closed with %v", p.end)
				}
			})
		})
	}
}

func TestOnlyOneRun(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.accept()
		if err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "runs already") {
			t.Errorf("the second Run returns %v", err)
		}
	})
}

func TestSilenceIsNoticed(t *testing.T) {
	for _, heartbeat := range []time.Duration{0, -1, time.Minute} {
		bubble(t, Options{Channels: []string{"A.x"}, Heartbeat: heartbeat}, func(t *testing.T, r *rig) {
			p := r.live("{}")
			p.conn.SetPongHandler(func(string) error { r.hear("pong"); return nil })
			want := 2*cmp.Or(max(heartbeat, 0), map[bool]time.Duration{true: DefaultHeartbeat, false: pingDefault}[heartbeat == 0]) + silenceMore
			for range 10 { // pings are a sign of life
				time.Sleep(want - time.Second)
				if err := p.conn.WriteControl(websocket.PingMessage, []byte("p"), time.Time{}); err != nil {
					t.Fatal(err)
				}
				r.wants("pong")
			}
			start := time.Now()
			p.closedWith()
			if d := time.Since(start); d != want {
				t.Errorf("dead after %v, want %v", d, want)
			}
			r.wants("disconnected final=false")
		})
	}
}

// However seldom a server says that it pings, heartbeats notice its death.
func TestSilenceOfAServerThatHardlyPings(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		p := r.acceptSilent()
		p.send(`{"type":"hello","ping_interval_ms":9223372036854775807}`)
		start := time.Now()
		p.closedWith()
		if d := time.Since(start); d != 2*DefaultHeartbeat+silenceMore {
			t.Errorf("dead after %v", d)
		}
	})
}

// A handler may do with its client what it likes.
func TestHandlersUseTheirClient(t *testing.T) {
	var r *rig
	var seen []int64
	o := Options{Channels: []string{"A.x"}, OnRecord: func(x Record) error {
		seen = append(seen, x.Pos.Offset)
		r.Unsubscribe("A.x")
		r.Subscribe("B.x")
		if err := r.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "runs already") {
			t.Errorf("Run within a handler: %v", err)
		}
		if x.Pos.Offset == 12 {
			r.cancel()
		}
		return nil
	}}
	synctest.Test(t, func(t *testing.T) {
		r = newRig(t, o)
		r.run()
		p := r.live(cursorAt("e", "10"))
		p.records("A.x", 11)
		p.expect("unsubscribe", "A.x")
		p.records("A.x", 12) // it was on its way
		<-r.done
		if !errors.Is(r.err, context.Canceled) || !slices.Equal(seen, []int64{11, 12}) {
			t.Errorf("%v, %v", r.err, seen)
		}
		r.wantsCursor(cursorAt("e", "12"))
	})
}

// A handler's panic is its caller's; nothing runs on behind it, the cursor
// stands before the record, and the client can be run again.
func TestHandlerPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		var r *rig
		r = newRig(t, Options{Channels: []string{"A.x"}, OnRecord: func(x Record) error {
			if broken {
				panic("broken")
			}
			r.hear("%s", x.Pos)
			return nil
		}})
		panicked := make(chan any)
		go func() {
			defer func() { panicked <- recover() }()
			r.Run(t.Context())
		}()
		r.live(cursorAt("e", "10")).records("A.x", 11)
		if what := <-panicked; what != "broken" {
			t.Errorf("it panics with %v", what)
		}
		broken = false
		r.run()
		p := r.accept()
		p.recovers(p.expect("reconnect", "A.x"), 0, cursorAt("e", "10"))
		p.records("A.x", 11)
		r.wants("connected n1/3", "recovery true 0 ", "t:0:11")
	})
}

// A dialer is completed, and stays the caller's.
func TestOwnDialer(t *testing.T) {
	own := &websocket.Dialer{}
	c, err := New("ws://h/ws", Options{OnRecord: func(Record) error { return nil }, Dialer: own})
	if err != nil {
		t.Fatal(err)
	}
	if d := c.options.Dialer; d.HandshakeTimeout != handshakeMax || !slices.Equal(d.Subprotocols, []string{"odin.v1"}) || own.HandshakeTimeout != 0 || own.Subprotocols != nil {
		t.Errorf("%+v of %+v", d, own)
	}
}

func TestBadServers(t *testing.T) {
	for _, c := range []struct {
		sends string
		code  int
		err   string
	}{
		{`{"type":"pong"}`, 1002, "doesn't begin with hello"},
		{greeting + `x`, 1002, "invalid character"},
		{`{"type":"hello","limits":{"max_request_bytes":-1}}`, 1002, "negative"},
	} {
		var last error
		bubble(t, Options{OnDisconnect: func(d Disconnection) { last = d.Err }}, func(t *testing.T, r *rig) {
			p := r.acceptSilent()
			p.send("%s", c.sends)
			p.closedWith()
			synctest.Wait()
			if last == nil || !strings.Contains(last.Error(), c.err) {
				t.Errorf("%s: %v", c.sends, last)
			}
			r.accept() // it tries again
		})
	}
	for _, c := range []struct{ sends, err string }{
		{`{`, "unexpected end"},
		{`null`, "no type"},
		{`{"type":"message","pos":"t:0:1"}`, "no data"},
		{`{"type":"message","pos":"t:0:1","data":1,"encoding":"gzip"}`, "unknown encoding"},
		{`{"type":"message","pos":"t:0:9223372036854775808","data":1}`, "is no position"},
		{`{"type":"message","pos":"` + strings.Repeat("t", topicMax+1) + `:0:1","data":1}`, "is no position"},
		{`{"type":"pong","cursor":{"` + strings.Repeat("t", topicMax+1) + `":{"epoch":"e"}}}`, "a topic of 250 bytes"},
		{`{"type":"pong","cursor":{"t":{"epoch":"` + strings.Repeat("e", epochMax+1) + `"}}}`, "an epoch of 129"},
		{`{"type":"pong","cursor":{"t":{"epoch":"e","offsets":[` + strings.Repeat("1,", 1_000_000) + `1]}}}`, "1000001 partitions"},
		{`{"type":"reconnect_ack","id":"1","recovered":true,"cursor":{}}`, "an answer to no reconnect"},
		{`{"type":"message","pos":"t:0:1","data":"*","encoding":"base64"}`, "illegal base64"},
		{`{"type":"message","pos":"t:0:1","data":1,"encoding":"base64"}`, "cannot unmarshal number"},
		{`{"type":"message","pos":"t:4096:1","data":1}`, "is no position"},
		{`{"type":"gap","pos":"7"}`, "is no position"},
		{`{"type":"pong","cursor":{"t":{"epoch":"e","offsets":[-2]}}}`, "no offset"},
		{`{"type":"pong","cursor":7}`, "cannot unmarshal"},
	} {
		var last error
		bubble(t, Options{Channels: []string{"A.x"}, OnDisconnect: func(d Disconnection) { last = d.Err }}, func(t *testing.T, r *rig) {
			p := r.live("{}")
			p.send("%s", c.sends)
			if code := p.closedWith(); code != websocket.CloseProtocolError {
				t.Errorf("%s: closed with %d", c.sends, code)
			}
			synctest.Wait()
			if last == nil || !strings.Contains(last.Error(), c.err) {
				t.Errorf("%s: %v", c.sends, last)
			}
		})
	}
}

func TestMessageTooLarge(t *testing.T) {
	bubble(t, Options{Channels: []string{"A.x"}, MessageBytesMax: 1000}, func(t *testing.T, r *rig) {
		p := r.live("{}")
		go p.conn.WriteMessage(websocket.TextMessage, []byte(strings.Repeat(" ", 1001)))
		<-r.done
		var large *TooLargeError
		if !errors.As(r.err, &large) || large.Max != 1000 || !strings.Contains(r.err.Error(), "MessageBytesMax") {
			t.Errorf("Run returns %v", r.err)
		}
	})
}

func TestBadOptions(t *testing.T) {
	record := func(Record) error { return nil }
	many := Cursor{"t": {Offsets: make([]Offset, partitionsMax+1)}}
	for _, c := range []struct {
		url string
		o   Options
		err string
	}{
		{"http://h/ws", Options{OnRecord: record}, "like ws://"},
		{"ws:///ws", Options{OnRecord: record}, "like ws://"},
		{"ws://h:x/ws", Options{OnRecord: record}, "invalid port"},
		{"ws://h/ws", Options{}, "OnRecord is needed"},
		{"ws://h/ws", Options{OnRecord: record, Last: -1}, "allowed: 0 or more"},
		{"ws://h/ws", Options{OnRecord: record, ClientID: strings.Repeat("c", 129)}, "a ClientID of 129 bytes, allowed: 128"},
		{"ws://h/ws", Options{OnRecord: record, Cursor: many}, "a cursor of 1 topics and 4097 partitions, allowed: 1024 and 4096"},
	} {
		if _, err := New(c.url, c.o); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %s", c.url, err, c.err)
		}
	}
}

// One test over TCP, with the dialer that clients get.
func TestOverTCP(t *testing.T) {
	f := &fake{t: t, peers: make(chan *peer, 1)}
	server := &http.Server{Handler: f}
	listener := listen(t)
	go server.Serve(listener)
	defer server.Close()
	got := make(chan Record, 1)
	c, err := New("ws://"+listener.Addr().String()+"/ws", Options{Channels: []string{"A.x"}, OnRecord: func(r Record) error { got <- r; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	p := f.accept()
	if p.conn.Subprotocol() != "odin.v1" {
		t.Errorf("subprotocol %q", p.conn.Subprotocol())
	}
	p.takes(p.expect("subscribe", "A.x"), cursorAt("e", "1"))
	p.records("A.x", 2)
	if r := <-got; r.Pos.Offset != 2 {
		t.Errorf("%+v", r)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run returns %v", err)
	}
	if code := p.closedWith(); code != websocket.CloseNormalClosure {
		t.Errorf("closed with %d", code)
	}
}

// However many topics a server names, the place is bounded.
func TestTopicsAreBounded(t *testing.T) {
	var last error
	bubble(t, Options{Channels: []string{"A.x"}, OnDisconnect: func(d Disconnection) { last = d.Err }}, func(t *testing.T, r *rig) {
		p := r.live("{}")
		for n := range topicsMax {
			p.send(`{"type":"pong","ts":1,"cursor":{"t%d":{"epoch":"e","offsets":[1]}}}`, n)
			p.send(`{"type":"message","channel":"A.x","pos":"t%d:0:2","ts":1,"data":1}`, n)
		}
		synctest.Wait()
		if last != nil {
			t.Fatal(last)
		}
		p.send(`{"type":"message","channel":"A.x","pos":"more:0:2","ts":1,"data":1}`)
		if code := p.closedWith(); code != websocket.CloseProtocolError {
			t.Errorf("closed with %d", code)
		}
		synctest.Wait()
		if last == nil || !strings.Contains(last.Error(), "more than 1024 topics") {
			t.Error(last)
		}
		if p = r.accept(); len(r.Cursor()) != topicsMax {
			t.Errorf("%d topics", len(r.Cursor()))
		}
		p.send(`{"type":"pong","ts":1,"cursor":{"more":{"epoch":"e","offsets":[1]}}}`)
		if code := p.closedWith(); code != websocket.CloseProtocolError {
			t.Errorf("closed with %d", code)
		}
	})
}
