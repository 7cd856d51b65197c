package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/odin-ws/odin/supervisor"
)

// Last words that nobody reads don't keep odind from ending.
func TestFailWithoutAReader(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := program{stderr: w}
	long := errors.New(strings.Repeat("x", 1<<20)) // more than a pipe takes
	if code := p.fail(long); code != supervisor.ExitFailed {
		t.Errorf("exit code %d", code)
	}
	r.Close() // lets go of the write
}
