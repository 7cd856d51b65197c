package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

func TestLogsLevel(t *testing.T) {
	t.Parallel()
	d := bin.StartDemo(t, "--rate", "0")
	levels := func(want string, args ...string) {
		t.Helper()
		got := odinctl(t, append(args, "--runtime-dir", d.Ready["runtime"])...)
		if got.Code != 0 || got.Stderr != "" || got.Stdout != want {
			t.Errorf("odinctl %v: %+v, want %q", args, got, want)
		}
	}
	levels("supervisor   info\nworker 0     info\nworker 1     info\n", "logs-level")
	levels("worker 1     debug\n", "logs-level", "debug", "--process", "1")
	levels("supervisor   info\nworker 0     info\nworker 1     debug\n", "logs-level")
	levels("supervisor   error\n", "logs-level", "error", "--process", "supervisor")
	levels("supervisor   warn\nworker 0     warn\nworker 1     warn\n", "logs-level", "warn")
	got := odinctl(t, "logs-level", "debug", "--json", "--runtime-dir", d.Ready["runtime"])
	var found levelsInForce
	if err := json.Unmarshal([]byte(got.Stdout), &found); err != nil || len(found.Levels) != 3 || found.Levels[2].Process != "1" || found.Levels[2].Level != "debug" || found.Missing == nil {
		t.Errorf("as JSON: %+v, %v", got, err)
	}
	// What they say is in force.
	conn := connect(t, d)
	if _, err := conn.NetConn().Write([]byte("\xff\xff\xff\xff\xff\xff\xff\xff")); err != nil {
		t.Fatal(err)
	}
	clitest.Eventually(t, "a debug line about the session", func() bool {
		return strings.Contains(d.Stderr(), `"msg":"closing: the client broke the protocol"`)
	})
	got = odinctl(t, "logs-level", "debug", "--process", "7", "--runtime-dir", d.Ready["runtime"])
	if got.Code != exitFailed || !strings.Contains(got.Stderr, `no process "7", allowed: supervisor, or a worker from 0 to 1`) {
		t.Errorf("%+v", got)
	}
	if got := odinctl(t, "logs-level", "--runtime-dir", t.TempDir()); got.Code != exitNone {
		t.Errorf("without odind: %+v", got)
	}
}

// A worker that is killed comes back at the level that was set.
func TestLogsLevelOfTheNextWorker(t *testing.T) {
	t.Parallel()
	d := bin.StartDemo(t, "--rate", "0")
	if got := odinctl(t, "logs-level", "error", "--runtime-dir", d.Ready["runtime"]); got.Code != 0 {
		t.Fatalf("%+v", got)
	}
	before := statusOf(t, d).Workers[0]
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	clitest.Eventually(t, "another worker in its place, at the same level", func() bool {
		got := odinctl(t, "logs-level", "--process", "0", "--runtime-dir", d.Ready["runtime"])
		return statusOf(t, d).Workers[0].PID != before.PID && got.Stdout == "worker 0     error\n"
	})
}
