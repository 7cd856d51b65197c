package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

func TestPprof(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	for _, process := range []string{"0", "1", "supervisor"} {
		file := filepath.Join(t.TempDir(), "heap")
		got := odinctl(t, "pprof", "heap", "--process", process, "-o", file, "--runtime-dir", d.Ready["runtime"])
		if got.Code != 0 || got.Stderr != "" || !strings.Contains(got.Stdout, "go tool pprof "+file) {
			t.Fatalf("%s: %+v", process, got)
		}
		if data, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(data), "\x1f\x8b") {
			t.Errorf("%s: %.8q, %v", process, data, err)
		}
	}
	got := odinctl(t, "pprof", "cpu", "--seconds", "1", "-o", "-", "--runtime-dir", d.Ready["runtime"])
	if got.Code != 0 || !strings.HasPrefix(got.Stdout, "\x1f\x8b") {
		t.Errorf("cpu to standard output: %d, %.8q, %s", got.Code, got.Stdout, got.Stderr)
	}
}

func TestPprofRefused(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"kind":    {[]string{"pprof", "heaps"}, 2, `unknown profile "heaps", allowed: cpu, trace, heap`},
		"seconds": {[]string{"pprof", "cpu", "--seconds", "0x"}, 2, "--seconds"},
		"long":    {[]string{"pprof", "cpu", "--seconds", "301"}, 2, "allowed: 1 to 300"},
		"process": {[]string{"pprof", "heap", "--process", "2"}, 1, `no process "2", allowed: supervisor, or a worker from 0 to 1`},
		"none":    {[]string{"pprof"}, 2, "KIND is missing"},
		"file":    {[]string{"pprof", "heap", "-o", "/nowhere/x"}, 1, "--output names another file"},
	} {
		got := odinctl(t, append(c.args, "--runtime-dir", d.Ready["runtime"])...)
		if got.Code != c.code || !strings.Contains(got.Stderr, c.want) {
			t.Errorf("%s: %+v, want %d and %q", name, got, c.code, c.want)
		}
	}
	got := odinctl(t, "pprof", "heap", "--runtime-dir", t.TempDir())
	if got.Code != exitNone || !strings.Contains(got.Stderr, "no running odind found") {
		t.Errorf("without odind: %+v", got)
	}
}

// A worker that is stuck is named; the others, and odinctl, don't wait for it
// for ever.
func TestPprofOfStoppedWorker(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	s := statusOf(t, d)
	pid := s.Workers[1].PID
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGCONT)
	got := odinctl(t, "pprof", "heap", "--process", "1", "--runtime-dir", d.Ready["runtime"])
	if got.Code != exitFailed || !strings.Contains(got.Stderr, "process 1 did not answer") {
		t.Errorf("%+v", got)
	}
	clitest.Eventually(t, "the other one answers", func() bool {
		return odinctl(t, "pprof", "heap", "-o", "-", "--runtime-dir", d.Ready["runtime"]).Code == 0
	})
}
