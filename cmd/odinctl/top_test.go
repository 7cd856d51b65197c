package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

// topOf runs top in a terminal.
func topOf(t *testing.T, runtime string, args ...string) *clitest.Terminal {
	t.Helper()
	return bin.StartTerminal(t, 80, 24, nil, append([]string{"odinctl", "top", "--runtime-dir", runtime}, args...)...)
}

// leaves waits for the end, after which the terminal has to be as it was.
func leaves(t *testing.T, x *clitest.Terminal) {
	t.Helper()
	if code := x.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	all := x.Written()
	if strings.LastIndex(all, "\x1b[?1049l") < strings.LastIndex(all, "\x1b[?1049h") || strings.LastIndex(all, "\x1b[?25h") < strings.LastIndex(all, "\x1b[?25l") {
		t.Errorf("the terminal is not as it was: %q", all[max(0, len(all)-200):])
	}
}

func TestTop(t *testing.T) {
	t.Parallel()
	d := bin.StartDemo(t, "--rate", "50")
	sub(t, d, "*.trade")
	x := topOf(t, d.Ready["runtime"], "--interval", "200ms")
	for _, words := range []string{"odind " + clitest.Version + "   ready", "sessions    1   2 workers", "records/s", "odin.balances", "deliveries/s, the last", "[1 workers]", "? help"} {
		x.Shows(words)
	}
	clitest.Eventually(t, "deliveries and their latency", func() bool {
		screen := x.Screen()
		return !strings.Contains(screen, "deliveries  0/s") && !strings.Contains(screen, "deliveries  -") && !strings.Contains(screen, "p50 -")
	})
	for _, c := range []struct{ keys, shows string }{
		{"2", "1-16 of 96"},
		{"\x1b[6~", "15-30 of 96"},
		{"s", "s sort: lag"},
		{"3", "CLOSED/S"},
		{"?", "any other key"},
		{" x", "CLOSED/S"},
		{"p", "paused"},
		{"p+", "every 500ms"},
		{"1", "DELIV/S"},
	} {
		x.Type(c.keys)
		x.Shows(c.shows)
	}
	x.Resize(130, 30)
	x.Shows("BUSY")
	x.Type("q")
	leaves(t, x)
}

// TestTopWhileOdindComesAndGoes: every process is stopped; then another odind
// runs in the same directory.
func TestTopWhileOdindComesAndGoes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	first := bin.StartDemo(t, "--rate", "0", "--runtime-dir", dir)
	x := topOf(t, dir, "--interval", "100ms")
	x.Shows("   ready")
	first.SignalAll(syscall.SIGSTOP)
	x.Shows("no process of odind has shown a sign of life")
	first.SignalAll(syscall.SIGCONT)
	x.Shows("   ready")
	first.Signal(syscall.SIGTERM)
	x.Shows("odind is not running, waiting")
	x.Shows("last seen at")
	if code, _ := first.Wait(); code != 0 {
		t.Errorf("odind ends with %d", code)
	}
	second := bin.StartDemo(t, "--rate", "0", "--runtime-dir", dir, "--workers", "3")
	x.Shows("3 workers")
	x.Shows("   ready")
	second.Signal(syscall.SIGTERM)
	x.Shows("waiting")
	x.Signal(syscall.SIGTERM)
	leaves(t, x)
}

// TestTopUnderAShell stops and continues it as job control does.
func TestTopUnderAShell(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	x := bin.StartTerminal(t, 80, 24, []string{"PS1=ready> "}, "bash", "--norc", "-i")
	x.Shows("ready>")
	x.Type("odinctl top --runtime-dir " + d.Ready["runtime"] + "\n")
	x.Shows("? help")
	for range 2 {
		x.Type("\x1a")
		x.Shows("Stopped")
		x.Type("clear; stty -a | tr ' ;' '\\n\\n' | grep -c -x -e icanon -e echo\n")
		x.Shows("2\nready>")
		x.Type("fg\n")
		x.Shows("[1 workers]")
	}
	x.Type("3")
	x.Shows("[3 clients]")
	x.Type("\x03")
	x.Shows("ready>")
	x.Type("clear; echo code $?\n")
	x.Shows("code 0\nready>")
}

func TestTopEndsWithSignals(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		x := topOf(t, d.Ready["runtime"], "--interval", "1h")
		x.Shows("? help")
		x.Signal(syscall.SIGTSTP) // nobody could continue it: it goes on
		x.Type("2")
		x.Shows("[2 partitions]")
		x.Signal(sig)
		leaves(t, x)
	}
}

func TestTopWithoutATerminal(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	runtime := d.Ready["runtime"]
	got := odinctl(t, "top", "--runtime-dir", runtime, "--interval", "100ms", "-n", "3")
	if got.Code != 0 || got.Stderr != "" || strings.Count(got.Stdout, "\nlatency  ") != 3 || strings.ContainsAny(got.Stdout, "\x1b\r") {
		t.Errorf("%+v", got)
	}
	for line := range strings.Lines(got.Stdout) {
		if len([]rune(line)) > 81 || strings.HasSuffix(line, " \n") {
			t.Errorf("too long, or blanks at its end: %q", line)
		}
	}
	got = odinctl(t, "top", "--runtime-dir", runtime, "--interval", "100ms", "--once", "--view", "partitions", "--sort", "lag")
	if got.Code != 0 || got.Stderr != "" || strings.Count(got.Stdout, "\nodin.") != 96 || strings.Count(got.Stdout, "\nlatency  ") != 1 {
		t.Errorf("%+v", got)
	}
	p := bin.Start(t, clitest.Command{Program: "odinctl", Args: []string{"top", "--runtime-dir", runtime, "--interval", "100ms"}})
	for range 60 { // more than one frame
		p.Line()
	}
	p.Signal(syscall.SIGTERM)
	if code, _ := p.Wait(); code != 0 || p.Stderr() != "" {
		t.Errorf("exit code %d, %s", code, p.Stderr())
	}
}

// A terminal that can't move its cursor gets plain text, one that knows no
// colours none.
func TestTopOnPoorTerminals(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	command := []string{"odinctl", "top", "--interval", "100ms", "--runtime-dir", d.Ready["runtime"]}
	dumb := bin.StartTerminal(t, 100, 24, []string{"TERM=dumb"}, append(command, "-n", "2")...)
	if code := dumb.Wait(); code != 0 || strings.Contains(dumb.Written(), "\x1b") || strings.Count(dumb.Written(), "deliveries  ") != 2 {
		t.Errorf("a dumb one: exit code %d, %q", code, dumb.Written())
	}
	grey := bin.StartTerminal(t, 80, 24, []string{"NO_COLOR=1"}, command...)
	grey.Shows("deliveries/s, the last")
	grey.Type("q")
	leaves(t, grey)
	if regexp.MustCompile(`\x1b\[[34]\d(;\d+)*m`).MatchString(grey.Written()) {
		t.Errorf("colours in %q", grey.Written())
	}
}

func TestTopJSON(t *testing.T) {
	t.Parallel()
	d := bin.StartDemo(t, "--rate", "50")
	got := odinctl(t, "top", "--runtime-dir", d.Ready["runtime"], "--json", "--interval", "300ms", "-n", "3")
	if got.Code != 0 || got.Stderr != "" || strings.Count(got.Stdout, "\n") != 3 {
		t.Fatalf("%+v", got)
	}
	for line := range strings.Lines(got.Stdout) {
		var doc struct {
			Running bool
			Status  statusJSON
			Rates   struct {
				Interval   float64 `json:"interval_s"`
				Records    float64 `json:"records_per_s"`
				Partitions []struct{}
			}
		}
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatal(err)
		}
		if !doc.Running || doc.Status.PID != d.Pid() || doc.Rates.Interval < 0.1 || doc.Rates.Records <= 0 || len(doc.Rates.Partitions) != 96 {
			t.Errorf("document %s", line)
		}
	}
}

func TestTopNeedsAnOdindToBeginWith(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, more := range [][]string{nil, {"--once"}, {"--json"}} {
		got := odinctl(t, append([]string{"top", "--runtime-dir", dir}, more...)...)
		if got.Code != 3 || got.Stdout != "" || !strings.Contains(got.Stderr, "no running odind found") || !strings.Contains(got.Stderr, dir) {
			t.Errorf("%v: %+v", more, got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, segmentName), []byte(strings.Repeat("x", 1<<16)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := odinctl(t, "top", "--runtime-dir", dir); got.Code != 1 || !strings.Contains(got.Stderr, "not a segment") {
		t.Errorf("%+v", got)
	}
}
