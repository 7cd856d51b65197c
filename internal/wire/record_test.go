package wire_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
)

var trades = event.Partition{Topic: "odin.trades", Number: 7}

func TestAppendRecord(t *testing.T) {
	const start = `{"type":"message","channel":"BTC.trade","pos":"odin.trades:7:1042","ts":1763800000123,`
	for _, c := range []struct {
		name  string
		value []byte
		want  string
	}{
		{"object", []byte(`{"price":1}`), start + `"data":{"price":1}}`},
		{"as it is, newlines too", []byte(" {\"a\" :\n1e2}\n"), start + "\"data\": {\"a\" :\n1e2}\n}"},
		{"number", []byte("12.50"), start + `"data":12.50}`},
		{"null", []byte("null"), start + `"data":null}`},
		{"tombstone", nil, start + `"data":null}`},
		{"empty", []byte{}, start + `"encoding":"base64","data":""}`},
		{"text", []byte("hello"), start + `"encoding":"base64","data":"aGVsbG8="}`},
		{"not UTF-8", []byte("\"\xff\""), start + `"encoding":"base64","data":"Iv8i"}`},
		{"two values", []byte("{}{}"), start + `"encoding":"base64","data":"e317fQ=="}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			frame := wire.AppendRecord([]byte("before"), []byte("BTC.trade"), trades, 1042, 1763800000123, c.value)
			op, payload := payloadOf(t, frame[len("before"):])
			if op != wire.Text || string(payload) != c.want || string(frame[:6]) != "before" {
				t.Errorf("%v %s\nwant %s", op, payload, c.want)
			}
			_, isBase64 := wire.AppendRecordKind(nil, []byte("BTC.trade"), trades, 1042, 1763800000123, c.value)
			if isBase64 != strings.Contains(c.want, "base64") {
				t.Errorf("base64 is %v", isBase64)
			}
		})
	}
}

// Around each size at which the header changes its form, and with numbers of
// every length.
func TestAppendRecordSizes(t *testing.T) {
	numbers := []int64{0, 9, 10, 99, -1, -10, math.MaxInt64, math.MinInt64, math.MaxInt32}
	for size := range 200 {
		value := []byte(`"` + strings.Repeat("v", size) + `"`)
		for _, n := range numbers {
			checkRecord(t, "BTC.trade", event.Partition{Topic: "t", Number: int32(n)}, n, n, value)
		}
	}
	for size := 1<<16 - 120; size < 1<<16+10; size++ { // the words around a value have some 90 bytes
		checkRecord(t, "BTC.trade", trades, 1042, 1, []byte(`"`+strings.Repeat("v", size)+`"`))
		checkRecord(t, "BTC.trade", trades, 1042, 1, []byte(strings.Repeat("v", size*3/4)))
	}
	checkRecord(t, "BTC.trade", trades, 1042, 1, []byte(`"`+strings.Repeat("v", 1<<20)+`"`))
}

// checkRecord reads a record's frame back.
func checkRecord(t *testing.T, channel string, p event.Partition, offset, ts int64, value []byte) {
	t.Helper()
	op, payload := payloadOf(t, wire.AppendRecord(nil, []byte(channel), p, offset, ts, value))
	var m wire.ServerMessage
	if err := json.Unmarshal(payload, &m); err != nil || op != wire.Text || !wire.ValidJSON(payload) && len(value) < 1000 {
		t.Fatalf("%v: %v", err, payload)
	}
	back, err := m.Value()
	if err != nil || string(back) != trimmed(value) || (back == nil) != (value == nil || string(value) == "null") {
		t.Fatalf("%q came back as %q, %v", value, back, err)
	}
	if m.Type != "message" || m.TS != ts {
		t.Fatalf("%+v", m)
	}
	if utf8.ValidString(channel) && utf8.ValidString(p.Topic) && (m.Channel != channel || m.Pos != pos(p, offset)) {
		t.Fatalf("%+v", m)
	}
}

func pos(p event.Partition, offset int64) string {
	number, _ := json.Marshal(offset)
	return p.String() + ":" + string(number)
}

// trimmed is what json.RawMessage keeps of a valid value.
func trimmed(value []byte) string {
	if wire.ValidJSON(value) {
		if s := strings.Trim(string(value), " \t\r\n"); s != "null" {
			return s
		}
		return ""
	}
	return string(value)
}

func TestAppendRecordDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 4096)
	channel := []byte("BTC.trade")
	for name, value := range map[string][]byte{"json": []byte(trade), "base64": []byte("\x00binary"), "tombstone": nil} {
		if n := testing.AllocsPerRun(100, func() {
			wire.AppendRecord(dst, channel, trades, 1042, 1763800000123, value)
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func FuzzAppendRecord(f *testing.F) {
	f.Add("BTC.trade", "odin.trades", int32(7), int64(1042), int64(1763800000123), []byte(trade))
	f.Add("a\"\\\xff.b", "t\n:1", int32(-1), int64(-1), int64(-1), []byte("\x00"))
	f.Add("\xd0", "\x86", int32(0), int64(0), int64(0), []byte("0"))
	f.Add("", "", int32(0), int64(0), int64(0), []byte(nil))
	f.Fuzz(func(t *testing.T, channel, topic string, number int32, offset, ts int64, value []byte) {
		if deep(value) && json.Valid(value) {
			return // json.Valid and ValidJSON differ in what they call deep
		}
		checkRecord(t, channel, event.Partition{Topic: topic, Number: number}, offset, ts, value)
	})
}

func TestServerMessageValue(t *testing.T) {
	for _, c := range []struct {
		name string
		m    wire.ServerMessage
		want string
		ok   bool
	}{
		{"json", wire.ServerMessage{Data: json.RawMessage(`{"a":1}`)}, `{"a":1}`, true},
		{"base64", wire.ServerMessage{Encoding: "base64", Data: json.RawMessage(`"` + base64.StdEncoding.EncodeToString([]byte("hi")) + `"`)}, "hi", true},
		{"no string", wire.ServerMessage{Encoding: "base64", Data: json.RawMessage(`1`)}, "", false},
		{"no base64", wire.ServerMessage{Encoding: "base64", Data: json.RawMessage(`"!"`)}, "", false},
		{"another encoding", wire.ServerMessage{Encoding: "rot13", Data: json.RawMessage(`"uv"`)}, "", false},
	} {
		got, err := c.m.Value()
		if string(got) != c.want || (err == nil) != c.ok {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}
