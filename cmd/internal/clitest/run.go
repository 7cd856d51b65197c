package clitest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runMax is how long a command that ends by itself may take.
const runMax = time.Minute

// Result is what a command that ended by itself left.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Command is a command line of a built program.
type Command struct {
	Program string
	Args    []string
	Env     []string // beside PATH, HOME and TMPDIR
	Stdin   string
	Dir     string // working directory
}

// Run runs a command line to its end.
func (b *Bin) Run(t testing.TB, c Command) Result {
	t.Helper()
	program := filepath.Join(b.Dir(t), c.Program)
	ctx, cancel := context.WithTimeout(t.Context(), runMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, c.Args...)
	cmd.Env, cmd.Dir, cmd.Stdin = environment(c.Env), c.Dir, strings.NewReader(c.Stdin)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%s %q: %v\n%s", c.Program, c.Args, err, stderr.String())
	}
	return Result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// environment keeps what programs need, and none of the ODIN_… variables of
// whoever runs the tests.
func environment(more []string) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return append(env, more...)
}

// Eventually asks until it is so; what says what was awaited.
func Eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(runMax); !so(); {
		if time.Now().After(deadline) {
			t.Fatalf("not so within %s: %s", runMax, what)
		}
	}
}
