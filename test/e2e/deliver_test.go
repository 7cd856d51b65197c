package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestDelivery runs what doesn't disturb others against one odind.
func TestDelivery(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 3)
	s := startOdind(t, options{workers: 3, brokers: b.addr})
	for name, test := range map[string]func(*testing.T, *broker, *server){
		"every topic reaches every worker in order": testEveryWorker,
		"wildcards":                    testWildcards,
		"overlapping patterns":         testOverlap,
		"unsubscribe stops":            testUnsubscribe,
		"acks":                         testAcks,
		"rejected channels":            testRejected,
		"too many channels":            testTooManyChannels,
		"requests that can't be taken": testRequestErrors,
		"hello":                        testHello,
		"last records":                 testLast,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, b, s)
		})
	}
	t.Cleanup(func() {
		s.stop(t)
	})
}

// batch makes n records for each channel, of JSON values that tell them apart.
func batch(n int, channels ...string) []*kgo.Record {
	var records []*kgo.Record
	for i := range n {
		for _, channel := range channels {
			records = append(records, record(channel, fmt.Sprintf(`{"n":%d,"of":%q,"price":"%d.5"}`, i, channel, i)))
		}
	}
	return records
}

func testEveryWorker(t *testing.T, b *broker, s *server) {
	var channels []string
	for event := range topicsByEvent {
		for i := range 4 {
			channels = append(channels, fmt.Sprintf("ALL%d.%s", i, event))
		}
	}
	clients := clientsOnEach(t, s, 2)
	for _, c := range clients {
		c.subscribe(t, channels...)
	}
	b.produce(t, batch(25, channels...)...)
	for _, c := range clients {
		b.settle(t, c)
		if topics := topicsOf(c.entries()); len(topics) != len(topicsByEvent) {
			t.Errorf("%s: records of %v only", c.name, topics)
		}
	}
}

func topicsOf(log []message) []string {
	var topics []string
	for _, m := range log {
		if m.Type == "message" && !slices.Contains(topics, m.pos.topic) {
			topics = append(topics, m.pos.topic)
		}
	}
	return topics
}

// records counts the records in a log.
func records(log []message) int {
	n := 0
	for _, m := range log {
		if m.Type == "message" {
			n++
		}
	}
	return n
}

func testWildcards(t *testing.T, b *broker, s *server) {
	var clients []*client
	for _, pattern := range []string{"*.trade", "WILD1.*", "*.*"} {
		for _, c := range clientsOnEach(t, s, 1) {
			c.subscribe(t, pattern)
			clients = append(clients, c)
		}
	}
	b.produce(t, batch(20, "WILD1.trade", "WILD1.social", "WILD2.trade", "WILD2.balances")...)
	for _, c := range clients {
		b.settle(t, c)
		if got := records(c.entries()); got < 40 {
			t.Errorf("%s on %v: %d records", c.name, c.patterns, got)
		}
	}
}

func testOverlap(t *testing.T, b *broker, s *server) {
	c := connect(t, s)
	c.subscribe(t, "OVER.trade", "OVER.*", "*.trade", "*.*")
	again := c.request(t, "subscribe", map[string]any{"channels": []string{"OVER.trade", "OVER.*"}})
	if again.Count != 4 {
		t.Errorf("subscribed twice: %s", again.raw)
	}
	b.produce(t, batch(50, "OVER.trade")...)
	b.settle(t, c)
}

func testUnsubscribe(t *testing.T, b *broker, s *server) {
	c := connect(t, s)
	c.subscribe(t, "STOP.trade", "STOP.social", "STAY.trade")
	b.produce(t, batch(10, "STOP.trade", "STOP.social", "STAY.trade")...)
	b.settle(t, c)
	ack := c.request(t, "unsubscribe", map[string]any{"channels": []string{"STOP.trade", "STOP.social", "NEVER.trade"}})
	if ack.Type != "unsubscription_ack" || ack.Count != 1 || !slices.Contains(ack.Unsubscribed, "STOP.trade") || !slices.Contains(ack.Unsubscribed, "STOP.social") {
		t.Errorf("got %s", ack.raw)
	}
	if want := []string{"count", "id", "type", "unsubscribed"}; !slices.Equal(keysOf(ack.raw), want) {
		t.Errorf("fields %v instead of %v", keysOf(ack.raw), want)
	}
	before := len(c.entries())
	b.produce(t, batch(10, "STOP.trade", "STOP.social", "STAY.trade")...)
	eventually(t, soon, "all of STAY", func() (bool, string) {
		c.heartbeat(t)
		n := records(c.entries()[before:])
		return n >= 10, fmt.Sprint(n)
	})
	for _, m := range c.entries()[before:] {
		if m.Type == "message" && m.Channel != "STAY.trade" {
			t.Errorf("%v of %s after the ack", m.pos, m.Channel)
		}
	}
	if faults := append(checkOrder(c.entries()), checkCursors(c.entries())...); len(faults) > 0 {
		t.Error(faults)
	}
	if ack := c.request(t, "unsubscribe", map[string]any{"channels": []string{"STAY.trade"}}); ack.Count != 0 {
		t.Errorf("got %s", ack.raw)
	}
}

func testAcks(t *testing.T, _ *broker, s *server) {
	c := connect(t, s)
	ack := c.request(t, "subscribe", map[string]any{"channels": []string{"ACK.trade", "*.social"}})
	if want := []string{"count", "cursor", "history", "id", "rejected", "subscribed", "type"}; !slices.Equal(keysOf(ack.raw), want) {
		t.Errorf("fields %v instead of %v", keysOf(ack.raw), want)
	}
	if !slices.Equal(ack.Subscribed, []string{"ACK.trade", "*.social"}) || ack.Count != 2 || ack.Rejected == nil || ack.History != 0 {
		t.Errorf("got %s", ack.raw)
	}
	if len(ack.Cursor) != 2 || len(ack.Cursor["odin.trades"].Offsets) != 3 || ack.Cursor["odin.social"].Epoch == "" {
		t.Errorf("cursor of %s", ack.raw)
	}
	pong := c.heartbeat(t)
	if want := []string{"cursor", "id", "ts", "type"}; !slices.Equal(keysOf(pong.raw), want) {
		t.Errorf("fields %v instead of %v", keysOf(pong.raw), want)
	}
	if skew := pong.at.UnixMilli() - pong.TS; skew < -2000 || skew > 60_000 {
		t.Errorf("pong's ts is %d ms off", skew)
	}
	c.send(t, `{"type":"heartbeat"}`)
	bare := c.find(t, "pong without id", func(m message) bool { return m.Type == "pong" && m.ID == nil })
	if slices.Contains(keysOf(bare.raw), "id") {
		t.Errorf("an id out of nothing: %s", bare.raw)
	}
}

func testRejected(t *testing.T, b *broker, s *server) {
	c := connect(t, s)
	bad := []string{"", ".", "BTC", "BTC.", ".trade", "BTC.trade.x", "B C.trade", "B*.trade", "**.trade", "BTC.tr\"ade", "BTC.tr\\ade", "ÄÖ.trade", "B\u0000.trade", "B'.trade", string(make([]byte, 129)) + ".trade"}
	ack := c.request(t, "subscribe", map[string]any{"channels": append([]string{"GOOD.trade"}, bad...)})
	if ack.Type != "subscription_ack" || !slices.Equal(ack.Subscribed, []string{"GOOD.trade"}) || ack.Count != 1 || len(ack.Rejected) != len(bad) {
		t.Fatalf("got %s", ack.raw)
	}
	for i, r := range ack.Rejected {
		if r.Code != "bad_channel" || r.Message == "" || r.Channel != bad[i] {
			t.Errorf("%q is rejected by %+v", bad[i], r)
		}
	}
	c.patterns = []string{"GOOD.trade"}
	b.produce(t, batch(3, "GOOD.trade")...)
	b.settle(t, c)
}

func testTooManyChannels(t *testing.T, b *broker, s *server) {
	c := connect(t, s)
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("MANY%d.trade", i))
	}
	ack := c.request(t, "subscribe", map[string]any{"channels": many})
	if ack.Type != "subscription_ack" || len(ack.Subscribed) != 1000 || ack.Count != 1000 || len(ack.Rejected) == 0 {
		t.Fatalf("%d subscribed, count %d, %d rejected, %s %s", len(ack.Subscribed), ack.Count, len(ack.Rejected), ack.Code, ack.Message)
	}
	for _, r := range ack.Rejected {
		if r.Code != "too_many_channels" {
			t.Fatalf("rejected by %+v", r)
		}
	}
	c.patterns = many[:1000]
	b.produce(t, batch(2, many[0], many[999], many[1000])...)
	b.settle(t, c)
	c.request(t, "unsubscribe", map[string]any{"channels": many[:1]})
	if ack := c.request(t, "subscribe", map[string]any{"channels": []string{"ROOM.trade"}}); ack.Count != 1000 || len(ack.Subscribed) != 1 {
		t.Errorf("no room after an unsubscribe: %s", ack.raw)
	}
}

func testRequestErrors(t *testing.T, b *broker, s *server) {
	c := connect(t, s)
	c.subscribe(t, "FINE.trade")
	for text, code := range map[string]string{
		``:                                       "bad_json",
		`{`:                                      "bad_json",
		`{"type":"heartbeat","id":"x"} trailing`: "bad_json",
		`[]`:                                     "",
		`{"id":"x"}`:                             "",
		`{"type":7}`:                             "",
		`{"type":"sing","id":"x"}`:               "unknown_type",
		`{"type":"subscribe","id":7,"data":{}}`:  "bad_request",
		`{"type":"subscribe","data":{"channels":"BTC.trade"}}`:           "bad_request",
		`{"type":"subscribe","data":{"channels":[7]}}`:                   "bad_request",
		`{"type":"subscribe","data":7}`:                                  "bad_request",
		`{"type":"subscribe"}`:                                           "bad_request",
		`{"type":"subscribe","data":{"channels":["A.b"],"last":"many"}}`: "bad_request",
		`{"type":"unsubscribe","data":{"channels":{}}}`:                  "bad_request",
	} {
		before := len(c.entries())
		c.send(t, text)
		at := 0
		answer := c.find(t, "error for "+text, func(m message) bool { at++; return at > before && m.Type == "error" })
		if answer.Code == "" || code != "" && answer.Code != code || answer.Message == "" {
			t.Errorf("%s is answered by %s", text, answer.raw)
		}
	}
	b.produce(t, batch(3, "FINE.trade")...)
	b.settle(t, c)
}

func testHello(t *testing.T, _ *broker, s *server) {
	c := connect(t, s)
	hello := c.entries()[0]
	if want := []string{"limits", "node", "ping_interval_ms", "ts", "type", "version", "worker"}; !slices.Equal(keysOf(hello.raw), want) {
		t.Errorf("fields %v instead of %v", keysOf(hello.raw), want)
	}
	if hello.Version != "odin.v1" || hello.Node == "" || hello.PingInterval != 25000 || hello.Limits["max_channels"] != 1000 || hello.Limits["max_request_bytes"] != 262144 {
		t.Errorf("got %s", hello.raw)
	}
}

// testLast asks for the newest records of a channel: they come behind the
// answer, oldest first, and live ones behind them.
func testLast(t *testing.T, b *broker, s *server) {
	before := connect(t, s)
	before.subscribe(t, "LAST.creation")
	b.produce(t, batch(3, "LAST.creation")...)
	b.settle(t, before)
	c := connect(t, s)
	ack := c.request(t, "subscribe", map[string]any{"channels": []string{"LAST.creation"}, "last": 2})
	if ack.Type != "subscription_ack" || ack.Count != 1 || ack.History != 2 {
		t.Fatalf("got %s", ack.raw)
	}
	b.produce(t, batch(1, "LAST.creation")...)
	b.settle(t, before)
	var got, want []string
	for _, m := range before.entries() {
		if m.Type == "message" {
			want = append(want, string(m.raw))
		}
	}
	c.find(t, "the live one", func(m message) bool { return string(m.raw) == want[3] })
	for _, m := range c.entries() {
		if m.Type == "message" {
			got = append(got, string(m.raw))
		}
	}
	if !slices.Equal(got, want[1:]) {
		t.Errorf("got %v, want %v", got, want[1:])
	}
}
