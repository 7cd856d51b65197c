package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/odin-ws/odin/internal/wire"
)

var jsonCases = []struct {
	text string
	ok   bool
}{
	{`{}`, true},
	{`[]`, true},
	{`""`, true},
	{`null`, true},
	{`true`, true},
	{`false`, true},
	{`0`, true},
	{`-0`, true},
	{`-0.0e-0`, true},
	{`12.5E+10`, true},
	{" \t\r\n1 \n", true},
	{"{\"a\":\n[1,\n2]}", true},
	{`{"a":{"b":[{},[],"",null]},"a":1}`, true},
	{`"\"\\\/\b\f\n\r\t\u00e9\uD800"`, true},
	{"\"κόσμε 🙂 \x7f\"", true},
	{`"` + strings.Repeat("long enough for words ", 9) + `"`, true},

	{``, false},
	{` `, false},
	{`nul`, false},
	{`nulll`, false},
	{`True`, false},
	{`{}}`, false},
	{`{} {}`, false},
	{`1 2`, false},
	{`,`, false},
	{`:`, false},
	{`]`, false},
	{`}`, false},
	{`[`, false},
	{`[1`, false},
	{`[1,`, false},
	{`[1,]`, false},
	{`[,1]`, false},
	{`[1}`, false},
	{`[1 2]`, false},
	{`{`, false},
	{`{"a"`, false},
	{`{"a":`, false},
	{`{"a":1`, false},
	{`{"a":1,`, false},
	{`{"a":1,}`, false},
	{`{,}`, false},
	{`{"a",1}`, false},
	{`{a:1}`, false},
	{`{1:1}`, false},
	{`{"a":1]`, false},
	{`{"a":1 "b":2}`, false},
	{`{"a"::1}`, false},
	{`01`, false},
	{`-`, false},
	{`-a`, false},
	{`+1`, false},
	{`.5`, false},
	{`1.`, false},
	{`1.e5`, false},
	{`1e`, false},
	{`1e+`, false},
	{`0x10`, false},
	{`NaN`, false},
	{`Infinity`, false},
	{`'a'`, false},
	{`"`, false},
	{`"a`, false},
	{`"a\"`, false},
	{`"\`, false},
	{`"\x"`, false},
	{`"\u12"`, false},
	{`"\u12g4"`, false},
	{`"\u123`, false},
	{"\"a\nb\"", false},
	{"\"eight byt\x00s\"", false},
	{"\"eight by\x1fes and more\"", false},
	{"\"\xff\"", false},
	{"\"seven b\xc3\x28, more\"", false},
	{"\"\xed\xa0\x80\"", false},
	{"\"\xc0\xaf\"", false},
	{"\"\xf0\x9f\x99\"", false},
	{"\"\xf0\x9f\x99", false},
	{"\xef\xbb\xbf{}", false},
	{"{}\x00", false},
	{"\u00a01", false},
	{`/**/1`, false},
}

func TestValidJSON(t *testing.T) {
	for _, c := range jsonCases {
		if got := wire.ValidJSON([]byte(c.text)); got != c.ok {
			t.Errorf("%q: %v", c.text, got)
		}
		if std := json.Valid([]byte(c.text)) && utf8.ValidString(c.text); std != c.ok {
			t.Errorf("%q: the case itself is wrong", c.text)
		}
	}
}

// Every byte of JSON changed to every other: what encoding/json says holds.
func TestValidJSONChanged(t *testing.T) {
	text := []byte(`{"ab\u00e9é":[-1.5e+7,true,{"c":"abcdefghijklmnop"}, null ]}`)
	for i := range text {
		for b := range 256 {
			changed := append([]byte(nil), text...)
			changed[i] = byte(b)
			want := json.Valid(changed) && utf8.Valid(changed)
			if got := wire.ValidJSON(changed); got != want {
				t.Errorf("%q: %v", changed, got)
			}
		}
		if wire.ValidJSON(text[:i]) {
			t.Errorf("%q is taken", text[:i])
		}
	}
}

func TestValidJSONDepth(t *testing.T) {
	for _, pair := range []string{"[]", `{"a":}`} {
		open, end := pair[:len(pair)-1], pair[len(pair)-1:]
		nested := func(depth int) []byte {
			inner := "1"
			return []byte(strings.Repeat(open, depth) + inner + strings.Repeat(end, depth))
		}
		if !wire.ValidJSON(nested(wire.ValueDepthMax)) {
			t.Errorf("%s: the deepest is refused", pair)
		}
		if wire.ValidJSON(nested(wire.ValueDepthMax + 1)) {
			t.Errorf("%s: deeper than the deepest is taken", pair)
		}
	}
	if wire.ValidJSON([]byte(strings.Repeat("[", 1<<20))) {
		t.Error("a mebibyte of [ is taken")
	}
	mixed := []byte(strings.Repeat(`[{"a":`, 200) + "1" + strings.Repeat("}]", 200))
	if !wire.ValidJSON(mixed) {
		t.Error("alternating nesting is refused")
	}
	mixed[len(mixed)-1] = '}'
	if wire.ValidJSON(mixed) {
		t.Error("a wrong end is taken")
	}
}

func TestValidJSONDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { wire.ValidJSON([]byte(trade)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzValidJSON(f *testing.F) {
	for _, c := range jsonCases {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := json.Valid(text) && utf8.Valid(text)
		if got := wire.ValidJSON(text); got != want && !deep(text) {
			t.Errorf("%q: %v", text, got)
		}
	})
}

// deep tells whether the text may nest deeper than is allowed.
func deep(text []byte) bool {
	return strings.Count(string(text), "[")+strings.Count(string(text), "{") > wire.ValueDepthMax
}
