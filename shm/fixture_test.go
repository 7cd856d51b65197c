package shm

import (
	"path/filepath"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// small is big enough for every test that does not ask for more.
var small = Layout{Slots: 3, Partitions: 8}

// created gives a new segment in a directory of its own whose lock is held.
func created(t testing.TB, l Layout) (s *Segment, path string) {
	t.Helper()
	dir := t.TempDir()
	lock, err := LockDir(dir)
	must(t, err)
	path = filepath.Join(dir, "stats.shm")
	s, err = Create(path, l)
	must(t, err)
	t.Cleanup(func() {
		must(t, s.Close())
		must(t, lock.Release())
	})
	return s, path
}

// opened gives a read-only mapping of the segment at path.
func opened(t testing.TB, path string) *Segment {
	t.Helper()
	s, err := Open(path)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func added(t testing.TB, s *Segment, topic string, number int32, base int64) int {
	t.Helper()
	i, err := s.AddPartition(event.Partition{Topic: topic, Number: number}, base)
	must(t, err)
	return i
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// panics tells whether f panics.
func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}
