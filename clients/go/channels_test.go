package odin

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gorilla/websocket"
)

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
