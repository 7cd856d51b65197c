package odin

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

func TestRecoveryHasTheServersPlaces(t *testing.T) {
	var told []string
	bubble(t, Options{Channels: []string{"A.x"}}, func(t *testing.T, r *rig) {
		r.options.OnRecovery = func(x Recovery) error {
			text, err := json.Marshal(x.Cursor)
			told = append(told, string(text))
			return err
		}
		p := r.live(cursorAt("e", "10"))
		p.drop()
		p = r.accept()
		p.fails(p.expect("reconnect", "A.x"), "limit", cursorAt("e", "20"))
		r.wantsCursor(cursorAt("e", "20"))
		if want := []string{cursorAt("e", "20")}; !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
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

// A topic was truncated while the client was away, and nothing that it had is
// gone: it goes on under the new epoch, in the middle of what it is given too.
func TestTruncationThatSpares(t *testing.T) {
	bubble(t, Options{Channels: []string{"A.x"}}, func(t *testing.T, r *rig) {
		p := r.live(cursorAt("e", "10"))
		p.drop()
		p = r.accept()
		p.expect("reconnect", "A.x")
		p.send(`{"type":"reset","reason":"epoch","lost":false,"cursor":%s}`, cursorAt("f", "10"))
		p.records("A.x", 11)
		p.drop()
		p = r.accept()
		a := p.expect("reconnect", "A.x")
		if string(a.Data.Cursor) != cursorAt("f", "11") {
			t.Errorf("cursor %s", a.Data.Cursor)
		}
		p.records("A.x", 12)
		p.recovers(a, 1, cursorAt("f", "12"))
		r.wants("disconnected final=false", "connected n1/3", "reset epoch false", "t:0:11 A.x", "disconnected final=false", "connected n1/3", "t:0:12 A.x", "recovery true 1 ")
		r.wantsCursor(cursorAt("f", "12"))
	})
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
