package wire_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/wire"
)

// checkAnswer checks one answer's frame and returns what a client reads.
func checkAnswer(t *testing.T, frame []byte, kind string) (m wire.ServerMessage) {
	t.Helper()
	op, payload := payloadOf(t, frame)
	if op != wire.Text || !wire.ValidJSON(payload) {
		t.Fatalf("%v frame of %q", op, payload)
	}
	if err := json.Unmarshal(payload, &m); err != nil || m.Type != kind {
		t.Fatalf("%s: %v", payload, err)
	}
	return m
}

func TestAnswers(t *testing.T) {
	cursor := wire.AppendCursor(nil, []wire.TopicCursor{{Topic: "odin.trades", Epoch: "e.0", Offsets: []int64{1042, -1, wire.Unproven}}})
	const cursorText = `"cursor":{"odin.trades":{"epoch":"e.0","offsets":[1042,-1,null]}}`
	for _, c := range []struct {
		frame []byte
		want  string
	}{
		{
			wire.AppendHello(nil, wire.Hello{Node: `n"1`, Worker: 2, Time: 5, PingInterval: 25 * time.Second, ChannelsMax: 1000, RequestBytesMax: 262144}),
			`{"type":"hello","version":"odin.v1","node":"n\"1","worker":2,"ts":5,"ping_interval_ms":25000,"limits":{"max_channels":1000,"max_request_bytes":262144}}`,
		},
		{
			wire.AppendSubscriptionAck(nil, wire.SubscriptionAck{ID: []byte("1"), Subscribed: list("BTC.trade", "ETH.*"), Rejected: []wire.Rejection{{[]byte("a\nb"), wire.RejectBadChannel, `no "."`}, {[]byte("x.y"), wire.RejectTooMany, ""}}, Count: 2, History: 1, Cursor: cursor}),
			`{"type":"subscription_ack","id":"1","subscribed":["BTC.trade","ETH.*"],"rejected":[{"channel":"a\nb","code":"bad_channel","message":"no \".\""},{"channel":"x.y","code":"too_many_channels","message":""}],"count":2,"history":1,` + cursorText + `}`,
		},
		{
			wire.AppendSubscriptionAck(nil, wire.SubscriptionAck{Omitted: 9}),
			`{"type":"subscription_ack","subscribed":[],"rejected":[],"omitted":9,"count":0,"history":0,"cursor":{}}`,
		},
		{
			wire.AppendUnsubscriptionAck(nil, []byte(""), list("a.b"), 3),
			`{"type":"unsubscription_ack","id":"","unsubscribed":["a.b"],"count":3}`,
		},
		{wire.AppendPong(nil, []byte("\xff"), 7, cursor), "{\"type\":\"pong\",\"id\":\"\ufffd\",\"ts\":7," + cursorText + `}`},
		{wire.AppendPong(nil, nil, 7, nil), `{"type":"pong","ts":7,"cursor":{}}`},
		{
			wire.AppendError(nil, &wire.RequestError{Code: wire.ErrorRateLimited, Message: "slow\tdown", ID: []byte("1")}),
			`{"type":"error","id":"1","code":"rate_limited","message":"slow\tdown"}`,
		},
		{wire.AppendReset(nil, wire.ResetTopology, false, cursor), `{"type":"reset","reason":"topology","lost":false,` + cursorText + `}`},
		{wire.AppendReset(nil, wire.ResetTrimmed, true, nil), `{"type":"reset","reason":"trimmed","lost":true,"cursor":{}}`},
		{wire.AppendGap(nil, []byte("BTC.trade"), math.MaxUint64, trades, 1042), `{"type":"gap","channel":"BTC.trade","dropped":18446744073709551615,"pos":"odin.trades:7:1042"}`},
		{
			wire.AppendReconnectError(nil, []byte("1"), wire.ReconnectPartitionNeeded, "why"),
			`{"type":"reconnect_error","id":"1","code":"partition_needed","message":"why"}`,
		},
		{
			wire.AppendReconnectAck(nil, wire.ReconnectAck{ID: []byte("1"), Replayed: 3, Subscribed: list("a.b"), Cursor: cursor}),
			`{"type":"reconnect_ack","id":"1","recovered":true,"status":"completed","messages_replayed":3,"subscribed":["a.b"],"rejected":[],` + cursorText + `}`,
		},
		{
			wire.AppendReconnectAck(nil, wire.ReconnectAck{Reason: wire.UnrecoveredTrimmed}),
			`{"type":"reconnect_ack","recovered":false,"reason":"trimmed","messages_replayed":0,"subscribed":[],"rejected":[],"cursor":{}}`,
		},
	} {
		op, payload := payloadOf(t, c.frame)
		if op != wire.Text || string(payload) != c.want || !wire.ValidJSON(payload) {
			t.Errorf("\n got %s\nwant %s", payload, c.want)
		}
	}
}

// Answers of every size stand whole behind what the buffer held.
func TestAnswersAppend(t *testing.T) {
	for _, size := range []int{0, 100, 127, 1000, 70000} {
		id := []byte(strings.Repeat("i", size))
		dst := wire.AppendPong([]byte("before"), id, 1, nil)
		m := checkAnswer(t, dst[len("before"):], "pong")
		if string(dst[:6]) != "before" || m.ID == nil || *m.ID != string(id) {
			t.Errorf("size %d: wrong", size)
		}
	}
}

func TestRefusals(t *testing.T) {
	last := 0
	for _, r := range wire.Refusals() {
		if r.Status <= last || r.Error == "" || r.When == "" {
			t.Errorf("%+v", r)
		}
		last = r.Status
	}
	got := string(wire.AppendRefusalBody(nil, "unavailable", "f\"ds"))
	if got != `{"error":"unavailable","reason":"f\"ds"}` {
		t.Error(got)
	}
}
