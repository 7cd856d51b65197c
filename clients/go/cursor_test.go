package odin

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestPositions(t *testing.T) {
	for text, want := range map[string]Pos{
		"odin.trades:7:1042":           {"odin.trades", 7, 1042},
		"t:0:0":                        {"t", 0, 0},
		"a:b:4095:9223372036854775807": {"a:b", 4095, 1<<63 - 1},
	} {
		if got, err := ParsePos(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "t", "t:1", ":1:2", "t:-1:2", "t:1:-2", "t:x:2", "t:1:", "t:1:9223372036854775808", "t:4096:1", "t::1"} {
		if got, err := ParsePos(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestCursorsKeepTheirForm(t *testing.T) {
	text := `{"odin.trades":{"epoch":"5f.0","offsets":[1042,-1,null,9223372036854775807]}}`
	c, err := ParseCursor([]byte(text))
	want := Cursor{"odin.trades": {Epoch: "5f.0", Offsets: []Offset{1042, -1, Unproven, 1<<63 - 1}}}
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Fatalf("%+v, %v", c, err)
	}
	if got, err := json.Marshal(c); err != nil || string(got) != text {
		t.Errorf("%s, %v", got, err)
	}
	for _, bad := range []string{
		"", "null", "[]", `{"t":7}`, `{"t":{"offsets":[-2]}}`, `{"t":{"offsets":[1.5]}}`, `{"t":{"offsets":["1"]}}`, `{"t":{"offsets":[9223372036854775808]}}`,
		fmt.Sprintf(`{"t":{"offsets":[%s0]}}`, strings.Repeat("0,", partitionsMax)),
	} {
		if c, err := ParseCursor([]byte(bad)); err == nil {
			t.Errorf("%.40s: %+v", bad, c)
		}
	}
}

func TestCursorAdvances(t *testing.T) {
	c := Cursor{"t": {Epoch: "e", Offsets: []Offset{5, Unproven}}}
	before := c.Clone()
	for _, p := range []Pos{{"t", 0, 4}, {"t", 1, 0}, {"t", 3, 7}, {"new", 0, 1}, {"t", -1, 1}, {"t", partitionsMax, 1}} {
		c.Advance(p)
	}
	if want := (Cursor{"t": {Epoch: "e", Offsets: []Offset{5, 0, -1, 7}}}); !reflect.DeepEqual(c, want) {
		t.Errorf("%+v", c)
	}
	if !reflect.DeepEqual(before, Cursor{"t": {Epoch: "e", Offsets: []Offset{5, Unproven}}}) {
		t.Errorf("the copy moved: %+v", before)
	}
	if Cursor(nil).Clone() != nil {
		t.Error("a copy of none is one")
	}
}

func TestPlace(t *testing.T) {
	p := newPlace(nil)
	p.pass(Pos{"t", 0, 9}) // of a topic whose epoch isn't known yet
	if !p.handed(Pos{"t", 0, 9}) || p.handed(Pos{"t", 0, 10}) || len(p.cursor) != 0 {
		t.Errorf("%+v", p)
	}
	p.adopt(Cursor{"t": {Epoch: "e", Offsets: []Offset{9}}}, true)
	if !p.handed(Pos{"t", 0, 9}) || !p.cursor.covers(Pos{"t", 0, 9}) || p.cursor.covers(Pos{"t", 1, 0}) {
		t.Errorf("%+v", p)
	}
	p.adopt(Cursor{"t": {Epoch: "e", Offsets: []Offset{5}}}, true)
	if !p.handed(Pos{"t", 0, 9}) {
		t.Errorf("forgets what was handed over: %+v", p)
	}
	p.adopt(Cursor{"t": {Epoch: "e", Offsets: []Offset{5}}}, false)
	if p.handed(Pos{"t", 0, 6}) || !p.handed(Pos{"t", 0, 5}) {
		t.Errorf("the server's place: %+v", p)
	}
	p.adopt(Cursor{"t": {Epoch: "f", Offsets: []Offset{5}}}, true)
	if p.handed(Pos{"t", 0, 0}) {
		t.Errorf("another epoch: %+v", p)
	}
}

// Whatever a server sends is a message or an error, and what is taken for a
// record is one.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		greeting,
		`{"type":"message","channel":"BTC.trade","pos":"odin.trades:7:1042","ts":1763800000123,"data":{"price":"64012.55"}}`,
		`{"type":"message","channel":"BTC.trade","pos":"odin.trades:7:1042","ts":1,"encoding":"base64","data":"AAFi"}`,
		`{"type":"gap","channel":"BTC.trade","dropped":12,"pos":"odin.trades:7:1042"}`,
		`{"type":"reset","reason":"epoch","lost":true,"cursor":{"odin.trades":{"epoch":"e","offsets":[1042,-1,null]}}}`,
		`{"type":"reconnect_ack","id":"1","recovered":false,"reason":"trimmed","messages_replayed":0,"subscribed":["A.x"],"rejected":[{"channel":"b","code":"bad_channel","message":"m"}],"cursor":{}}`,
		`{"type":"later","id":7}`, `{"type":"message","data":null,"pos":"t:1:1"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parse(raw)
		if err != nil {
			return
		}
		p := newPlace(nil)
		p.adopt(m.Cursor, false)
		if m.Type != "message" && m.Type != "gap" {
			return
		}
		r, err := m.record(false)
		if err == nil && m.Type == "message" && !r.Binary && !json.Valid(r.Value) {
			t.Errorf("value %q", r.Value)
		}
		p.pass(m.pos)
		if again, err := ParsePos(m.pos.String()); err != nil || again != m.pos || !p.handed(m.pos) {
			t.Errorf("%+v is read as %+v, %v", m.pos, again, err)
		}
	})
}

// A cursor that is read is written the same.
func FuzzCursor(f *testing.F) {
	f.Add([]byte(`{"odin.trades":{"epoch":"5f.0","offsets":[1042,-1,null]}}`))
	f.Add([]byte(`{"t":{"epoch":"","offsets":null},"u":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseCursor(text)
		if err != nil {
			return
		}
		first, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseCursor(first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if second, err := json.Marshal(again); err != nil || string(second) != string(first) {
			t.Errorf("%s, then %s, %v", first, second, err)
		}
	})
}
