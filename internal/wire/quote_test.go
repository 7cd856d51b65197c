package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppendString(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `""`},
		{"BTC.trade", `"BTC.trade"`},
		{`a"b\c/d`, `"a\"b\\c/d"`},
		{"\b\f\n\r\t", `"\b\f\n\r\t"`},
		{"\x00\x01\x1f\x7f", "\"\\u0000\\u0001\\u001f\x7f\""},
		{"κόσμε 🙂", `"κόσμε 🙂"`},
		{"\u2028\ufffd", "\"\u2028\ufffd\""},
		{"a\xffb", "\"a\ufffdb\""},
		{"\xf0\x9f\x99", "\"\ufffd\ufffd\ufffd\""},
		{"\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\""},
	} {
		if got := appendString(nil, c.in); string(got) != c.want {
			t.Errorf("%q: %s, want %s", c.in, got, c.want)
		}
		if got := appendString([]byte("x"), []byte(c.in)); string(got) != "x"+c.want {
			t.Errorf("%q as bytes: %s", c.in, got)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\"\\\n\xff é🙂\x00")
	f.Fuzz(func(t *testing.T, in string) {
		quoted := appendString(nil, in)
		var back string
		if err := json.Unmarshal(quoted, &back); err != nil || !ValidJSON(quoted) {
			t.Fatalf("%q: %s: %v", in, quoted, err)
		}
		if want := strings.ToValidUTF8(in, "?"); utf8.ValidString(in) && back != want {
			t.Errorf("%q came back as %q", in, back)
		}
		if again, ok := unquote(quoted); !ok || string(again) != back {
			t.Errorf("%q: unquote gives %q", in, again)
		}
	})
}
