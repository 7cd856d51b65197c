package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// A session that comes back says where it was, and its place is that of the
// answer, moved by what came since.
func TestResumeRequest(t *testing.T) {
	p, err := newPlan(4, 1, picking{sessions: 4, each: 2, seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{plan: p, reader: reader{topics: 1, partitions: 3}, byFD: map[int]*session{}, stayers: 1}
	s := newSession(1, normal)
	s.stage, s.last = subscribing, []int32{-1, 9, -1}
	a, err := parseAnswer([]byte(`{"type":"subscription_ack","cursor":{"odin.trades":{"epoch":"e.0","offsets":[5,7,-1]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.subscribed(s, a); err != nil || s.away == nil {
		t.Fatalf("%+v, %v", s.away, err)
	}
	c.sessions = []*session{newSession(0, normal), s}
	c.leave()
	if left := c.left(); len(left) != 1 || left[0] != s || c.open.Load() != 0 {
		t.Fatalf("%d left, %d open", len(left), c.open.Load())
	}
	var request struct {
		Type string
		Data struct {
			Channels []string
			Cursor   map[string]struct {
				Epoch   string
				Offsets []int64
			}
		}
	}
	if err := json.Unmarshal([]byte(c.resumeRequest(s)), &request); err != nil {
		t.Fatal(err)
	}
	at := request.Data.Cursor["odin.trades"]
	if request.Type != "reconnect" || strings.Join(request.Data.Channels, " ") != "S2.trade S3.trade" || at.Epoch != "e.0" || len(at.Offsets) != 3 || at.Offsets[0] != 5 || at.Offsets[1] != 9 || at.Offsets[2] != -1 {
		t.Errorf("%+v", request)
	}
	for text, want := range map[string]string{
		`{"recovered":true,"messages_replayed":3}`: "",
		`{"recovered":false,"reason":"trimmed"}`:   "trimmed",
	} {
		a, _ := parseAnswer([]byte(text))
		if err := c.resumed(s, a); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if s.stage != listening || s.away.replayed != 3 {
		t.Errorf("%+v, %+v", s, s.away)
	}

	s.stage, s.last[2] = subscribing, 4 // some of a replay has come
	c.pending = 1
	c.frame(s, opClose, []byte("\x03\xf4{}"))
	if c.again != 1 || c.pending != 0 || len(c.wanted) != 1 || s.away.offsets[2] != 4 || s.fault != nil {
		t.Errorf("%+v, %+v", c, s.away)
	}
}
