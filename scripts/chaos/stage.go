package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// stage is what kafkatest wants of a test, in a program.
type stage struct {
	ctx context.Context
	dir string

	mu       sync.Mutex
	dirs     int
	cleanups []func()
}

// fatal is what Fatal panics with.
type fatal struct{ error }

// Helper is for tests.
func (s *stage) Helper() {}

// Context ends with the run.
func (s *stage) Context() context.Context { return s.ctx }

// Failed is for tests: what failed is told otherwise.
func (s *stage) Failed() bool { return false }

// Logf writes to standard error.
func (s *stage) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// Fatalf ends the run.
func (s *stage) Fatalf(format string, args ...any) { panic(fatal{fmt.Errorf(format, args...)}) }

// Fatal ends the run.
func (s *stage) Fatal(args ...any) { panic(fatal{fmt.Errorf("%s", fmt.Sprint(args...))}) }

// TempDir is a new directory of the run.
func (s *stage) TempDir() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirs++
	dir := filepath.Join(s.dir, fmt.Sprint(s.dirs))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.Fatal(err)
	}
	return dir
}

// Cleanup has a function called at the end.
func (s *stage) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanups = append(s.cleanups, f)
}

// end calls what was given to Cleanup, the last first.
func (s *stage) end() {
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
}
