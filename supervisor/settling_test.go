package supervisor

import (
	"testing"
	"time"
)

func TestSettling(t *testing.T) {
	at := func(s float64) time.Time { return time.Unix(1000, 0).Add(time.Duration(s * float64(time.Second))) }
	s := settling{quiet: 2 * time.Second, limit: 10 * time.Second}
	if s.due(at(0)) {
		t.Fatal("due before anything changed")
	}
	s.changed(at(0))
	s.changed(at(1))
	if s.due(at(2.9)) {
		t.Fatal("due though it changed 1.9 s ago")
	}
	if !s.due(at(3)) {
		t.Fatal("not due after 2 s of quiet")
	}
	if s.due(at(100)) {
		t.Fatal("due twice")
	}
	for i := range 10 {
		s.changed(at(200 + float64(i)))
		if s.due(at(200 + float64(i))) {
			t.Fatalf("due after %d s of change", i)
		}
	}
	s.changed(at(210))
	if !s.due(at(210)) {
		t.Fatal("restlessness puts it off for ever")
	}
}
