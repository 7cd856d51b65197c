package route_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/route"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		topic, channel, slow string
		want                 route.Route
	}{
		{"odin.trades", "{key}.trade", "", route.Route{Topic: "odin.trades", Subject: "key", Event: "trade"}},
		{"t", "{key}.trade", "close", route.Route{Topic: "t", Subject: "key", Event: "trade", Slow: route.SlowClose}},
		{"t", "{header:x-symbol}.trade", "", route.Route{Topic: "t", Subject: "header:x-symbol", Event: "trade"}},
		{"t", "{header:a}.b}.trade", "", route.Route{Topic: "t", Subject: "header:a}.b", Event: "trade"}},
		{"t", "{json:symbol}.trade", "", route.Route{Topic: "t", Subject: "json:symbol", Event: "trade"}},
		{"t", "{json:data.items.0.id}.x-y", "", route.Route{Topic: "t", Subject: "json:data.items.0.id", Event: "x-y"}},
		{"t", `{json:a\.b.c}.trade`, "", route.Route{Topic: "t", Subject: `json:a\.b.c`, Event: "trade"}},
		{"t", `{json:a.\#}.trade`, "", route.Route{Topic: "t", Subject: `json:a.\#`, Event: "trade"}},
		{strings.Repeat("T", 249), "{key}." + strings.Repeat("e", 128), "", route.Route{Topic: strings.Repeat("T", 249), Subject: "key", Event: strings.Repeat("e", 128)}},
	} {
		got, err := route.Parse(route.Text{Topic: c.topic, Channel: c.channel, Slow: c.slow})
		if err != nil || got != c.want {
			t.Errorf("%s %s %s: %+v, %v", c.topic, c.channel, c.slow, got, err)
		}
		if back := got.Channel(); back != c.channel {
			t.Errorf("%s comes back as %s", c.channel, back)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ topic, channel, slow, field, says string }{
		{"t", "{key}.trade", "wait", "slow", `"wait": slow must be close (the default), drop or conflate`},
		{"t", "{key}.trade", "Close", "slow", "must be close"},
		{"", "{key}.trade", "", "topic", "1 to 249 letters"},
		{".", "{key}.trade", "", "topic", "neither '.' nor '..'"},
		{"..", "{key}.trade", "", "topic", "neither"},
		{"a b", "{key}.trade", "", "topic", `"a b": a topic's name has`},
		{"é", "{key}.trade", "", "topic", "1 to 249 letters"},
		{"t:1", "{key}.trade", "", "topic", "1 to 249 letters"},
		{strings.Repeat("t", 250), "{key}.trade", "", "topic", "…: a topic's name"},
		{"t", "", "", "channel", "must be {key}.EVENT, {header:NAME}.EVENT or {json:PATH}.EVENT"},
		{"t", "BTC.trade", "", "channel", "is no template"},
		{"t", "key.trade", "", "channel", "is no template"},
		{"t", "{key}trade", "", "channel", "is no template"},
		{"t", "{key", "", "channel", "is no template"},
		{"t", "x{key}.trade", "", "channel", "is no template"},
		{"t", "{key}.", "", "channel", `event "": each part of a channel has 1 to 128 bytes`},
		{"t", "{key}.a.b", "", "channel", `event "a.b": a channel is SUBJECT.EVENT`},
		{"t", "{key}.*", "", "channel", `event "*": a channel has printable ASCII only`},
		{"t", "{key}.a b", "", "channel", "printable ASCII only"},
		{"t", "{key}." + strings.Repeat("e", 129), "", "channel", "1 to 128 bytes"},
		{"t", "{}.trade", "", "channel", `subject "" is unknown: it must be key, header:NAME or json:PATH`},
		{"t", "{Key}.trade", "", "channel", `subject "Key" is unknown`},
		{"t", "{key:x}.trade", "", "channel", "is unknown"},
		{"t", "{header}.trade", "", "channel", "is unknown"},
		{"t", "{header:}.trade", "", "channel", "1 to 128 bytes of UTF-8"},
		{"t", "{header:a\nb}.trade", "", "channel", "without control characters"},
		{"t", "{header:\xff}.trade", "", "channel", "of UTF-8"},
		{"t", "{header:" + strings.Repeat("h", 129) + "}.trade", "", "channel", "1 to 128 bytes"},
		{"t", "{json:}.trade", "", "channel", "a path is names and array indexes"},
		{"t", "{json:a,b}.trade", "", "channel", "a path is"},
		{"t", "{json:a..b}.trade", "", "channel", "a path is"},
		{"t", "{json:.a}.trade", "", "channel", "a path is"},
		{"t", "{json:a.}.trade", "", "channel", "a path is"},
		{"t", `{json:a\}.trade`, "", "channel", "a path is"},
		{"t", "{json:a.#.b}.trade", "", "channel", "a path is"},
		{"t", `{json:a.#(b=="c").d}.trade`, "", "channel", "a path is"},
		{"t", "{json:a.*}.trade", "", "channel", "a path is"},
		{"t", "{json:a?}.trade", "", "channel", "a path is"},
		{"t", "{json:a|b}.trade", "", "channel", "a path is"},
		{"t", "{json:@this.a}.trade", "", "channel", "a path is"},
		{"t", "{json:{a,b}}.trade", "", "channel", "a path is"},
		{"t", "{json:[a,b]}.trade", "", "channel", "a path is"},
		{"t", `{json:!"BTC"}.trade`, "", "channel", "a path is"},
		{"t", "{json:a\x00}.trade", "", "channel", "a path is"},
		{"t", "{json:\xff}.trade", "", "channel", "a path is"},
		{"t", "{json:" + strings.Repeat("p", 257) + "}.trade", "", "channel", "a path is"},
	} {
		r, err := route.Parse(route.Text{Topic: c.topic, Channel: c.channel, Slow: c.slow})
		var fault *route.Error
		if !errors.As(err, &fault) {
			t.Errorf("%q %q %q: taken: %+v", c.topic, c.channel, c.slow, r)
			continue
		}
		if fault.Field != c.field || !strings.Contains(fault.Message, c.says) || len(fault.Message) > 400 {
			t.Errorf("%q %q %q: %s: %s; want %s: %s", c.topic, c.channel, c.slow, fault.Field, fault.Message, c.field, c.says)
		}
	}
}

func TestDefault(t *testing.T) {
	want := map[string]string{
		"odin.trades": "{key}.trade", "odin.liquidity": "{key}.liquidity", "odin.metadata": "{key}.metadata", "odin.social": "{key}.social",
		"odin.community": "{key}.community", "odin.creation": "{key}.creation", "odin.analytics": "{key}.analytics", "odin.balances": "{key}.balances",
	}
	table, err := route.NewTable(route.Default())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range table.Routes() {
		if want[r.Topic] != r.Channel() || r.Slow != route.SlowClose {
			t.Errorf("%+v", r)
		}
		delete(want, r.Topic)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestNamesOfReasonsAndPolicies(t *testing.T) {
	seen := map[string]bool{"ok": true, "unknown": true}
	for _, s := range route.Skips() {
		if name := s.String(); seen[name] || s == route.OK {
			t.Errorf("%d is %q", s, name)
		}
		seen[s.String()] = true
	}
	if got := route.OK.String() + route.Skip(99).String(); got != "okunknown" {
		t.Error(got)
	}
	for _, s := range []route.Slow{route.SlowClose, route.SlowDrop, route.SlowConflate} {
		if back, err := route.ParseSlow(s.String()); back != s || err != nil {
			t.Errorf("%v comes back as %v, %v", s, back, err)
		}
	}
	for _, c := range []route.Class{route.Normal, route.High, route.Critical} {
		if back, err := route.ParseClass(c.String()); back != c || err != nil {
			t.Errorf("%v comes back as %v, %v", c, back, err)
		}
	}
}

func TestParseClass(t *testing.T) {
	got, err := route.Parse(route.Text{Topic: "t", Channel: "{key}.trade", Slow: "drop", Class: "high"})
	if want := (route.Route{Topic: "t", Subject: "key", Event: "trade", Slow: route.SlowDrop, Class: route.High}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = route.Parse(route.Text{Topic: "t", Channel: "{key}.trade", Class: "low"})
	var fault *route.Error
	if !errors.As(err, &fault) || fault.Field != "class" || fault.Message != `"low": class must be normal (the default), high or critical` {
		t.Errorf("%v", err)
	}
}
