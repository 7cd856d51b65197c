package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/wire"
)

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"type":"subscribe","id":"1","data":{"channels":["BTC.trade","ETH.*"],"last":1}}`))
	f.Add([]byte(`{"type":"unsubscribe","data":{"channels":["a.b","\ud83d\ude42"],"CHANNELS":1}}`))
	f.Add([]byte(`{"type":"subscribe","data":{"channels":[` + repeat(12, `"c%d.x"`) + `],"last":99999999}}`))
	f.Add([]byte(`{"type":"reconnect","data":{"client_id":"c","channels":["a.b"],"cursor":{"t":{"epoch":"e","offsets":[1042,-1,null]}}}}`))
	f.Add([]byte(`{"type":"reconnect","data":{"client_id":"\u00e9","channels":[],"cursor":{"t":{"offsets":[-0],"x":[null],"epoch":""},"\u0075":{"epoch":"e","offsets":[]}}}}`))
	f.Add([]byte(`{"type":"reconnect","data":{"channels":[],"last_offset":{"t:7":5}}}`))
	f.Add([]byte(`{"type":"reconnect","data":{"channels":[],"last_offset":{"t":-1,"t:07":0,"t:2147483648":1,"a:b:1":9,":":2,"t:-1":3,"t:7":4,"t:7":5}}}`))
	f.Add([]byte(`{"type":"reconnect","data":{"channels":[],"last_offset":{"t":-1,"t:07":0,"t:2147483647":1,"u:1":9,":0":2}}}`))
	f.Add([]byte(`{"type":"reconnect","data":{"channels":["a.b"],"client_id":"c","cursor":{"t":{"epoch":"e","offsets":[1042,-1,null]}}}}`))
	f.Add([]byte(`{"type":"reconnect","id":"7","data":{"channels":["a.b"],"last_offset":{"t":-1,"t:7":5}}}`))
	f.Add([]byte(` {"id":"\ud800","type":"heartbeat","x":[{}, "]"]}`))
	f.Add([]byte(`[[[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := string(text)
		req, err := wire.ParseRequest(text, wire.Limits{Channels: channelsTest})
		if string(text) != before {
			t.Fatal("the payload was changed")
		}
		if err != nil {
			checkAnswer(t, wire.AppendError(nil, err), "error")
			if wasRight(text) {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if want := byJSON(t, text); !reflect.DeepEqual(req, want) {
			t.Fatalf("\n got %+v\nwant %+v", req, want)
		}
		ack := wire.SubscriptionAck{ID: req.ID, Subscribed: req.Channels, Omitted: req.Omitted, Cursor: wire.AppendCursor(nil, req.Cursor)}
		for _, c := range req.Channels {
			ack.Rejected = append(ack.Rejected, wire.Rejection{Channel: c, Code: wire.RejectBadChannel, Message: string(c)})
		}
		checkAnswer(t, wire.AppendSubscriptionAck(nil, ack), "subscription_ack")
	})
}

const channelsTest = 10

// byJSON is the request that encoding/json reads in a text which was taken for
// one.
func byJSON(t *testing.T, text []byte) (req wire.Request) {
	t.Helper()
	o := objectOf(t, text)
	if id, has := o.get("id"); has {
		req.ID = []byte(as[string](t, id))
	}
	kind, _ := o.get("type")
	req.Type = map[string]wire.RequestType{
		"subscribe": wire.RequestSubscribe, "unsubscribe": wire.RequestUnsubscribe,
		"heartbeat": wire.RequestHeartbeat, "reconnect": wire.RequestReconnect,
	}[as[string](t, kind)]
	if req.Type == wire.RequestHeartbeat {
		return req
	}
	text, _ = o.get("data")
	data := objectOf(t, text)
	list, _ := data.get("channels")
	for _, c := range as[[]json.RawMessage](t, list) {
		if channel := as[string](t, c); len(req.Channels) < channelsTest {
			req.Channels = append(req.Channels, []byte(channel))
		} else {
			req.Omitted++
		}
	}
	switch req.Type {
	case wire.RequestSubscribe:
		if last, has := data.get("last"); has {
			req.Last = int(min(as[int64](t, last), wire.LastMax))
		}
	case wire.RequestReconnect:
		reconnectByJSON(t, data, &req)
	}
	return req
}

func reconnectByJSON(t *testing.T, data object, req *wire.Request) {
	t.Helper()
	if id, has := data.get("client_id"); has {
		req.ClientID = []byte(as[string](t, id))
	}
	if cursor, has := data.get("cursor"); has {
		req.Cursor = []wire.TopicCursor{}
		for _, topic := range objectOf(t, cursor) {
			req.Cursor = append(req.Cursor, topicByJSON(t, topic))
		}
	}
	if last, has := data.get("last_offset"); has {
		req.LastOffsets = []wire.LastOffset{}
		for _, m := range objectOf(t, last) {
			entry := wire.LastOffset{Topic: m.name, Partition: -1, Offset: as[int64](t, m.value)}
			if at := strings.IndexByte(m.name, ':'); at >= 0 {
				if n, err := strconv.ParseInt(m.name[at+1:], 10, 32); err == nil && !strings.ContainsAny(m.name[at+1:], "+-") {
					entry.Topic, entry.Partition = m.name[:at], int32(n)
				}
			}
			req.LastOffsets = append(req.LastOffsets, entry)
		}
	}
}

func topicByJSON(t *testing.T, topic member) wire.TopicCursor {
	t.Helper()
	entry := objectOf(t, topic.value)
	epoch, _ := entry.get("epoch")
	offsets, _ := entry.get("offsets")
	c := wire.TopicCursor{Topic: topic.name, Epoch: as[string](t, epoch), Offsets: []int64{}}
	for _, offset := range as[[]*int64](t, offsets) {
		if offset == nil {
			c.Offsets = append(c.Offsets, wire.Unproven)
		} else {
			c.Offsets = append(c.Offsets, *offset)
		}
	}
	return c
}

// object is a JSON object with its members as they stand there, which a map of
// Go's isn't: their names in another case are others, and one may be there
// twice.
type object []member

type member struct {
	name  string
	value json.RawMessage
}

func objectOf(t *testing.T, text []byte) (o object) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		t.Fatalf("taken, though %.100q is no object: %v", text, err)
	}
	for d.More() {
		name, err := d.Token()
		var m member
		if err == nil {
			m.name, err = name.(string), d.Decode(&m.value)
		}
		if err != nil {
			t.Fatalf("taken, though it is not JSON: %v", err)
		}
		o = append(o, m)
	}
	if !json.Valid(text) {
		t.Fatal("taken, though it is not JSON")
	}
	return o
}

func (o object) get(name string) (value json.RawMessage, has bool) {
	for _, m := range o {
		if m.name == name {
			value, has = m.value, true
		}
	}
	return value, has
}

func as[T any](t *testing.T, text json.RawMessage) (v T) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil || string(text) == "null" {
		t.Fatalf("taken, though %.100q is no %T", text, v)
	}
	return v
}

// wasRight tells whether a text is a request for certain: one that this
// package's own client writes in just this way, within the smallest limits.
func wasRight(text []byte) bool {
	var req wire.ClientRequest
	if json.Unmarshal(text, &req) != nil || len(req.ID) > wire.IDMax {
		return false
	}
	if again, err := json.Marshal(req); err != nil || !bytes.Equal(again, text) {
		return false
	}
	switch {
	case req.Type == "heartbeat":
		return true
	case req.Data == nil || req.Data.Channels == nil:
		return false
	case req.Type == "subscribe":
		return req.Data.Last >= 0
	case req.Type == "unsubscribe":
		return true
	case req.Type == "reconnect":
		return reconnectWasRight(req.Data)
	}
	return false
}

func reconnectWasRight(data *wire.ClientData) bool {
	if (data.Cursor == nil) == (data.LastOffset == nil) || len(data.ClientID) > wire.ClientIDMax || len(fmt.Sprint(data)) > 200 {
		return false
	}
	for _, entry := range data.Cursor {
		if entry.Offsets == nil {
			return false
		}
		for _, offset := range entry.Offsets {
			if offset != nil && *offset < -1 {
				return false
			}
		}
	}
	for name, offset := range data.LastOffset {
		if offset < -1 || !partitionNames.MatchString(name) {
			return false
		}
	}
	return true
}

// partitionNames are such as surely name one partition each: of "t" and "t:0"
// only one may be there.
var partitionNames = regexp.MustCompile(`^[^:]*(:[1-9][0-9]{0,8})?$`)
