package main

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/scripts/chaos/check"
)

func TestCounts(t *testing.T) {
	t.Parallel()
	if got := counts(map[string]int{"b": 1, "c": 3, "a": 1}); got != "c 3, a 1, b 1" {
		t.Error(got)
	}
	if got := counts(map[check.Class]int{}); got != "none" {
		t.Error(got)
	}
}

// What is printed of a fault has to be enough to see what happened, and no more.
func TestAHistoryIsShort(t *testing.T) {
	t.Parallel()
	c := listener()
	c.stream.Name, c.stream.Channels = "it", []string{"*.tx"}
	c.note(check.Note{Kind: check.Connected})
	c.hears(t, `{"type":"subscription_ack","cursor":{"chaos.tx":{"epoch":"abcdefghij.0","offsets":[-1,-1]}}}`)
	log := c.world.ledger.begin("abcdefghij", c.world.topics[4])
	for i := range 100 {
		log.Append(0, check.Entry{Offset: int64(i), Channel: c.world.ledger.channels["K3.tx"], Sum: sum([]byte("1"))})
	}
	for i := range 100 {
		if i != 50 {
			c.hears(t, strings.ReplaceAll(`{"type":"message","channel":"K3.tx","pos":"chaos.tx:0:N","ts":1,"data":1}`, "N", strconv.Itoa(i)))
		}
	}
	w := c.world
	w.clients, w.odind = []*client{c}, &odind{world: w, dir: "/logs"}
	w.deeds = []deed{{at: 0, took: time.Hour, what: "kill -9 a worker"}, {at: time.Hour, what: "restart odind"}}
	faults := check.Check(w.ledger.log, w.ledger.names, &c.stream)
	if len(faults) != 1 || faults[0].Pos != (odin.Pos{Topic: "chaos.tx", Offset: 50}) {
		t.Fatalf("%v", faults)
	}
	faults[0].At = time.Minute
	var b bytes.Buffer
	w.history(&b, faults[0])
	text := b.String()
	for _, want := range []string{"chaos.tx:0:50 of K3.tx was neither", "[*.tx]", "kill -9 a worker", "record 49 of K3.tx", "record 51 of K3.tx", "log of abcdefgh: 50 K3.tx"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for _, no := range []string{"restart odind", "record 20 ", "record 70 "} {
		if strings.Contains(text, no) {
			t.Errorf("%q is in\n%s", no, text)
		}
	}
}
