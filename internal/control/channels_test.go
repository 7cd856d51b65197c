package control

import (
	"slices"
	"strings"
	"testing"
)

func TestChannelsCheck(t *testing.T) {
	if err := (&Channels{Within: slices.Repeat([]string{"BTC.*"}, FiltersMax)}).Check(); err != nil {
		t.Error(err)
	}
	for want, within := range map[string][]string{
		"101 patterns are too many, allowed: 100": slices.Repeat([]string{"BTC.*"}, FiltersMax+1),
		`"BTC": a channel is SUBJECT.EVENT`:       {"A.b", "BTC"},
		`"a b.c": a channel has printable ASCII`:  {"a b.c", "A.b"},
	} {
		if err := (&Channels{Within: within}).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: %v, want %q", within, err, want)
		}
	}
}

// covers is Selection.Has said plainly.
func covers(within []string, pattern string) bool {
	for _, w := range within {
		a, b := strings.SplitN(w, ".", 2), strings.SplitN(pattern, ".", 2)
		if (a[0] == "*" || a[0] == b[0]) && (a[1] == "*" || a[1] == b[1]) {
			return true
		}
	}
	return len(within) == 0
}

func TestSelection(t *testing.T) {
	var all []string
	for _, subject := range []string{"A", "B", "*"} {
		for _, name := range []string{"c", "d", "*"} {
			all = append(all, subject+"."+name)
		}
	}
	for i := range all {
		for j := range all {
			for _, within := range [][]string{nil, {all[i]}, {all[i], all[j]}} {
				s := (&Channels{Within: within}).Selection()
				for _, pattern := range all {
					if got := s.Has([]byte(pattern)); got != covers(within, pattern) {
						t.Errorf("%q has %s: %v", within, pattern, got)
					}
				}
			}
		}
	}
}

// Whatever is asked for, the check or the selection has an answer.
func FuzzSelection(f *testing.F) {
	f.Add("BTC.*", "*.trade", "BTC.trade")
	f.Add("BTC.trade", "", "x")
	f.Fuzz(func(t *testing.T, a, b, pattern string) {
		q := &Channels{Within: []string{a, b}}
		if q.Check() != nil || (&Channels{Within: []string{pattern}}).Check() != nil {
			return
		}
		if got := q.Selection().Has([]byte(pattern)); got != covers(q.Within, pattern) {
			t.Errorf("%q has %q: %v", q.Within, pattern, got)
		}
	})
}
