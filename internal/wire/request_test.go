package wire_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/wire"
)

func list(channels ...string) (out [][]byte) {
	for _, c := range channels {
		out = append(out, []byte(c))
	}
	return out
}

func TestParseRequest(t *testing.T) {
	epoch := "000102030405060708090a0b0c0d0e0f.0"
	for _, c := range []struct {
		name, text string
		want       wire.Request
	}{
		{"subscribe", `{"type":"subscribe","id":"1","data":{"channels":["BTC.trade","ETH.*"],"last":1}}`, wire.Request{Type: wire.RequestSubscribe, ID: []byte("1"), Channels: list("BTC.trade", "ETH.*"), Last: 1}},
		{"without id and last", `{"type":"subscribe","data":{"channels":["BTC.trade"]}}`, wire.Request{Type: wire.RequestSubscribe, Channels: list("BTC.trade")}},
		{"empty id", `{"type":"subscribe","id":"","data":{"channels":[]}}`, wire.Request{Type: wire.RequestSubscribe, ID: []byte{}}},
		{"longest id", `{"type":"heartbeat","id":"` + strings.Repeat("i", 64) + `"}`, wire.Request{Type: wire.RequestHeartbeat, ID: []byte(strings.Repeat("i", 64))}},
		{"escapes", `{"ty\u0070e":"sub\u0073cribe","id":"\ud83d\ude42\n","data":{"channels":["BTC\u002etrade","a\"b","\ud800"]}}`, wire.Request{Type: wire.RequestSubscribe, ID: []byte("🙂\n"), Channels: list("BTC.trade", `a"b`, "\ufffd")}},
		{"space and order", "\n{ \"data\" : { \"last\" : 0 , \"channels\" : [ \"a.b\" ,\t\"c.d\" ] } , \"type\" : \"subscribe\" }\n", wire.Request{Type: wire.RequestSubscribe, Channels: list("a.b", "c.d")}},
		{"unknown members", `{"v":[{"type":1}],"type":"unsubscribe","x":{"id":"}"},"data":{"y":null,"channels":["a.b"]},"z":"\""}`, wire.Request{Type: wire.RequestUnsubscribe, Channels: list("a.b")}},
		{"unknown members twice", `{"x":1,"x":2,"type":"heartbeat"}`, wire.Request{Type: wire.RequestHeartbeat}},
		{"channels are judged later", `{"type":"subscribe","data":{"channels":["","a.b","a.b"]}}`, wire.Request{Type: wire.RequestSubscribe, Channels: list("", "a.b", "a.b")}},
		{"too large a last", `{"type":"subscribe","data":{"channels":[],"last":9000000000}}`, wire.Request{Type: wire.RequestSubscribe, Last: wire.LastMax}},
		{"heartbeat", `{"type":"heartbeat"}`, wire.Request{Type: wire.RequestHeartbeat}},
		{"heartbeat with anything", `{"type":"heartbeat","data":17}`, wire.Request{Type: wire.RequestHeartbeat}},
		{"reconnect", `{"type":"reconnect","data":{"client_id":"c","channels":["a.b"],"cursor":{"odin.trades":{"epoch":"` + epoch + `","offsets":[1042,-1,null]},"t":{"epoch":"","offsets":[]}}}}`, wire.Request{Type: wire.RequestReconnect, Channels: list("a.b"), ClientID: []byte("c"), Cursor: []wire.TopicCursor{{Topic: "odin.trades", Epoch: epoch, Offsets: []int64{1042, -1, wire.Unproven}}, {Topic: "t", Offsets: []int64{}}}}},
		{"reconnect from now", `{"type":"reconnect","data":{"channels":[],"cursor":{}}}`, wire.Request{Type: wire.RequestReconnect, Cursor: []wire.TopicCursor{}}},
		{"reconnect of old", `{"type":"reconnect","data":{"channels":[],"last_offset":{"odin.trades":5,"odin.trades:7":-1,"c:2147483647":1}}}`, wire.Request{Type: wire.RequestReconnect, LastOffsets: []wire.LastOffset{{Topic: "odin.trades", Partition: -1, Offset: 5}, {Topic: "odin.trades", Partition: 7, Offset: -1}, {Topic: "c", Partition: 2147483647, Offset: 1}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := wire.ParseRequest([]byte(c.text), wire.DefaultLimits())
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("\n got %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

func TestParseRequestRefuses(t *testing.T) {
	const subscribe = `{"type":"subscribe","id":"7","data":`
	const reconnect = `{"type":"reconnect","id":"7","data":{"channels":[],`
	for _, c := range []struct {
		text string
		code wire.ErrorCode
		id   string
		says string
	}{
		{``, "bad_json", "", "ends too early"},
		{`{"type":"heartbeat"`, "bad_json", "", "ends too early"},
		{`{"type":heartbeat}`, "bad_json", "", `byte 8 ("h") is wrong`},
		{"{\"type\":\"\xff\"}", "bad_json", "", "byte 9"},
		{`{"type":"heartbeat"}{}`, "bad_json", "", "byte 20"},
		{strings.Repeat("[", 1000), "bad_json", "", "nested deeper than 512"},
		{`[]`, "bad_request", "", "a request is an object like"},
		{`"subscribe"`, "bad_request", "", "a request is an object like"},
		{`null`, "bad_request", "", "a request is an object like"},
		{` 1`, "bad_request", "", "a request is an object like"},
		{`{}`, "bad_request", "", "type is missing: it must be subscribe, unsubscribe, heartbeat or reconnect"},
		{`{"id":"7"}`, "bad_request", "7", "type is missing"},
		{`{"type":1,"id":"7"}`, "bad_request", "7", "type must be a string"},
		{`{"type":null}`, "bad_request", "", "type must be a string"},
		{`{"type":"publish","id":"7"}`, "unknown_type", "7", `type "publish" is unknown: it must be subscribe`},
		{`{"type":"","id":"7"}`, "unknown_type", "7", `type "" is unknown`},
		{`{"type":"none"}`, "unknown_type", "", `type "none" is unknown`},
		{`{"type":"` + strings.Repeat("é", 100) + `"}`, "unknown_type", "", `…`},
		{`{"type":"heartbeat","id":7}`, "bad_request", "", "id must be a string of at most 64 bytes"},
		{`{"type":"heartbeat","id":null}`, "bad_request", "", "id must be a string"},
		{`{"type":"heartbeat","id":"` + strings.Repeat("i", 65) + `"}`, "bad_request", "", "at most 64 bytes"},
		{`{"type":"publish","id":7}`, "bad_request", "", "id must be a string"},
		{`{"type":"heartbeat","id":"7","type":"heartbeat"}`, "bad_request", "7", "type is there twice"},
		{`{"type":"heartbeat","id":"7","ty\u0070e":"x"}`, "bad_request", "7", "type is there twice"},
		{`{"type":"heartbeat","id":"7","id":"8"}`, "bad_request", "7", "id is there twice"},
		{`{"type":"subscribe","id":"7"}`, "bad_request", "7", "data must be an object like"},
		{`{"type":"subscribe","id":"7","channels":["a.b"]}`, "bad_request", "7", "data must be an object like"},
		{subscribe + `[]}`, "bad_request", "7", "data must be an object like"},
		{subscribe + `{}}`, "bad_request", "7", "data.channels must be a list like"},
		{subscribe + `{"channels":"a.b"}}`, "bad_request", "7", "data.channels must be a list like"},
		{subscribe + `{"channels":["a.b",1]}}`, "bad_request", "7", "data.channels[1] must be a string"},
		{subscribe + `{"channels":[["a.b"]]}}`, "bad_request", "7", "data.channels[0] must be a string"},
		{subscribe + `{"channels":[],"channels":[]}}`, "bad_request", "7", "data.channels is there twice"},
		{subscribe + `{"channels":[]},"data":{"channels":[]}}`, "bad_request", "7", "data is there twice"},
		{subscribe + `{"channels":[],"last":-1}}`, "bad_request", "7", "data.last must be a whole number"},
		{subscribe + `{"channels":[],"last":1.5}}`, "bad_request", "7", "data.last must be a whole number"},
		{subscribe + `{"channels":[],"last":1e3}}`, "bad_request", "7", "data.last must be a whole number"},
		{subscribe + `{"channels":[],"last":"1"}}`, "bad_request", "7", "data.last must be a whole number"},
		{subscribe + `{"channels":[],"last":99999999999999999999}}`, "bad_request", "7", "data.last must be a whole number"},
		{`{"type":"unsubscribe","id":"7","data":{"channels":{}}}`, "bad_request", "7", "data.channels must be a list like"},
		{reconnect + `"client_id":1,"cursor":{}}}`, "bad_request", "7", "data.client_id must be a string"},
		{reconnect + `"client_id":"` + strings.Repeat("c", 129) + `","cursor":{}}}`, "bad_request", "7", "at most 128 bytes"},
		{`{"type":"reconnect","data":{"cursor":{}}}`, "bad_request", "", "data.channels must be a list like"},
		{reconnect + `"x":1}}`, "bad_request", "7", "data.cursor is missing"},
		{reconnect + `"cursor":{},"last_offset":{}}}`, "bad_request", "7", "both cursor and last_offset"},
		{reconnect + `"cursor":[]}}`, "bad_request", "7", "data.cursor must be an object like"},
		{reconnect + `"cursor":{"t":1}}}`, "bad_request", "7", "data.cursor must be an object like"},
		{reconnect + `"cursor":{"t":{}}}}`, "bad_request", "7", `data.cursor["t"].epoch must be a string`},
		{reconnect + `"cursor":{"t":{"epoch":1,"offsets":[]}}}}`, "bad_request", "7", `data.cursor["t"].epoch must be a string`},
		{reconnect + `"cursor":{"t":{"epoch":"` + strings.Repeat("e", 129) + `","offsets":[]}}}}`, "bad_request", "7", `data.cursor["t"].epoch must be a string of at most 128 bytes`},
		{reconnect + `"cursor":{"t":{"epoch":"e"}}}}`, "bad_request", "7", `data.cursor["t"].offsets must be a list`},
		{reconnect + `"cursor":{"t":{"epoch":"e","offsets":[0,-2]}}}}`, "bad_request", "7", `data.cursor["t"].offsets[1] must be a whole number from -1 on, or null`},
		{reconnect + `"cursor":{"t":{"epoch":"e","offsets":[1.0]}}}}`, "bad_request", "7", `data.cursor["t"].offsets[0]`},
		{reconnect + `"cursor":{"t":{"epoch":"e","offsets":[],"epoch":"f"}}}}`, "bad_request", "7", `data.cursor["t"].epoch is there twice`},
		{reconnect + `"cursor":{"t":{"epoch":"e","offsets":[]},"\u0074":{"epoch":"e","offsets":[]}}}}`, "bad_request", "7", `data.cursor["t"] is there twice`},
		{reconnect + `"cursor":{"` + strings.Repeat("t", 250) + `":{"epoch":"e","offsets":[]}}}}`, "bad_request", "7", "their names at most 249 bytes"},
		{reconnect + `"cursor":{` + repeat(65, `"t%d":{"epoch":"e","offsets":[]}`) + `}}}`, "bad_request", "7", "at most 64 topics"},
		{reconnect + `"cursor":{"t":{"epoch":"e","offsets":[` + repeat(4000, "%d") + `]},"u":{"epoch":"e","offsets":[` + repeat(97, "%d") + `]}}}}`, "bad_request", "7", "at most 4096 offsets"},
		{reconnect + `"last_offset":7}}`, "bad_request", "7", "data.last_offset must be an object like"},
		{reconnect + `"last_offset":{"t":"7"}}}`, "bad_request", "7", `data.last_offset["t"] must be a whole number`},
		{reconnect + `"last_offset":{"t":-2}}}`, "bad_request", "7", `data.last_offset["t"] must be a whole number`},
		// One that names no partition would be "live from now", and so recovered:true would be a lie.
		{reconnect + `"last_offset":{"t:x":5}}}`, "bad_request", "7", `data.last_offset["t:x"] must be named "topic:partition"`},
		{reconnect + `"last_offset":{"t:-1":5}}}`, "bad_request", "7", `data.last_offset["t:-1"] must be named`},
		{reconnect + `"last_offset":{"t:":5}}}`, "bad_request", "7", `data.last_offset["t:"] must be named`},
		{reconnect + `"last_offset":{"a:b:1":5}}}`, "bad_request", "7", `data.last_offset["a:b:1"] must be named`},
		{reconnect + `"last_offset":{"t:2147483648":5}}}`, "bad_request", "7", `data.last_offset["t:2147483648"] must be named`},
		{reconnect + `"last_offset":{"t:0":5,"t:0":9}}}`, "bad_request", "7", `data.last_offset["t:0"] is there twice`},
		{reconnect + `"last_offset":{"t:7":5,"t\u003a07":9}}}`, "bad_request", "7", `data.last_offset["t:07"] is there twice`},
		{reconnect + `"last_offset":{"t":5,"t:0":9}}}`, "bad_request", "7", `data.last_offset["t:0"] is there twice`},
		{reconnect + `"last_offset":{` + repeat(4097, `"t:%d":1`) + `}}}`, "bad_request", "7", "at most 4096 entries"},
		{reconnect + `"last_offset":{"` + strings.Repeat("t", 300) + `":1}}}`, "bad_request", "7", "at most 249 bytes"},
	} {
		t.Run(fmt.Sprintf("%.40s %s", c.text, c.says), func(t *testing.T) {
			req, err := wire.ParseRequest([]byte(c.text), wire.DefaultLimits())
			if err == nil {
				t.Fatalf("taken: %+v", req)
			}
			if err.Code != c.code || string(err.ID) != c.id || !strings.Contains(err.Message, c.says) {
				t.Errorf("got %s, id %q; want %s, %q, %q", err, err.ID, c.code, c.id, c.says)
			}
			if len(err.Message) > 300 {
				t.Errorf("a message of %d bytes", len(err.Message))
			}
		})
	}
}

// repeat fills the form with the numbers below n, with commas between.
func repeat(n int, form string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(form, i)
	}
	return strings.Join(parts, ",")
}

func TestParseRequestBoundsChannels(t *testing.T) {
	text := `{"type":"subscribe","data":{"channels":[` + repeat(25, `"c%d.x"`) + `]}}`
	for _, c := range []struct{ limit, given, omitted int }{{10, 10, 15}, {24, 24, 1}, {25, 25, 0}, {26, 25, 0}, {0, 0, 25}} {
		got, err := wire.ParseRequest([]byte(text), wire.Limits{Channels: c.limit})
		if err != nil || len(got.Channels) != c.given || got.Omitted != c.omitted {
			t.Errorf("limit %d: %d given, %d omitted, %v", c.limit, len(got.Channels), got.Omitted, err)
		}
	}
	bad := `{"type":"subscribe","data":{"channels":["a.b","c.d",7]}}`
	if _, err := wire.ParseRequest([]byte(bad), wire.Limits{Channels: 1}); err == nil {
		t.Error("a number beyond the limit is taken")
	}
}

// What a Go client sends is what is parsed.
func TestClientRequestRoundTrip(t *testing.T) {
	offset := int64(1042)
	text, err := json.Marshal(wire.ClientRequest{Type: "reconnect", ID: "9", Data: &wire.ClientData{
		Channels: []string{}, ClientID: "c", Cursor: wire.Cursor{"t": {Epoch: "e", Offsets: []*int64{&offset, nil}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got, fault := wire.ParseRequest(text, wire.DefaultLimits())
	want := wire.Request{Type: wire.RequestReconnect, ID: []byte("9"), ClientID: []byte("c"), Cursor: []wire.TopicCursor{{Topic: "t", Epoch: "e", Offsets: []int64{1042, wire.Unproven}}}}
	if fault != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s\n got %+v, %v\nwant %+v", text, got, fault, want)
	}
}

func TestRequestTypesHaveNames(t *testing.T) {
	want := []string{"none", "subscribe", "unsubscribe", "heartbeat", "reconnect", "none"}
	for i, name := range want {
		if got := wire.RequestType(i).String(); got != name {
			t.Errorf("%d is %q", i, got)
		}
	}
	err := error(&wire.RequestError{Code: wire.ErrorBadRequest, Message: "why"})
	if err.Error() != "bad_request: why" {
		t.Error(err)
	}
}
