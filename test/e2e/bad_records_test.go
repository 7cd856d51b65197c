package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// badRecord is a record that somebody could put into a topic, and what becomes
// of it.
type badRecord struct {
	name    string
	record  kgo.Record
	skipped string // reason of the counter; "" if it is delivered
}

func badRecords() []badRecord {
	key := func(k string) kgo.Record { return kgo.Record{Key: []byte(k), Value: []byte(`{}`)} }
	value := func(v string) kgo.Record { return kgo.Record{Key: []byte("ODD"), Value: []byte(v)} }
	return []badRecord{
		{"no key", kgo.Record{Value: []byte(`{}`)}, "no_key"},
		{"empty key", kgo.Record{Key: []byte{}, Value: []byte(`{}`)}, "no_key"},
		{"key with a dot", key("BTC.USD"), "bad_subject"},
		{"key of a star", key("*"), "bad_subject"},
		{"key with a space", key("BTC USD"), "bad_subject"},
		{"key with a quote", key(`B"TC`), "bad_subject"},
		{"key with a backslash", key(`B\TC`), "bad_subject"},
		{"key that ends the frame's string", key(`","data":"owned`), "bad_subject"},
		{"key with control bytes", key("B\x00\x1b[2J\r\nTC"), "bad_subject"},
		{"key beyond ASCII", key("BÄR"), "bad_subject"},
		{"key of 129 bytes", key(strings.Repeat("k", 129)), "bad_subject"},
		{"key of 10 KiB", key(strings.Repeat("k", 10<<10)), "bad_subject"},
		{"key of 128 bytes", key(strings.Repeat("k", 128)), ""},
		{"key of slashes and braces", key("{/<>}"), ""},
		{"value over the limit", value(`"` + strings.Repeat("x", 2<<20) + `"`), "too_large"},
		{"value over the limit as base64", value(strings.Repeat("\xff", 900<<10)), "too_large"},
		{"value near the limit", value(`"` + strings.Repeat("x", 1<<20-1000) + `"`), ""},
		{"empty value", kgo.Record{Key: []byte("ODD"), Value: []byte{}}, ""},
		{"tombstone", kgo.Record{Key: []byte("ODD")}, ""},
		{"no JSON", value("price: 7"), ""},
		{"JSON cut off", value(`{"price":`), ""},
		{"JSON and more", value(`{} {}`), ""},
		{"two values", value(`1,2`), ""},
		{"a trailing comma", value(`[1,]`), ""},
		{"NaN", value(`{"price":NaN}`), ""},
		{"invalid UTF-8", value("\"\xff\xfe\""), ""},
		{"UTF-8 cut off", value("\"\xe2\x82\""), ""},
		{"an encoded surrogate", value("\"\xed\xa0\x80\""), ""},
		{"NUL in a string", value("\"a\x00b\""), ""},
		{"line breaks in a string", value("\"a\r\nb\""), ""},
		{"a byte order mark", value("\xef\xbb\xbf{}"), ""},
		{"a leading zero", value("007"), ""},
		{"a bare string", value(`"only"`), ""},
		{"a number too large for a double", value(`1e999`), ""},
		{"null", value(`null`), ""},
		{"JSON with line breaks", value("{\r\n\t\"a\": 1\n}"), ""},
		{"the same name twice", value(`{"a":1,"a":2}`), ""},
		{"what looks like a frame's end", value(`"}\u0000]}"`), ""},
		{"script", value(`"</script><script>alert(1)</script>\u2028"`), ""},
		{"binary", value("\x00\x01\x02\x81\x7e\xff\xff"), ""},
		{"deep", value(strings.Repeat("[", 500) + strings.Repeat("]", 500)), ""},
	}
}

// TestBadRecords sends each odd record, then a good one: what can't be placed is
// counted and skipped, the rest arrives as it should, and the good ones always.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{brokers: b.addr})
	clients := clientsOnEach(t, s, 1)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	want := map[string]float64{"no_key": 0, "bad_subject": 0, "too_large": 0, "no_route": 0, "bad_path": 0}
	for i, bad := range badRecords() {
		bad.record.Topic = topicsByEvent["trade"]
		b.produce(t, &bad.record, record("GOOD.trade", fmt.Sprintf(`{"behind":%q,"n":%d}`, bad.name, i)))
		if bad.skipped != "" {
			want[bad.skipped]++
		}
		if (channelOf(&bad.record) == "") != (bad.skipped != "") && bad.skipped != "too_large" {
			t.Fatalf("the test's ledger takes %q wrong", bad.name)
		}
		if bad.skipped == "too_large" {
			b.unplace(&bad.record)
		}
		for _, c := range clients {
			b.settle(t, c)
		}
	}
	m := s.metrics(t)
	for reason, n := range want {
		if got := m.sum(t, "odin_records_skipped_total", "reason", reason); got != n {
			t.Errorf("%v records skipped for %s instead of %v", got, reason, n)
		}
	}
	s.stop(t)
}
