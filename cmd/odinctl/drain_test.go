package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/odin-ws/odin/cmd/internal/clitest"
	"github.com/odin-ws/odin/internal/status"
)

// ctl runs odinctl against a demo.
func ctl(t *testing.T, d *clitest.Demo, args ...string) clitest.Result {
	t.Helper()
	return odinctl(t, append(args, "--runtime-dir", d.Ready["runtime"])...)
}

// clients connect, and stay.
func clients(t *testing.T, d *clitest.Demo, n int) {
	t.Helper()
	for range n {
		conn, _, err := websocket.DefaultDialer.Dial(d.Ready["ws"], nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		go func() { // gorilla answers the close
			for {
				if _, _, err := conn.ReadMessage(); err != nil {
					conn.Close()
					return
				}
			}
		}()
	}
}

func readyz(t *testing.T, d *clitest.Demo) int {
	t.Helper()
	resp, err := http.Get(d.Ready["operator"] + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestDrainAndUndrain(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	clients(t, d, 8)
	if got := ctl(t, d, "undrain"); got.Code != 0 || got.Stdout != "odind was not draining: nothing has changed\n" {
		t.Errorf("undrain without a drain: %+v", got)
	}
	got := ctl(t, d, "drain", "--over", "1h")
	if got.Code != 0 || got.Stderr != "" || !strings.HasPrefix(got.Stdout, "draining: 0 of 8 sessions closed, 8 left, ") || !strings.Contains(got.Stdout, "odinctl undrain takes it back") {
		t.Fatalf("%+v", got)
	}
	if code := readyz(t, d); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz says %d", code)
	}
	if got := ctl(t, d, "status"); !strings.Contains(got.Stdout, "   draining   ") || !strings.Contains(got.Stdout, " of 8 sessions closed   ") {
		t.Errorf("status:\n%s", got.Stdout)
	}
	if got := ctl(t, d, "drain"); got.Code != 0 || !strings.HasPrefix(got.Stdout, "draining already: ") || !strings.Contains(got.Stdout, "59m") {
		t.Errorf("again: %+v", got)
	}
	got = ctl(t, d, "drain", "--over", "0", "--wait")
	lines := strings.Split(strings.TrimSpace(got.Stdout), "\n")
	if got.Code != 0 || got.Stderr != "" || !strings.HasPrefix(lines[len(lines)-1], "drained") || !strings.HasSuffix(got.Stdout, ": 8 of 8 sessions closed, none left\n") {
		t.Fatalf("%+v", got)
	}
	if got := ctl(t, d, "drain", "--wait"); got.Code != 0 || got.Stdout != "drained: 8 of 8 sessions closed, none left\n" {
		t.Errorf("of what is drained: %+v", got)
	}
	if got := ctl(t, d, "undrain"); got.Code != 0 || got.Stdout != "undrained: new sessions are taken again\n" {
		t.Errorf("%+v", got)
	}
	clitest.Eventually(t, "sessions are taken again", func() bool {
		conn, _, err := websocket.DefaultDialer.Dial(d.Ready["ws"], nil)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
	if code := readyz(t, d); code != http.StatusOK {
		t.Errorf("/readyz says %d", code)
	}
}

func TestDrainJSON(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	clients(t, d, 3)
	var now status.Drain
	got := ctl(t, d, "drain", "--json")
	if err := json.Unmarshal([]byte(got.Stdout), &now); err != nil || got.Code != 0 || now.SessionsAtStart != 3 || now.OverS != 60 || now.StartedTS == 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	got = ctl(t, d, "drain", "--json", "--wait", "--over", "50ms")
	var last string
	for line := range strings.Lines(got.Stdout) {
		if err := json.Unmarshal([]byte(line), &now); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		last = line
	}
	if got.Code != 0 || !now.Done || now.SessionsLeft != 0 || now.SessionsClosed != 3 || now.EtaS != 0 {
		t.Errorf("exit %d, the last line is %s", got.Code, last)
	}
	for _, want := range []string{`{"was_draining":true}`, `{"was_draining":false}`} {
		got := ctl(t, d, "undrain", "--json")
		if text := strings.Join(strings.Fields(got.Stdout), ""); got.Code != 0 || text != want {
			t.Errorf("undrain: %+v, want %s", got, want)
		}
	}
}

// waiting starts drain --wait that has long to wait.
func waiting(t *testing.T, d *clitest.Demo) *clitest.Process {
	t.Helper()
	clients(t, d, 2)
	p := bin.Start(t, clitest.Command{Program: "odinctl", Args: []string{"drain", "--over", "1h", "--wait", "--runtime-dir", d.Ready["runtime"]}})
	if line := p.Line(); !strings.HasPrefix(line, "draining: 0 of 2 sessions closed, 2 left, ") {
		t.Fatalf("%q", line)
	}
	return p
}

// The waiting ends without success when the drain does.
func TestDrainWaitFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(t *testing.T, d *clitest.Demo, p *clitest.Process)
		want string
	}{
		"undrained": {func(t *testing.T, d *clitest.Demo, _ *clitest.Process) {
			if got := ctl(t, d, "undrain"); got.Code != 0 {
				t.Errorf("%+v", got)
			}
		}, "odinctl: the drain was taken back: new sessions are taken again; there are 2 sessions\n"},
		"stopped": {func(_ *testing.T, d *clitest.Demo, _ *clitest.Process) { d.Signal(syscall.SIGTERM) }, "before it was drained"},
		"killed":  {func(_ *testing.T, d *clitest.Demo, _ *clitest.Process) { d.Signal(syscall.SIGKILL) }, "odind has ended before it was drained"},
		"^C": {
			func(_ *testing.T, _ *clitest.Demo, p *clitest.Process) { p.Signal(syscall.SIGINT) },
			"odinctl: waiting no longer: the drain goes on, 2 sessions left; odinctl drain --wait watches it, odinctl undrain takes it back\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := quiet(t)
			p := waiting(t, d)
			c.do(t, d, p)
			if code, _ := p.Wait(); code != exitFailed || !strings.Contains(p.Stderr(), c.want) {
				t.Errorf("exit %d, %q, want %q", code, p.Stderr(), c.want)
			}
		})
	}
}

// On a terminal it is one line, which ends with the waiting.
func TestDrainWaitOnATerminal(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	clients(t, d, 2)
	x := bin.StartTerminal(t, 72, 10, nil, "odinctl", "drain", "--over", "1h", "--wait", "--runtime-dir", d.Ready["runtime"])
	x.Shows("draining: 0 of 2 sessions closed, 2 left, ")
	x.Shows("s gone, ")
	if got := ctl(t, d, "drain", "--over", "0"); got.Code != 0 {
		t.Errorf("%+v", got)
	}
	if code := x.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	screen := strings.TrimRight(x.Screen(), " \n")
	if strings.Count(screen, "\n") != 0 || !strings.HasPrefix(screen, "drained after ") || !strings.HasSuffix(x.Written(), "\n") {
		t.Errorf("the screen says %q", screen)
	}
}

// The progress is read from shared memory alone.
func TestDrainWaitWhileStopped(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	p := waiting(t, d)
	d.SignalAll(syscall.SIGSTOP)
	defer d.SignalAll(syscall.SIGCONT)
	for {
		line := p.Line()
		if !strings.HasPrefix(line, "draining: 0 of 2 sessions closed, 2 left, ") {
			t.Fatalf("%q", line)
		}
		if strings.HasSuffix(line, ": stopped, or the machine hangs") {
			return
		}
	}
}

func TestDrainRefused(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"drain 1":          `odinctl: "1" is too much: all of odind is drained, this version can't drain one worker; see odinctl drain --help`,
		"drain --over 61m": `odinctl: --over: 1h1m0s is out of range, allowed: 0 to 1h; see odinctl drain --help`,
		"drain --over -1s": `odinctl: --over: -1s is out of range, allowed: 0 to 1h; see odinctl drain --help`,
		"drain --over 60":  `odinctl: --over: "60" is no duration, like 90s or 1h30m; see odinctl drain --help`,
		"undrain 1":        `odinctl: "1" is too much, allowed: no arguments; see odinctl undrain --help`,
	} {
		if got := odinctl(t, strings.Fields(line)...); got.Code != 2 || got.Stdout != "" || got.Stderr != want+"\n" {
			t.Errorf("odinctl %s: %+v, want %q", line, got, want)
		}
	}
	for _, line := range []string{"drain", "drain --wait", "undrain"} {
		if got := odinctl(t, append(strings.Fields(line), "--runtime-dir", t.TempDir())...); got.Code != exitNone {
			t.Errorf("odinctl %s without odind: %+v", line, got)
		}
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	at := func(left int64) status.Status {
		return status.Status{Sessions: left, Drain: &status.Drain{
			ElapsedS: 20, EtaS: 40, SessionsAtStart: 9, SessionsClosed: 9 - left, SessionsLeft: left, Done: left == 0,
		}}
	}
	for name, c := range map[string]struct {
		progress
		every time.Duration
		want  string
	}{
		"terminal": {progress{columns: 80}, drainLook, "\r\x1b[Kdraining: 7 of 9 sessions closed, 2 left, 20s gone, 40s to go" +
			"\r\x1b[Kdraining: 8 of 9 sessions closed, 1 left, 20s gone, 40s to go\r\x1b[Kdrained after 20s: 9 of 9 sessions closed, none left\n"},
		"narrow": {progress{columns: 20}, drainLook, strings.Repeat("\r\x1b[Kdraining: 7 of 9 s…", 1) + "\r\x1b[Kdraining: 8 of 9 s…\r\x1b[Kdrained after 20s:…\n"},
		"pipe":   {progress{}, drainLook, "draining: 7 of 9 sessions closed, 2 left, 20s gone, 40s to go\ndrained after 20s: 9 of 9 sessions closed, none left\n"},
		"slow pipe": {progress{}, drainLine, "draining: 7 of 9 sessions closed, 2 left, 20s gone, 40s to go\ndraining: 8 of 9 sessions closed, 1 left, 20s gone, 40s to go\n" +
			"drained after 20s: 9 of 9 sessions closed, none left\n"},
	} {
		var out strings.Builder
		c.out = &out
		now := time.Unix(1000, 0)
		for left := int64(2); left >= 0; left-- {
			if err := c.next(now, at(left)); err != nil {
				t.Fatal(err)
			}
			now = now.Add(c.every)
		}
		if err := c.end(); err != nil || out.String() != c.want {
			t.Errorf("%s: %q, want %q; %v", name, out.String(), c.want, err)
		}
	}
	warned := at(1)
	warned.Warnings = []string{"worker 1: gone\x1b"}
	if line, err := (&progress{}).line(warned); err != nil || !strings.HasSuffix(line, "40s to go; worker 1: gone?") {
		t.Errorf("%q, %v", line, err)
	}
}
