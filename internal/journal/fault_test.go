package journal

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

func caught(do func()) (f Fault) {
	defer func() { f = NewFault(recover()) }()
	do()
	return f
}

func oops(cause any) { panic(cause) }

func TestFault(t *testing.T) {
	var list []int
	var first, again, other, deeper Fault
	for i := range 2 {
		f := caught(func() { oops(errors.New("boom")) })
		if i == 0 {
			first = f
		} else {
			again = f
		}
	}
	other = caught(func() { _ = list[len(list)+3] })
	deeper = caught(func() { func() { oops("boom") }() })
	if first.ID != again.ID || !regexp.MustCompile(`^[0-9a-f]{8}$`).MatchString(first.ID) {
		t.Errorf("one defect is %s and %s", first.ID, again.ID)
	}
	if first.ID == other.ID || first.ID == deeper.ID || other.ID == deeper.ID {
		t.Errorf("three defects are %s, %s and %s", first.ID, other.ID, deeper.ID)
	}
	if first.Panic != "boom" || other.Panic != "runtime error: index out of range [3] with length 0" {
		t.Errorf("they say %q and %q", first.Panic, other.Panic)
	}
	if !strings.HasPrefix(first.Stack, "panic(") || !strings.Contains(strings.SplitN(first.Stack, "\n", 5)[2], "journal.oops") {
		t.Errorf("the stack begins with\n%s", first.Stack)
	}
	// A fault that goes on is the same one.
	goesOn := caught(func() {
		defer func() { panic(recover()) }()
		oops("boom")
	})
	if !strings.Contains(goesOn.Stack, "journal.oops") {
		t.Errorf("the stack has lost where it came from\n%s", goesOn.Stack)
	}
}

// Faults of one defect are one thing to the limit, whoever meets them.
func TestFaultsAreLimited(t *testing.T) {
	var p page
	j := open(t, &p, Options{Format: JSON})
	for i := range 10 {
		f := caught(func() { oops(i) })
		j.LogAttrs(t.Context(), slog.LevelError, "fault", f.Attrs(slog.Int("session", i))...)
	}
	f := caught(func() { oops("another") })
	j.LogAttrs(t.Context(), slog.LevelError, "fault", f.Attrs()...)
	j.Close()
	if n := len(p.all()); n != 5 {
		t.Errorf("%d lines: %q", n, p.all())
	}
}
