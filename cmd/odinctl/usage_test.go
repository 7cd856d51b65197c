package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

func TestBadUsage(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"stauts":                `odinctl: unknown command "stauts", did you mean "status"?; see odinctl --help`,
		"--version":             `odinctl: unknown flag --version, did you mean "odinctl version"?; see odinctl --help`,
		"status --jsno":         `odinctl: unknown flag --jsno, did you mean "--json"?; see odinctl status --help`,
		"status now":            `odinctl: "now" is too much, allowed: no arguments; see odinctl status --help`,
		"sub":                   `odinctl: CHANNEL is missing; see odinctl sub --help`,
		"publish":               `odinctl: TOPIC is missing, allowed: TOPIC KEY VALUE; see odinctl publish --help`,
		"publish a b":           `odinctl: VALUE is missing, allowed: TOPIC KEY VALUE; see odinctl publish --help`,
		"publish a b c d":       `odinctl: "d" is too much, allowed: TOPIC KEY VALUE; see odinctl publish --help`,
		"publish --brokers x -": `--brokers: kafka.brokers: "x" is no address, allowed: HOST:PORT, like 127.0.0.1:9092, did you mean "x:9092"?`,
		"top --interval 5":      `odinctl: --interval: "5" is no duration, like 90s or 1h30m; see odinctl top --help`,
		"top --interval 5ms":    `odinctl: --interval: 5ms is out of range, allowed: 100ms to 1h; see odinctl top --help`,
		"top --interval 61m":    `odinctl: --interval: 1h1m0s is out of range, allowed: 100ms to 1h; see odinctl top --help`,
		"top -n -1":             `odinctl: --count: -1 is out of range, allowed: 0 and more; see odinctl top --help`,
		"top --view wokers":     `odinctl: --view: "wokers" is unknown, allowed: workers, partitions, clients, did you mean "workers"?; see odinctl top --help`,
		"top --sort lag":        `odinctl: --sort: "lag" is unknown, allowed: worker, sessions, owed, deliveries, cpu, turn; see odinctl top --help`,
		"completion":            `odinctl: SHELL is missing, allowed: SHELL; see odinctl completion --help`,
		"completion bsah":       `odinctl: SHELL: "bsah" is unknown, allowed: bash, zsh, fish, powershell, did you mean "bash"?; see odinctl completion --help`,
		"logs-level inof":       `odinctl: LEVEL: "inof" is unknown, allowed: debug, info, warn, error, did you mean "info"?; see odinctl logs-level --help`,
		"logs-level info debug": `odinctl: "debug" is too much, allowed: LEVEL; see odinctl logs-level --help`,
		"--runtime-dir":         `odinctl: --runtime-dir needs a value; see odinctl --help`,
		"help nothing":          `odinctl: unknown command "nothing"; see odinctl --help`,
	} {
		got := odinctl(t, strings.Fields(line)...)
		if got.Code != 2 || got.Stdout != "" || got.Stderr != want+"\n" {
			t.Errorf("odinctl %s: exit %d, %q, %q; want 2 and %q", line, got.Code, got.Stdout, got.Stderr, want)
		}
	}
}

// TestLaterCommandsAreUnknown: what is not built is not offered.
func TestLaterCommandsAreUnknown(t *testing.T) {
	t.Parallel()
	help := odinctl(t, "--help").Stdout
	for _, name := range strings.Fields("restart upgrade rebalance scale") {
		got := odinctl(t, name)
		if got.Code != 2 || !strings.HasPrefix(got.Stderr, `odinctl: unknown command "`+name+`"`) {
			t.Errorf("odinctl %s: %+v", name, got)
		}
		if strings.Contains(help, "\n  "+name+" ") {
			t.Errorf("the help offers %s", name)
		}
	}
	for _, name := range strings.Fields("status top reload conns channels explain logs-level pprof sub publish version completion help") {
		if !strings.Contains(help, "\n  "+name+" ") {
			t.Errorf("the help lacks %s:\n%s", name, help)
		}
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, shell := range shells() {
		if got := odinctl(t, "completion", shell); got.Code != 0 || !strings.Contains(got.Stdout, "odinctl") {
			t.Errorf("%s: exit %d, %d bytes, %s", shell, got.Code, len(got.Stdout), got.Stderr)
		}
	}
	d := quiet(t)
	const nothing, words, directories, files = ":4", ":4", ":16", ":0"
	for _, c := range []struct {
		line, begun string
		want        string // the first line
		kind        string
	}{
		{"", "st", "status\tShow workers, sessions, partitions and lag", words},
		{"status", "", "", nothing},
		{"status", "--js", "--json\tprint JSON", words},
		{"top", "--co", "--count\tprint N frames as plain text, and end", words},
		{"top --interval", "", "", nothing},
		{"top --view", "c", "clients", words},
		{"top --view clients --sort", "b", "blocked", words},
		{"completion", "po", "powershell", words},
		{"publish", "odin.tr", "odin.trades\t12 partitions", words},
		{"publish odin.trades", "", "", nothing},
		{"publish --config", "", "", files},
		{"sub", "*.l", "*.liquidity", words},
		{"sub *.trade", "*.s", "*.social", words},
		{"channels", "*.b", "*.balances", words},
		{"channels --sort", "r", "rate", words},
		{"conns --worker", "1", "1\tready, 0 sessions", words},
		{"conns --reason", "slow", "slow_consumer", words},
		{"pprof", "he", "heap", words},
		{"logs-level", "d", "debug", words},
		{"logs-level --process", "1", "1\tready, 0 sessions", words},
		{"pprof --process", "su", "supervisor", words},
		{"--runtime-dir", "", "", directories},
	} {
		args := append(append([]string{"__complete"}, strings.Fields(c.line)...), c.begun)
		got := bin.Run(t, clitest.Command{Program: "odinctl", Args: args, Env: []string{"ODIN_RUNTIME_DIR=" + d.Ready["runtime"]}})
		lines := strings.Split(strings.TrimSpace(got.Stdout), "\n")
		if c.want == "" && (len(lines) != 1 || lines[0] != c.kind) || c.want != "" && (len(lines) < 2 || lines[0] != c.want || lines[len(lines)-1] != c.kind) {
			t.Errorf("odinctl %s %s<Tab>: %q, want %q %s", c.line, c.begun, lines, c.want, c.kind)
		}
	}
}

func TestNoRunningOdind(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	for _, dir := range []string{empty, filepath.Join(empty, "nowhere")} {
		for _, command := range [][]string{{"status"}, {"status", "--json"}, {"sub", "BTC.trade"}, {"version"}, {"top"}, {"conns"}, {"drain"}, {"reload", "--json"}, {"explain", "a.b"}} {
			got := odinctl(t, append(command, "--runtime-dir", dir)...)
			if got.Code != 3 || !strings.Contains(got.Stderr, "no running odind found") || !strings.Contains(got.Stderr, dir) || !strings.Contains(got.Stderr, "--runtime-dir") {
				t.Errorf("odinctl %s in %s: %+v", command, dir, got)
			}
			if own := command[0] == "version"; own != strings.Contains(got.Stdout, clitest.Version) {
				t.Errorf("odinctl %s prints %q", command, got.Stdout)
			}
		}
	}
}

// TestForeignSegment: a file that is there but isn't odind's is a failure, not
// an absence.
func TestForeignSegment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, segmentName), []byte(strings.Repeat("x", 1<<16)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := odinctl(t, "status", "--runtime-dir", dir); got.Code != 1 || !strings.Contains(got.Stderr, "not a segment") {
		t.Errorf("%+v", got)
	}
}

// TestRuntimeDirIsFoundAsOdindFindsIt, and broken keys besides don't matter.
func TestRuntimeDirIsFoundAsOdindFindsIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "odin.yaml")
	if err := os.WriteFile(file, []byte("runtime_dir: /in/the/file\nworkers: broken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env, args []string
		want      string
	}{
		{[]string{"ODIN_CONFIG=" + file}, nil, "/in/the/file/stats.shm"},
		{[]string{"ODIN_CONFIG=" + file, "ODIN_RUNTIME_DIR=/of/the/variable"}, nil, "/of/the/variable/stats.shm"},
		{[]string{"ODIN_RUNTIME_DIR=/of/the/variable"}, []string{"--runtime-dir", "/of/the/flag"}, "/of/the/flag/stats.shm"},
		{[]string{"ODIN_WORKERS=broken"}, []string{"--runtime-dir", "/of/the/flag"}, "/of/the/flag/stats.shm"},
	} {
		got := bin.Run(t, clitest.Command{Program: "odinctl", Args: append(c.args, "status"), Env: c.env, Dir: dir})
		if got.Code != 3 || !strings.Contains(got.Stderr, c.want) {
			t.Errorf("%v %v: %+v, want %s", c.env, c.args, got, c.want)
		}
	}
	long := "/" + strings.Repeat("x", 200)
	if got := odinctl(t, "status", "--runtime-dir", long); got.Code != 2 || !strings.HasPrefix(got.Stderr, "--runtime-dir: runtime_dir: has 201 bytes") {
		t.Errorf("too long a directory: %+v", got)
	}
}
