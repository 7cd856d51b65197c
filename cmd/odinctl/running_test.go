package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	got := odinctl(t, "status", "--runtime-dir", d.Ready["runtime"])
	if got.Code != 0 || got.Stderr != "" || !strings.Contains(got.Stdout, clitest.Version) {
		t.Fatalf("%+v", got)
	}
	for line := range strings.Lines(got.Stdout) {
		if len([]rune(line)) > columns+1 {
			t.Errorf("more than %d columns: %s", columns, line)
		}
	}
	var s statusJSON
	clitest.Eventually(t, "both workers are ready", func() bool {
		s = statusOf(t, d)
		return s.State == "ready"
	})
	if s.PID != d.Pid() || s.Version != clitest.Version || len(s.Workers) != 2 || len(s.Partitions) != 96 {
		t.Errorf("status %+v", s)
	}
	if "ws://"+s.Listen+"/ws" != d.Ready["ws"] || !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(s.Digest) {
		t.Errorf("listen %q, digest %q", s.Listen, s.Digest)
	}
}

// A terminal's width is used, and is never too little.
func TestStatusUsesTheWidth(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	for columns, words := range map[int]string{140: "  RESPAWNS  ", 80: "  OWNS  ", 60: "  DELIVERIES  "} {
		x := bin.StartTerminal(t, columns, 40, nil, "odinctl", "status", "--runtime-dir", d.Ready["runtime"])
		if code := x.Wait(); code != 0 || !strings.Contains(x.Written(), words) {
			t.Errorf("in %d columns: exit code %d, %q", columns, code, x.Written())
		}
		for line := range strings.Lines(x.Written()) {
			if n := len([]rune(strings.TrimRight(line, "\r\n"))); n > columns {
				t.Errorf("%d columns of %d: %q", n, columns, line)
			}
		}
	}
}

type statusJSON struct {
	Version, State, Listen string
	PID                    int
	Digest                 string `json:"config_digest"`
	Workers                []struct {
		PID            int
		HeartbeatAgeMS int64 `json:"heartbeat_age_ms"`
	}
	Partitions []struct{ Topic string }
}

func statusOf(t *testing.T, d *clitest.Demo) (s statusJSON) {
	t.Helper()
	got := odinctl(t, "status", "--json", "--runtime-dir", d.Ready["runtime"])
	if got.Code != 0 || got.Stderr != "" {
		t.Fatalf("%+v", got)
	}
	if err := json.Unmarshal([]byte(got.Stdout), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStatusWhileStopped: every process of odind is stopped, and status
// answers all the same.
func TestStatusWhileStopped(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	d.SignalAll(syscall.SIGSTOP)
	defer d.SignalAll(syscall.SIGCONT)
	clitest.Eventually(t, "the heartbeats have grown old", func() bool {
		s := statusOf(t, d)
		if len(s.Workers) != 2 || s.PID != d.Pid() {
			t.Fatalf("status %+v", s)
		}
		return s.Workers[0].HeartbeatAgeMS > 500 && s.Workers[1].HeartbeatAgeMS > 500
	})
}

func TestVersions(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	got := odinctl(t, "version", "--runtime-dir", d.Ready["runtime"])
	want := regexp.MustCompile(`^odinctl ` + clitest.Version + ` go\S+ linux/\S+\nodind ` + clitest.Version + `\n$`)
	if got.Code != 0 || got.Stderr != "" || !want.MatchString(got.Stdout) {
		t.Errorf("%+v", got)
	}
	got = odinctl(t, "version", "--json", "--runtime-dir", d.Ready["runtime"])
	var v versions
	if err := json.Unmarshal([]byte(got.Stdout), &v); err != nil || v != (versions{clitest.Version, clitest.Version}) {
		t.Errorf("%+v: %+v, %v", got, v, err)
	}
}

func publish(t *testing.T, d *clitest.Demo, stdin string, args ...string) clitest.Result {
	t.Helper()
	return bin.Run(t, clitest.Command{
		Program: "odinctl", Args: append([]string{"publish", "--brokers", d.Ready["broker"]}, args...), Stdin: stdin,
	})
}

// subscribed finds a worker that has a subscription.
var subscribed = regexp.MustCompile(`(?m)^odin_subscriptions\{worker="\d+"\} [1-9]`)

func metrics(t *testing.T, d *clitest.Demo) string {
	t.Helper()
	response, err := http.Get(d.Ready["operator"] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// sub starts a subscriber and waits until it has subscribed.
func sub(t *testing.T, d *clitest.Demo, args ...string) *clitest.Process {
	t.Helper()
	p := bin.Start(t, clitest.Command{Program: "odinctl", Args: append([]string{"sub", "--runtime-dir", d.Ready["runtime"]}, args...)})
	clitest.Eventually(t, "the subscription is there", func() bool { return subscribed.MatchString(metrics(t, d)) })
	return p
}

func TestPublishedRecordsReachSub(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	p := sub(t, d, "*.trade", "ETH.social")
	pos := regexp.MustCompile(`^odin\.\w+:\d+:\d+\n$`)
	for _, c := range []struct {
		args  []string
		stdin string
		want  string
	}{
		{[]string{"odin.trades", "BTC", `{ "price": 1 }`}, "", `BTC.trade odin.trades:\d+:\d+ \{"price":1\}`},
		{[]string{"odin.social", "ETH", "no JSON"}, "", `ETH.social odin.social:\d+:\d+ base64:bm8gSlNPTg==`},
		{[]string{"odin.trades", "SOL", "-"}, "{\"n\":1}\n", `SOL.trade odin.trades:\d+:\d+ \{"n":1\}`},
		{[]string{"odin.trades", "-"}, "DOT [1, 2]\n", `DOT.trade odin.trades:\d+:\d+ \[1,2\]`},
		{[]string{"-"}, "odin.social ETH \"a b\"", `ETH.social odin.social:\d+:\d+ "a b"`},
	} {
		got := publish(t, d, c.stdin, c.args...)
		if got.Code != 0 || got.Stderr != "" || !pos.MatchString(got.Stdout) {
			t.Fatalf("publish %q: %+v", c.args, got)
		}
		line := p.Line()
		if !regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3} `+c.want+`$`).MatchString(line) || !strings.Contains(line, strings.TrimSpace(got.Stdout)) {
			t.Errorf("publish %q (%s) prints %q, want %s", c.args, strings.TrimSpace(got.Stdout), line, c.want)
		}
	}
	p.Signal(syscall.SIGINT)
	if code, rest := p.Wait(); code != 0 || len(rest) != 0 || p.Stderr() != "" {
		t.Errorf("after ^C: exit %d, %q, %q", code, rest, p.Stderr())
	}
}

func TestPublishManyLines(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	var lines strings.Builder
	const many = 2_000
	for i := range many {
		fmt.Fprintf(&lines, "%d\n", i)
	}
	got := publish(t, d, lines.String(), "odin.balances", "BTC", "-", "--json")
	if got.Code != 0 || got.Stderr != "" {
		t.Fatalf("%+v", got)
	}
	n := 0
	for line := range strings.Lines(got.Stdout) {
		var receipt struct{ Pos string }
		if err := json.Unmarshal([]byte(line), &receipt); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(receipt.Pos, fmt.Sprintf(":%d", n)) {
			t.Fatalf("receipt %d is %s", n, receipt.Pos)
		}
		n++
	}
	if n != many {
		t.Errorf("%d receipts", n)
	}
}

func TestPublishFails(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	got := publish(t, d, "BTC 1\nBTC\nBTC 3\n", "odin.trades", "-")
	if got.Code != 1 || !strings.Contains(got.Stderr, "line 2: 1 words of 2, allowed: KEY VALUE") || strings.Count(got.Stdout, "\n") != 1 {
		t.Errorf("a short line: %+v", got)
	}
	got = publish(t, d, "", "odin.nothing", "BTC", "1")
	if got.Code != 1 || !strings.Contains(got.Stderr, "produce to odin.nothing") || got.Stdout != "" {
		t.Errorf("an unknown topic: %+v", got)
	}
	got = bin.Run(t, clitest.Command{Program: "odinctl", Args: []string{"publish", "odin.trades", "BTC", "1"}, Env: []string{"KAFKA_BROKERS=127.0.0.1:1"}})
	if got.Code != 1 || !strings.Contains(got.Stderr, "reach the brokers 127.0.0.1:1") || !strings.Contains(got.Stderr, "--brokers") {
		t.Errorf("no broker: %+v", got)
	}
}

func TestSubJSON(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	p := sub(t, d, "--json", "BTC.*")
	if got := publish(t, d, "", "odin.trades", "BTC", "{\n\"a\":\n[]}"); got.Code != 0 {
		t.Fatalf("%+v", got)
	}
	want := regexp.MustCompile(`^\{"type":"message","channel":"BTC\.trade","pos":"odin\.trades:\d+:\d+","ts":\d{13},"data":\{"a":\[\]\}\}$`)
	if line := p.Line(); !want.MatchString(line) {
		t.Errorf("line %q", line)
	}
}

func TestSubEndsWithOdind(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	p := sub(t, d, "BTC.trade")
	d.Signal(syscall.SIGTERM)
	code, rest := p.Wait()
	if code != 1 || len(rest) != 0 || !strings.Contains(p.Stderr(), "odind closed the connection: 1001 ") || !strings.Contains(p.Stderr(), "try again in ") {
		t.Errorf("exit %d, %q, %q", code, rest, p.Stderr())
	}
	if code, _ := d.Wait(); code != 0 {
		t.Errorf("odind ends with %d", code)
	}
}

func TestSubRefused(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	got := odinctl(t, "sub", "--runtime-dir", d.Ready["runtime"], "nodot", "two.dots.here")
	if got.Code != 1 || got.Stdout != "" {
		t.Fatalf("%+v", got)
	}
	for _, want := range []string{`"nodot" is not subscribed: bad_channel: `, `"two.dots.here" is not subscribed: bad_channel: `, "\nodinctl: odind took none of the channels\n"} {
		if !strings.Contains(got.Stderr, want) {
			t.Errorf("no %q in %q", want, got.Stderr)
		}
	}
	p := sub(t, d, "nodot", "*.trade")
	p.Signal(syscall.SIGTERM)
	if code, _ := p.Wait(); code != 0 || !strings.Contains(p.Stderr(), `"nodot" is not subscribed`) {
		t.Errorf("exit %d, %q", code, p.Stderr())
	}
}
