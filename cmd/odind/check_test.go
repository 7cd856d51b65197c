package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

func TestCheckPrintsOrigins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "odin.yaml", "workers: 3\nkafka:\n  sasl: {mechanism: PLAIN, user: u, password_file: secret}\n")
	write(t, dir, "secret", "hunter2\n")
	got := bin.Run(t, clitest.Command{
		Program: "odind", Args: []string{"check", "--config", "odin.yaml", "--start", "15m"}, Env: []string{"LB_ADDR=:4000"}, Dir: dir,
	})
	if got.Code != 0 || got.Stderr != "" {
		t.Fatalf("%+v", got)
	}
	for _, want := range []string{
		`workers +3 +odin\.yaml:1:10`, `listen +:4000 +LB_ADDR`, `kafka\.start +15m0s +--start`, `log\.level +info +default`,
		`kafka\.sasl\.password +\[redacted\] +odin\.yaml:3:52`, `\nconfiguration [0-9a-f]{12} is good\n`,
	} {
		if !regexp.MustCompile(want).MatchString(got.Stdout) {
			t.Errorf("no %q in\n%s", want, got.Stdout)
		}
	}
	if strings.Contains(got.Stdout, "hunter2") {
		t.Error("the password is printed")
	}
}

func TestQuietCheckOfAGoodConfiguration(t *testing.T) {
	t.Parallel()
	if got := odind(t, "check", "--quiet", "--workers", "3"); got.Code != 0 || got.Stdout+got.Stderr != "" {
		t.Errorf("%+v", got)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestMistakesStartNothing: serve, demo and check say the same, and leave
// nothing behind.
func TestMistakesStartNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "odin.yaml", "workrs: 3\nlimits: {drain_ms: soon}\n")
	want := `odin.yaml:1:1: workrs: unknown key, allowed: listen, workers, runtime_dir, state_dir, node, operator, origins, ready, log, kafka, routes, compression, limits, did you mean "workers"?
odin.yaml:2:20: limits.drain_ms: "soon" is no time, allowed: 0 to 3600000 milliseconds (a number, or with a unit, like 5s)
ODIN_WORKERS: workers: 0 is out of range, allowed: 1 to 128
--listen: listen: "here" is no address, allowed: HOST:PORT or :PORT, like :3001, did you mean "here:3001"?
odind: nothing was started: 4 mistakes in the configuration; docs/CONFIGURATION.md has every key
`
	for _, command := range [][]string{nil, {"check"}, {"check", "--quiet"}, {"demo"}} {
		got := bin.Run(t, clitest.Command{
			Program: "odind", Args: append(command, "--config", "odin.yaml", "--listen", "here", "--runtime-dir", "run"),
			Env: []string{"ODIN_WORKERS=0", "TMPDIR=" + dir}, Dir: dir,
		})
		if got.Code != 2 || got.Stdout != "" || got.Stderr != want {
			t.Errorf("odind %s: exit %d\n%s%s\nwant\n%s", command, got.Code, got.Stdout, got.Stderr, want)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
