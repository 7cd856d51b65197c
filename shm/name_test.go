package shm

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNames(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	long := strings.Repeat("ä", NameMax)
	for _, c := range []struct{ what, set, want string }{
		{"never", "", ""},
		{"short", "v1", "v1"},
		{"exactly a word", "12345678", "12345678"},
		{"as long as may be", strings.Repeat("x", NameMax), strings.Repeat("x", NameMax)},
		{"cut at a rune", "x" + long, "x" + long[:NameMax-2]},
		{"shorter again", "v", "v"},
		{"empty again", "", ""},
	} {
		s.Process().SetName(Version, c.set)
		equal(t, c.what, r.Process().Name(Version), c.want)
	}
	s.Slot(1).SetReason("broker gone")
	equal(t, "reason", r.Slot(1).Reason(), "broker gone")
	equal(t, "reason of another", r.Slot(0).Reason(), "")
	for n := range NameCount {
		s.Process().SetName(n, "name "+string(rune('a'+n)))
	}
	for n := range NameCount {
		equal(t, "own room", r.Process().Name(n), "name "+string(rune('a'+n)))
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{"", "a", "ä", "12345678", strings.Repeat("€", 50), "\xff\xfe", "a\x00b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := name{twin{make([]uint64, twinWords(nameWords))}}
		n.set(text)
		got := n.get()
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		if utf8.ValidString(text) && (!strings.HasPrefix(text, got) || len(text) <= NameMax && got != text) {
			t.Fatalf("%q came back as %q", text, got)
		}
	})
}
