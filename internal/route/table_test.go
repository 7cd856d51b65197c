package route_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/route"
)

// tableOf makes a table of one route of the topic "t".
func tableOf(t testing.TB, subject string) *route.Table {
	t.Helper()
	r, err := route.Parse(route.Text{Topic: "t", Channel: "{" + subject + "}.trade"})
	if err != nil {
		t.Fatal(err)
	}
	table, err := route.NewTable([]route.Route{r})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func headers(pairs ...string) func(string) ([]byte, bool) {
	return func(name string) ([]byte, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return []byte(pairs[i+1]), true
			}
		}
		return nil, false
	}
}

func TestPlace(t *testing.T) {
	long := strings.Repeat("s", event.ChannelPartMax)
	for _, c := range []struct {
		name, subject string
		key, value    []byte
		header        func(string) ([]byte, bool)
		want          string
		skip          route.Skip
	}{
		{"key", "key", []byte("BTC"), nil, nil, "BTC.trade", route.OK},
		{"longest key", "key", []byte(long), nil, nil, long + ".trade", route.OK},
		{"odd but allowed key", "key", []byte("a/b:c{}[]~!#"), nil, nil, "a/b:c{}[]~!#.trade", route.OK},
		{"no key", "key", nil, nil, nil, "", route.NoKey},
		{"empty key", "key", []byte{}, nil, nil, "", route.NoKey},
		{"dot", "key", []byte("BTC.USD"), nil, nil, "", route.BadSubject},
		{"forged channel", "key", []byte("BTC.trade\x00"), nil, nil, "", route.BadSubject},
		{"star", "key", []byte("*"), nil, nil, "", route.BadSubject},
		{"star within", "key", []byte("B*C"), nil, nil, "", route.BadSubject},
		{"space", "key", []byte("B C"), nil, nil, "", route.BadSubject},
		{"line end", "key", []byte("BTC\n"), nil, nil, "", route.BadSubject},
		{"zero byte", "key", []byte("\x00\x00\x00\x01"), nil, nil, "", route.BadSubject},
		{"delete", "key", []byte("BTC\x7f"), nil, nil, "", route.BadSubject},
		{"quote", "key", []byte(`B"C`), nil, nil, "", route.BadSubject},
		{"backslash", "key", []byte(`B\C`), nil, nil, "", route.BadSubject},
		{"UTF-8", "key", []byte("₿"), nil, nil, "", route.BadSubject},
		{"not UTF-8", "key", []byte("\xff\xfe"), nil, nil, "", route.BadSubject},
		{"a byte too long", "key", []byte(long + "s"), nil, nil, "", route.BadSubject},
		{"10 KiB", "key", []byte(strings.Repeat("k", 10<<10)), nil, nil, "", route.BadSubject},

		{"header", "header:sym", []byte("KEY"), nil, headers("other", "X", "sym", "ETH"), "ETH.trade", route.OK},
		{"no such header", "header:sym", []byte("KEY"), nil, headers("other", "X"), "", route.NoKey},
		{"empty header", "header:sym", []byte("KEY"), nil, headers("sym", ""), "", route.NoKey},
		{"no headers", "header:sym", []byte("KEY"), nil, nil, "", route.NoKey},
		{"hostile header", "header:sym", []byte("KEY"), nil, headers("sym", "a.b"), "", route.BadSubject},

		{"json", "json:data.symbol", []byte("KEY"), []byte(`{"data":{"symbol":"SOL"}}`), nil, "SOL.trade", route.OK},
		{"json escapes", "json:symbol", nil, []byte(`{"symb\u006fl":"S\u004fL"}`), nil, "SOL.trade", route.OK},
		{"json number", "json:id", nil, []byte(`{"id":1234567890123456789}`), nil, "1234567890123456789.trade", route.OK},
		{"json index", "json:ids.1", nil, []byte(`{"ids":["a","b"]}`), nil, "b.trade", route.OK},
		{"json with a dot in the name", `json:a\.b`, nil, []byte(`{"a.b":"x","a":{"b":"y"}}`), nil, "x.trade", route.OK},
		{"json with a special name", `json:a.\#`, nil, []byte(`{"a":{"#":"x"}}`), nil, "x.trade", route.OK},
		{"json within an array", "json:0", nil, []byte(`["x"]`), nil, "x.trade", route.OK},
		{"json number with a dot", "json:id", nil, []byte(`{"id":1.5}`), nil, "", route.BadSubject},
		{"json subject with a dot", "json:id", nil, []byte(`{"id":"a.b"}`), nil, "", route.BadSubject},
		{"json subject not ASCII", "json:id", nil, []byte(`{"id":"\u0000"}`), nil, "", route.BadSubject},
		{"json subject of 10 KiB", "json:id", nil, []byte(`{"id":"` + strings.Repeat("k", 10<<10) + `"}`), nil, "", route.BadSubject},
		{"json empty subject", "json:id", nil, []byte(`{"id":""}`), nil, "", route.NoKey},
		{"json without the path", "json:id.x", nil, []byte(`{"id":1}`), nil, "", route.BadPath},
		{"json null", "json:id", nil, []byte(`{"id":null}`), nil, "", route.BadPath},
		{"json true", "json:id", nil, []byte(`{"id":true}`), nil, "", route.BadPath},
		{"json object", "json:id", nil, []byte(`{"id":{"a":1}}`), nil, "", route.BadPath},
		{"json array", "json:id", nil, []byte(`{"id":["a"]}`), nil, "", route.BadPath},
		{"tombstone", "json:id", []byte("KEY"), nil, nil, "", route.BadPath},
		{"broken json", "json:id", nil, []byte(`{"id":"BTC"`), nil, "", route.BadPath},
		{"broken json behind", "json:id", nil, []byte(`{"id":"BTC"},`), nil, "", route.BadPath},
		{"not UTF-8 elsewhere", "json:id", nil, []byte("{\"id\":\"BTC\",\"x\":\"\xff\"}"), nil, "", route.BadPath},
		{"deep json", "json:id", nil, []byte(strings.Repeat(`[`, 1<<20)), nil, "", route.BadPath},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, skip := tableOf(t, c.subject).Place([]byte("before "), "t", c.key, c.value, c.header)
			if string(got) != "before "+c.want || skip != c.skip {
				t.Errorf("%.300q, %v; want %.300q, %v", got, skip, c.want, c.skip)
			}
		})
	}
}

func TestPlaceWithoutRoute(t *testing.T) {
	got, skip := tableOf(t, "key").Place(nil, "other", []byte("BTC"), nil, nil)
	if len(got) != 0 || skip != route.NoRoute {
		t.Errorf("%q, %v", got, skip)
	}
}

func TestTable(t *testing.T) {
	routes := []route.Route{
		{Topic: "b", Subject: "key", Event: "x", Slow: route.SlowClose},
		{Topic: "a", Subject: "header:h", Event: "y"},
	}
	table, err := route.NewTable(routes)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(table.Topics(), " "); got != "b a" {
		t.Errorf("topics %s", got)
	}
	if r, ok := table.Route("b"); !ok || r != routes[0] {
		t.Errorf("%+v, %v", r, ok)
	}
	if r, ok := table.Route("c"); ok {
		t.Errorf("%+v", r)
	}
	table.Routes()[0].Topic = "changed"
	if got := table.Topics()[0]; got != "b" {
		t.Errorf("the table changed: %s", got)
	}
}

func TestNewTableFindsAllMistakes(t *testing.T) {
	_, err := route.NewTable([]route.Route{
		{Topic: "a", Subject: "key", Event: "x"},
		{Topic: "a", Subject: "key", Event: "y"},
		{Topic: "b", Subject: "key", Event: "a.b"},
		{Topic: "c", Subject: "value", Event: "x"},
	})
	if err == nil {
		t.Fatal("taken")
	}
	want := []string{
		`routes[1].topic: "a" has a route already: one route a topic is allowed`,
		`routes[2].channel: event "a.b"`,
		`routes[3].channel: subject "value" is unknown`,
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%v", err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("%s; want %s", line, want[i])
		}
	}
	var fault *route.Error
	if !errors.As(err, &fault) || fault.Index != 1 {
		t.Errorf("%+v", fault)
	}
}

func TestNewTableBounds(t *testing.T) {
	for n, ok := range map[int]bool{0: false, 1: true, route.RoutesMax: true, route.RoutesMax + 1: false} {
		var routes []route.Route
		for i := range n {
			routes = append(routes, route.Route{Topic: "t" + strings.Repeat("x", i), Subject: "key", Event: "e"})
		}
		if _, err := route.NewTable(routes); (err == nil) != ok {
			t.Errorf("%d routes: %v", n, err)
		}
	}
}

func TestPlaceDoesNotAllocate(t *testing.T) {
	table := tableOf(t, "key")
	dst := make([]byte, 0, event.ChannelMax)
	key := []byte("BTC")
	if n := testing.AllocsPerRun(100, func() {
		if _, skip := table.Place(dst, "t", key, nil, nil); skip != route.OK {
			t.Fatal(skip)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever the record holds, what Place says OK to is a channel, of the
// route's event, and nothing else is appended.
func FuzzPlace(f *testing.F) {
	f.Add("BTC", `{"a":{"b":"SOL"}}`, "ETH")
	f.Add("a.b", `{"a":{"b":1.5}`, "")
	f.Add("\x00\xff", `[[{"a":"\ud800"}]]`, "*")
	f.Fuzz(func(t *testing.T, key, value, header string) {
		for _, subject := range []string{"key", "header:h", "json:a.b", "json:0"} {
			got, skip := tableOf(t, subject).Place([]byte("before "), "t", []byte(key), []byte(value), headers("h", header))
			channel, ok := strings.CutPrefix(string(got), "before ")
			if !ok || skip != route.OK && channel != "" {
				t.Fatalf("%s: %q, %v", subject, got, skip)
			}
			if skip != route.OK {
				continue
			}
			if _, name, err := event.SplitChannel([]byte(channel)); err != nil || string(name) != "trade" {
				t.Fatalf("%s: %q: %v", subject, channel, err)
			}
			if subject == "key" && channel != key+".trade" {
				t.Fatalf("key %q became %q", key, channel)
			}
		}
	})
}

func BenchmarkPlace(b *testing.B) {
	table, err := route.NewTable(route.Default())
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 0, event.ChannelMax)
	b.ReportAllocs()
	for b.Loop() {
		table.Place(dst, "odin.trades", []byte("BTC"), nil, nil)
	}
}
