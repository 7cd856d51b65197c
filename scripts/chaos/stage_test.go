package main

import (
	"context"
	"os"
	"strings"
	"testing"
)

func TestAFatalIsAnError(t *testing.T) {
	t.Parallel()
	s := &stage{ctx: context.Background(), dir: t.TempDir()}
	fail := func() (err error) {
		defer caught(&err)
		s.Fatalf("broker %d", 3)
		return nil
	}
	if err := fail(); err == nil || err.Error() != "broker 3" {
		t.Errorf("%v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("another panic is swallowed")
		}
	}()
	func() {
		var err error
		defer caught(&err)
		panic("a defect")
	}()
}

func TestTheLastIsCleanedUpFirst(t *testing.T) {
	t.Parallel()
	s := &stage{dir: t.TempDir()}
	var done []string
	for _, name := range []string{"brokers", "topics", "odind"} {
		s.Cleanup(func() { done = append(done, name) })
	}
	s.end()
	if got := strings.Join(done, " "); got != "odind topics brokers" {
		t.Error(got)
	}
}

func TestDirectoriesAreDifferent(t *testing.T) {
	t.Parallel()
	s := &stage{dir: t.TempDir()}
	a, b := s.TempDir(), s.TempDir()
	if _, err := os.Stat(b); a == b || err != nil {
		t.Errorf("%s and %s: %v", a, b, err)
	}
}
