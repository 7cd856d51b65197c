package odin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

func TestRecordsAreHandedOver(t *testing.T) {
	var got []Record
	o := Options{Channels: []string{"BTC.trade"}, Last: 2, OnRecord: func(r Record) error { got = append(got, r); return nil }}
	bubble(t, o, func(t *testing.T, r *rig) {
		p := r.accept()
		a := p.expect("subscribe", "BTC.trade")
		if a.Data.Last != 2 {
			t.Errorf("last %d", a.Data.Last)
		}
		p.send(`{"type":"subscription_ack","id":%q,"subscribed":["BTC.trade"],"rejected":[],"count":1,"history":2,"cursor":%s}`, a.ID, cursorAt("e", "41", "-1"))
		p.records("BTC.trade", 39, 41)
		p.send(`{"type":"message","channel":"BTC.trade","pos":"t:0:42","ts":1763800000123,"data":{"price":64012.550000000000000001}}`)
		p.send(`{"type":"message","channel":"BTC.trade","pos":"t:0:43","ts":1763800000123,"encoding":"base64","data":"AAFi"}`)
		p.send(`{"type":"message","channel":"BTC.trade","pos":"t:0:44","ts":1763800000123,"data":null,"new":[]}`)
		p.send(`{"type":"something new","ts":"noon","pos":7}`)
		r.wantsCursor(cursorAt("e", "44", "-1"))
		want := []Record{
			{Pos: Pos{"t", 0, 39}, Value: []byte(`{"n":39}`), History: true},
			{Pos: Pos{"t", 0, 41}, Value: []byte(`{"n":41}`), History: true},
			{Pos: Pos{"t", 0, 42}, Value: []byte(`{"price":64012.550000000000000001}`)},
			{Pos: Pos{"t", 0, 43}, Value: []byte{0, 1, 'b'}, Binary: true},
			{Pos: Pos{"t", 0, 44}, Value: []byte(`null`)},
		}
		if len(got) != len(want) {
			t.Fatalf("%d records: %+v", len(got), got)
		}
		for i, w := range want {
			g := got[i]
			if g.Channel != "BTC.trade" || g.Pos != w.Pos || string(g.Value) != string(w.Value) || g.Binary != w.Binary || g.History != w.History || g.Time.UnixMilli() != 1763800000123 || !strings.Contains(string(g.Raw), g.Pos.String()) {
				t.Errorf("record %+v, want %+v", g, w)
			}
		}
	})
}

func TestWhatWasMissedIsResumed(t *testing.T) {
	bubble(t, Options{Channels: []string{"B.x", "A.x"}, ClientID: "c1"}, func(t *testing.T, r *rig) {
		p := r.live(cursorAt("e", "10"))
		p.records("A.x", 11, 12)
		p.drop()
		p = r.accept()
		a := p.expect("reconnect", "A.x", "B.x")
		if string(a.Data.Cursor) != cursorAt("e", "12") || a.Data.ClientID != "c1" {
			t.Errorf("reconnect %+v, %s", a, a.Data.Cursor)
		}
		p.records("A.x", 15, 16)
		p.recovers(a, 2, cursorAt("e", "20", "-1"))
		p.records("A.x", 21)
		r.wants("t:0:11 A.x", "t:0:12 A.x", "disconnected final=false", "connected n1/3", "t:0:15 A.x", "t:0:16 A.x", "recovery true 2 ", "t:0:21 A.x")
		r.wantsCursor(cursorAt("e", "21", "-1"))
		p.drop()
		p = r.accept()
		p.expect("reconnect", "A.x", "B.x")
		p.records("A.x", 22)
		p.drop() // in the middle of the replay
		p = r.accept()
		if a := p.expect("reconnect", "A.x", "B.x"); string(a.Data.Cursor) != cursorAt("e", "22", "-1") {
			t.Errorf("cursor %s", a.Data.Cursor)
		}
	})
}

func TestCursorOfAnEarlierClient(t *testing.T) {
	cursor, err := ParseCursor([]byte(cursorAt("e", "7", "null")))
	if err != nil {
		t.Fatal(err)
	}
	bubble(t, Options{Channels: []string{"A.x"}, Cursor: cursor}, func(t *testing.T, r *rig) {
		p := r.accept()
		a := p.expect("reconnect", "A.x")
		if string(a.Data.Cursor) != cursorAt("e", "7", "null") {
			t.Errorf("cursor %s", a.Data.Cursor)
		}
		p.fails(a, "unavailable", cursorAt("e", "6", "3"))
		p.records("A.x", 7, 8) // 7 the earlier client has had
		r.wants("connected n1/3", "recovery false 0 unavailable", "t:0:8 A.x")
		r.wantsCursor(cursorAt("e", "8", "3"))
		p.send(`{"type":"pong","ts":1,"cursor":%s}`, cursorAt("e", "6"))
		r.wantsCursor(cursorAt("e", "8", "-1"))
	})
}

// What is sent again is the caller's again where it is another record, or
// where it can't be told.
func TestNotRecovered(t *testing.T) {
	for _, c := range []struct {
		reason, cursor string
		sent           []int
		heard          []string
	}{
		{"unavailable", cursorAt("e", "9"), []int{10, 12, 13}, []string{"t:0:13 A.x"}},
		{"trimmed", cursorAt("e", "20"), []int{21}, []string{"t:0:21 A.x"}},
		{"limit", cursorAt("e", "20"), []int{21}, []string{"t:0:21 A.x"}},
		{"epoch", cursorAt("f", "2"), []int{3, 12}, []string{"t:0:3 A.x", "t:0:12 A.x"}},
		{"epoch", cursorAt("e", "2"), []int{3, 12}, []string{"t:0:3 A.x", "t:0:12 A.x"}},
		{"unavailable", cursorAt("f", "2"), []int{3, 12}, []string{"t:0:3 A.x", "t:0:12 A.x"}},
		{"unavailable", cursorAt("e", "null"), []int{12, 13}, []string{"t:0:13 A.x"}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			bubble(t, Options{Channels: []string{"A.x"}}, func(t *testing.T, r *rig) {
				p := r.live(cursorAt("e", "10"))
				p.records("A.x", 11, 12)
				p.drop()
				p = r.accept()
				p.fails(p.expect("reconnect", "A.x"), c.reason, c.cursor)
				r.wants("t:0:11 A.x", "t:0:12 A.x", "disconnected final=false", "connected n1/3", "recovery false 0 "+c.reason)
				if c.cursor == cursorAt("e", "9") { // which the caller is beyond
					c.cursor = cursorAt("e", "12")
				}
				r.wantsCursor(c.cursor)
				p.records("A.x", c.sent...)
				r.wants(c.heard...)
			})
		})
	}
}

func TestGapsAndResets(t *testing.T) {
	bubble(t, Options{Channels: []string{"A.x"}}, func(t *testing.T, r *rig) {
		p := r.live(cursorAt("e", "10"))
		p.send(`{"type":"gap","channel":"A.x","dropped":3,"pos":"t:0:13"}`)
		p.records("A.x", 14)
		r.wantsCursor(cursorAt("e", "14"))
		p.send(`{"type":"reset","reason":"topology","lost":false,"cursor":%s}`, cursorAt("e", "14", "-1"))
		p.send(`{"type":"reset","reason":"epoch","lost":true,"cursor":%s}`, cursorAt("f", "-1", "-1"))
		p.records("A.x", 0)
		r.wantsCursor(cursorAt("f", "0", "-1"))
		p.send(`{"type":"reset","reason":"trimmed","lost":true,"cursor":%s}`, cursorAt("f", "90", "5"))
		p.records("A.x", 91)
		r.wants("gap A.x 3 t:0:13", "t:0:14 A.x", "reset topology false", "reset epoch true", "t:0:0 A.x", "reset trimmed true", "t:0:91 A.x")
		r.wantsCursor(cursorAt("f", "91", "5"))
	})
}

func TestHeartbeatsMoveTheCursor(t *testing.T) {
	bubble(t, Options{Channels: []string{"A.x"}, Heartbeat: time.Minute}, func(t *testing.T, r *rig) {
		p := r.live(cursorAt("e", "10"))
		start := time.Now()
		p.expect("heartbeat")
		if d := time.Since(start); d != time.Minute {
			t.Errorf("a heartbeat after %v", d)
		}
		p.send(`{"type":"pong","ts":1,"cursor":%s}`, cursorAt("e", "50"))
		r.wantsCursor(cursorAt("e", "50"))
		p.send(`{"type":"pong","ts":1,"cursor":%s}`, cursorAt("e", "null"))
		r.wantsCursor(cursorAt("e", "null"))
	})
}

// Channels come and go while there is no connection, while one is resumed, and
// while it is live.
func TestChannelsComeAndGo(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		p := r.accept()
		p.quiet()
		r.Subscribe("A.x", "B.x")
		r.Subscribe("A.x")
		p.takes(p.expect("subscribe", "A.x", "B.x"), cursorAt("e", "1"))
		p.quiet()
		r.Unsubscribe("B.x", "none")
		p.expect("unsubscribe", "B.x")
		p.drop()
		synctest.Wait()

		r.Subscribe("C.x") // from now on: it isn't resumed
		r.Unsubscribe("A.x")
		r.Subscribe("A.x") // anew
		p = r.accept()
		a := p.expect("subscribe", "A.x", "C.x")
		p.takes(a, cursorAt("e", "5"))
		p.quiet()
		p.drop()
		p = r.accept()
		a = p.expect("reconnect", "A.x", "C.x")
		r.Subscribe("D.x")
		r.Unsubscribe("C.x")
		p.quiet() // nothing until the answer
		p.recovers(a, 0, cursorAt("e", "9"))
		p.expect("unsubscribe", "C.x")
		p.takes(p.expect("subscribe", "D.x"), cursorAt("e", "9"))
		synctest.Wait()
		if got := r.Channels(); len(got) != 2 || got[0] != "A.x" || got[1] != "D.x" {
			t.Errorf("channels %q", got)
		}
		p.drop()
		r.accept().expect("reconnect", "A.x", "D.x")
	})
}

// A subscription that was not answered has no past.
func TestUnansweredSubscriptionIsNotResumed(t *testing.T) {
	bubble(t, Options{Channels: []string{"A.x"}}, func(t *testing.T, r *rig) {
		p := r.accept()
		p.expect("subscribe", "A.x")
		p.drop()
		p = r.accept()
		p.takes(p.expect("subscribe", "A.x"), cursorAt("e", "1"))
		r.Unsubscribe("A.x")
		p.expect("unsubscribe", "A.x")
		p.send(`{"type":"unsubscription_ack","id":"2","unsubscribed":["A.x"],"count":0}`)
		p.drop()
		r.accept().quiet()
	})
}

// The server never hears of a channel that was dropped and wanted again before
// anything was sent: its stream has no break, and is resumed.
func TestChangeOfMindKeepsThePast(t *testing.T) {
	c := newChannels([]string{"A.x"}, true)
	if got := c.begin(); len(got) != 1 {
		t.Fatalf("resumes %q", got)
	}
	c.resumed()
	c.forget([]string{"A.x"})
	c.want([]string{"A.x"})
	if todo := c.changes(); todo.subscribe != nil || todo.unsubscribe != nil {
		t.Errorf("%+v", todo)
	}
	c.end()
	if got := c.begin(); len(got) != 1 {
		t.Errorf("resumes %q", got)
	}
}

func TestRejectedChannels(t *testing.T) {
	bubble(t, Options{Channels: []string{"A.x", "bad", "B.x"}}, func(t *testing.T, r *rig) {
		p := r.accept()
		a := p.expect("subscribe", "A.x", "B.x", "bad")
		p.send(`{"type":"subscription_ack","id":%q,"subscribed":["A.x","B.x"],"rejected":[{"channel":"bad","code":"bad_channel","message":"m"}],"count":2,"history":0,"cursor":%s}`, a.ID, cursorAt("e", "1"))
		r.wants("connected n1/3", "rejected bad bad_channel")
		p.drop()
		p = r.accept()
		a = p.expect("reconnect", "A.x", "B.x")
		p.send(`{"type":"reconnect_ack","id":%q,"recovered":true,"status":"completed","messages_replayed":0,"subscribed":["A.x"],"rejected":[{"channel":"B.x","code":"forbidden","message":"m"}],"cursor":{}}`, a.ID)
		r.wants("disconnected final=false", "connected n1/3", "recovery true 0 ", "rejected B.x forbidden")
		r.Subscribe("C.x")
		p.send(`{"type":"error","id":%q,"code":"bad_request","message":"m"}`, p.expect("subscribe", "C.x").ID)
		r.wants("rejected C.x bad_request")
		p.send(`{"type":"error","code":"bad_json","message":"not ours"}`)
		p.drop()
		r.accept().expect("reconnect", "A.x")
	})
}

// A server that doesn't take the cursor is asked anew, and the caller told.
func TestRefusedReconnect(t *testing.T) {
	for _, kind := range []string{"error", "reconnect_error"} {
		bubble(t, Options{Channels: []string{"A.x"}, Last: 5}, func(t *testing.T, r *rig) {
			p := r.live(cursorAt("e", "10"))
			p.drop()
			p = r.accept()
			a := p.expect("reconnect", "A.x")
			r.Subscribe("B.x")
			p.send(`{"type":%q,"id":%q,"code":"bad_request","message":"no"}`, kind, a.ID)
			if again := p.expect("subscribe", "A.x"); again.Data.Last != 0 {
				t.Errorf("asks for the last %d of what it has had", again.Data.Last)
			}
			if first := p.expect("subscribe", "B.x"); first.Data.Last != 5 {
				t.Errorf("asks for the last %d", first.Data.Last)
			}
			r.wants("disconnected final=false", "connected n1/3", "recovery false 0 refused no")
		})
	}
}

func TestReconnectThatIsTooLarge(t *testing.T) {
	bubble(t, Options{Channels: []string{"A.x"}}, func(t *testing.T, r *rig) {
		r.live(cursorAt("e", "10")).drop()
		p := r.acceptSilent()
		p.send(`{"type":"hello","node":"n1","worker":3,"limits":{"max_request_bytes":100}}`)
		p.expect("subscribe", "A.x")
		r.wants("disconnected final=false", "connected n1/3", "recovery false 0 too_large")
	})
}

func TestManyChannelsAreAskedInPieces(t *testing.T) {
	var names []string
	for i := range 2500 {
		names = append(names, fmt.Sprintf("%05d.%s", i, strings.Repeat("x", 100)))
	}
	bubble(t, Options{Channels: names}, func(t *testing.T, r *rig) {
		p := r.acceptSilent()
		p.send(`{"type":"hello","node":"n1","worker":3,"limits":{"max_request_bytes":65536}}`)
		for sent := 0; sent < len(names); {
			a := <-p.got
			n := len(a.Data.Channels)
			if a.Type != "subscribe" || n == 0 || a.Data.Channels[0] != names[sent] || n*109 > 65536 {
				t.Fatalf("%s of %d channels", a.Type, n)
			}
			sent += n
		}
	})
	if parts := pieces(make([]string, 2500), 1<<20); len(parts) != 3 || len(parts[0]) != channelsPerRequest {
		t.Errorf("%d parts", len(parts))
	}
}

func TestRateLimitedComesBackLater(t *testing.T) {
	bubble(t, Options{Channels: []string{"A.x"}}, func(t *testing.T, r *rig) {
		p := r.accept()
		p.send(`{"type":"error","id":%q,"code":"rate_limited","message":"m"}`, p.expect("subscribe", "A.x").ID)
		if code := p.closedWith(); code != websocket.CloseNormalClosure {
			t.Errorf("closed with %d", code)
		}
		r.accept().expect("subscribe", "A.x")
		r.wants("connected n1/3", "disconnected final=false", "connected n1/3")
	})
}

// The error of a handler ends Run, with the cursor before what it was called
// for; the next Run begins there.
func TestHandlerFails(t *testing.T) {
	full := errors.New("the disk is full")
	fails := true
	var r *rig
	o := Options{Channels: []string{"A.x"}, OnRecord: func(x Record) error {
		if x.Pos.Offset == 12 && fails {
			fails = false
			return full
		}
		r.hear("%s", x.Pos)
		return nil
	}}
	synctest.Test(t, func(t *testing.T) {
		r = newRig(t, o)
		r.run()
		p := r.live(cursorAt("e", "10"))
		p.records("A.x", 11, 12)
		if code := p.closedWith(); code != websocket.CloseNormalClosure {
			t.Errorf("closed with %d", code)
		}
		<-r.done
		if r.err != full {
			t.Errorf("Run returns %v", r.err)
		}
		r.wants("t:0:11", "disconnected final=true")
		r.wantsCursor(cursorAt("e", "11"))
		r.run()
		p = r.accept()
		p.expect("reconnect", "A.x")
		p.records("A.x", 12)
		r.wants("connected n1/3", "t:0:12")
	})
}

// A handler may keep the place together with what it made of the record.
func TestCursorWithinHandler(t *testing.T) {
	var r *rig
	o := Options{Channels: []string{"A.x"}, OnRecord: func(x Record) error {
		before := r.Cursor()
		after := before.Clone()
		after.Advance(x.Pos)
		after.Advance(Pos{"other", 1, 1})
		r.hear("%d %d", before["t"].Offsets[0], after["t"].Offsets)
		return nil
	}}
	synctest.Test(t, func(t *testing.T) {
		r = newRig(t, o)
		r.run()
		p := r.live(cursorAt("e", "10"))
		p.records("A.x", 11)
		r.wants("10 [11]")
	})
}

func TestEndOfContext(t *testing.T) {
	why := errors.New("enough")
	for name, c := range map[string]struct {
		until func(r *rig) *peer
		most  time.Duration
	}{
		"live":        {func(r *rig) *peer { return r.live("{}") }, 0},
		"resuming":    {func(r *rig) *peer { r.live("{}").drop(); p := r.accept(); p.expect("reconnect", "A.x"); return p }, 0},
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

// While a handler works, the server is held back.
func TestSlowHandlerHoldsTheServerBack(t *testing.T) {
	var release chan struct{}
	o := Options{Channels: []string{"A.x"}, OnRecord: func(Record) error { <-release; return nil }}
	bubble(t, o, func(t *testing.T, r *rig) {
		release = make(chan struct{}) // of the bubble
		p := r.live(cursorAt("e", "10"))
		sent := 0
		p.conn.SetWriteDeadline(time.Now().Add(time.Minute))
		for offset := 11; sent < 1000; offset++ {
			text := fmt.Sprintf(`{"type":"message","channel":"A.x","pos":"t:0:%d","ts":1,"data":%q}`, offset, strings.Repeat("x", 1000))
			if p.conn.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
				break
			}
			sent++
		}
		if sent > 10 {
			t.Errorf("the server could send %d records that nobody has dealt with", sent)
		}
		close(release)
	})
}

func TestSilenceIsNoticed(t *testing.T) {
	for _, heartbeat := range []time.Duration{0, -1, time.Minute} {
		bubble(t, Options{Channels: []string{"A.x"}, Heartbeat: heartbeat}, func(t *testing.T, r *rig) {
			p := r.live("{}")
			p.conn.SetPongHandler(func(string) error { r.hear("pong"); return nil })
			want := 2*max(pingDefault, heartbeat) + silenceMore
			if heartbeat == 0 {
				want = 2*DefaultHeartbeat + silenceMore
			}
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
		{"ws://h/ws", Options{OnRecord: record, Cursor: many}, "4097 partitions, allowed: 4096"},
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
