package main

import (
	"reflect"
	"strings"
	"testing"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/scripts/chaos/check"
)

func listener() *client {
	w := &world{topics: newTopics(1), finish: make(chan struct{})}
	w.ledger = newLedger(w.topics)
	return &client{world: w}
}

func (c *client) hears(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := c.take(strings.NewReader(text)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func TestRecordsAreTakenDown(t *testing.T) {
	t.Parallel()
	for text, value := range map[string][]byte{
		`"data":{"n":1,"data":"}"}}`:                  []byte(`{"n":1,"data":"}"}`),
		`"encoding":"base64","data":"/25v"}`:          []byte("\xffno"),
		`"encoding":"base64","data":""}`:              {},
		`"data":null}`:                                nil,
		`"data":"\"encoding\":\"base64\",\"data\":"}`: []byte(`"\"encoding\":\"base64\",\"data\":"`),
	} {
		c := listener()
		c.hears(t, `{"type":"message","channel":"K3.tx","pos":"chaos.tx:1:42","ts":1763800000123,`+text)
		if len(c.stream.Events) != 1 {
			t.Errorf("%s: no record", text)
			continue
		}
		got := c.stream.Events[0]
		want := check.Event{
			At: got.At, Note: check.NoNote, Topic: c.world.ledger.topics["chaos.tx"], Partition: 1,
			Channel: c.world.ledger.channels["K3.tx"], Sum: sum(value), Offset: 42,
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func TestTheCursorIsKept(t *testing.T) {
	t.Parallel()
	c := listener()
	c.hears(t, `{"type":"hello"}`,
		`{"type":"subscription_ack","cursor":{"chaos.tx":{"epoch":"a.0","offsets":[5,-1]}},"history":0}`,
		`{"type":"message","channel":"K3.tx","pos":"chaos.tx:1:42","ts":1,"data":1}`,
		`{"type":"message","channel":"K3.tx","pos":"chaos.tx:0:3","ts":1,"data":1}`,
		`{"type":"gap","channel":"K3.tx","dropped":2,"pos":"chaos.tx:0:9"}`,
		`{"type":"gap","channel":"K3.tx","dropped":2,"pos":"chaos.tx:0:-1"}`)
	if want := (odin.Cursor{"chaos.tx": {Epoch: "a.0", Offsets: []odin.Offset{9, 42}}}); !reflect.DeepEqual(c.cursor, want) {
		t.Errorf("%v, want %v", c.cursor, want)
	}
	c.hears(t, `{"type":"reset","reason":"epoch","lost":true,"cursor":{"chaos.tx":{"epoch":"b.0","offsets":[-1]}}}`)
	if want := (odin.Cursor{"chaos.tx": {Epoch: "b.0", Offsets: []odin.Offset{-1}}}); !reflect.DeepEqual(c.cursor, want) {
		t.Errorf("%v, want %v", c.cursor, want)
	}
	if c.stream.Records() != 2 || len(c.stream.Notes) != 4 {
		t.Errorf("%d records, notes %v", c.stream.Records(), c.stream.Notes)
	}
}

func TestTheEndIsReached(t *testing.T) {
	t.Parallel()
	c := listener()
	last := lastWord{}
	word := last["chaos.tx"]
	word.incarnation, word.ends = "a", []int64{5, -1}
	last["chaos.tx"] = word
	pong := func(entry string) bool {
		c.hears(t, `{"type":"pong","cursor":{"chaos.tx":`+entry+`}}`)
		return c.satisfied()
	}
	if pong(`{"epoch":"a.0","offsets":[5,-1]}`) {
		t.Error("an end that is not known is reached")
	}
	c.world.last.Store(&last)
	for _, entry := range []string{`{"epoch":"a.0","offsets":[4,-1]}`, `{"epoch":"a.0","offsets":[5]}`, `{"epoch":"b.0","offsets":[5,-1]}`} {
		if pong(entry) {
			t.Errorf("%s is the end", entry)
		}
	}
	if !pong(`{"epoch":"a.1","offsets":[6,-1]}`) {
		t.Error("the end is not reached")
	}
}

func TestTheCrowdHasAllKinds(t *testing.T) {
	t.Parallel()
	w := &world{topics: newTopics(1), options: options{clients: 200}}
	all := w.crowd()
	if len(all) < 190 || len(all) > 210 {
		t.Errorf("%d clients of 200", len(all))
	}
	for _, c := range all {
		if len(c.stream.Channels) == 0 || c.manner.pulse == 0 {
			t.Errorf("%s asks for %v", c.stream.Name, c.stream.Channels)
		}
	}
}
