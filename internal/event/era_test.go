package event

import (
	"strings"
	"testing"
)

func FuzzParseEpoch(f *testing.F) {
	f.Add(EpochName(TopicID{1, 0xff}, 7))
	f.Add(EpochName(TopicID{}, 1<<64-1))
	f.Add("")
	f.Add(strings.Repeat("0", 32) + ".")
	f.Add(strings.Repeat("0", 32) + ".01")
	f.Add(strings.Repeat("A", 32) + ".1")
	f.Add(strings.Repeat("0", 32) + ".18446744073709551616")
	f.Fuzz(func(t *testing.T, name string) {
		id, eras, ok := ParseEpoch(name)
		if ok && EpochName(id, eras) != name {
			t.Errorf("%q is taken for %q", name, EpochName(id, eras))
		}
	})
}

func TestParseEpoch(t *testing.T) {
	want := TopicID{15: 9}
	if id, eras, ok := ParseEpoch(EpochName(want, 12)); id != want || eras != 12 || !ok {
		t.Errorf("%v %d %t", id, eras, ok)
	}
	for _, name := range []string{"", ".", "1", "x.1", strings.Repeat("0", 32), strings.Repeat("0", 32) + ".+1", strings.Repeat("0", 30) + ".1"} {
		if _, _, ok := ParseEpoch(name); ok {
			t.Errorf("%q is taken", name)
		}
	}
}
