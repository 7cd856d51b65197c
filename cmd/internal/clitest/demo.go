package clitest

import (
	"strings"
	"testing"
)

// Demo is a running `odind demo`, with what its ready line says.
type Demo struct {
	*Process
	Ready map[string]string // ws, operator, broker, runtime
	Said  string            // the ready line itself
}

// StartDemo starts `odind demo` on free ports, with more flags, and waits
// until it is ready.
func (b *Bin) StartDemo(t testing.TB, more ...string) *Demo {
	t.Helper()
	args := []string{"demo", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0", "--broker-listen", "127.0.0.1:0", "--workers", "2"}
	// Its temporary directory outlives it when the test kills it.
	p := b.Start(t, Command{Program: "odind", Args: append(args, more...), Env: []string{"TMPDIR=" + b.Dir(t)}})
	line := p.Line()
	return &Demo{Process: p, Ready: ParseReady(t, line), Said: line}
}

// ParseReady takes the ready line apart.
func ParseReady(t testing.TB, line string) map[string]string {
	t.Helper()
	words := strings.Fields(line)
	if len(words) < 2 || words[0] != "ready" {
		t.Fatalf("no ready line: %q", line)
	}
	ready := map[string]string{}
	for _, word := range words[1:] {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			t.Fatalf("%q in the ready line %q", word, line)
		}
		ready[name] = value
	}
	return ready
}
