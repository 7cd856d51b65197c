package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

// configured is a demo with a file whose text a test changes.
func configured(t *testing.T, text string) (d *clitest.Demo, file string, change func(string)) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "odin.yaml")
	change = func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	change(text)
	return bin.StartDemo(t, "--rate", "0", "--config", file), file, change
}

func TestReload(t *testing.T) {
	t.Parallel()
	d, file, change := configured(t, "")
	got := odinctl(t, "reload", "--runtime-dir", d.Ready["runtime"])
	if want := regexp.MustCompile(`^configuration [0-9a-f]{12} is in force: 0 applied, 0 waiting for a restart, \d+ unchanged\n$`); got.Code != 0 || got.Stderr != "" || !want.MatchString(got.Stdout) {
		t.Errorf("nothing new: %+v", got)
	}
	change("log: {level: warn}\nnode: n2\nworkers: 3\nkafka: {brokers: ['a:1'], client_id: other}\n")
	got = odinctl(t, "reload", "--runtime-dir", d.Ready["runtime"])
	for _, want := range []string{
		"in force       log.level: info → warn (" + file + ":1:14)\n",
		"needs restart  kafka.client_id: odin → other (" + file + ":4:38)\n",
		": 2 applied, 1 waiting for a restart, ", // the broker is the demo's own, and a flag names the workers
	} {
		if got.Code != 0 || got.Stderr != "" || !strings.Contains(got.Stdout, want) {
			t.Errorf("no %q: %+v", want, got)
		}
	}
	change("log: {level: wrn}\nnode: [n3]\n")
	got = odinctl(t, "reload", "--runtime-dir", d.Ready["runtime"])
	want := file + `:1:14: log.level: "wrn" is unknown, allowed: debug, info, warn, error, did you mean "warn"?` + "\n" +
		file + ":2:7: node: is a list, allowed: one value\n" +
		"odinctl: odind refuses: 2 mistakes in the configuration: nothing has changed\n"
	if got.Code != exitFailed || got.Stdout != "" || got.Stderr != want {
		t.Errorf("with mistakes: %+v\nwant %s", got, want)
	}
	if got := odinctl(t, "reload", "--runtime-dir", t.TempDir()); got.Code != exitNone || !strings.Contains(got.Stderr, "no running odind found") {
		t.Errorf("without odind: %+v", got)
	}
}

// A worker that is stuck is named; the others have the new configuration.
func TestReloadBesideAStoppedWorker(t *testing.T) {
	t.Parallel()
	d, _, change := configured(t, "")
	pid := statusOf(t, d).Workers[1].PID
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGCONT)
	change("node: n2\n")
	got := odinctl(t, "reload", "--runtime-dir", d.Ready["runtime"])
	if got.Code != 0 || !strings.Contains(got.Stdout, "1 applied") || !strings.Contains(got.Stderr, "worker 1 did not answer") || strings.Contains(got.Stderr, "worker 0") {
		t.Errorf("%+v", got)
	}
}
