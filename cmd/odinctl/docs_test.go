package main

import (
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/cmd/internal/clitest"
	"github.com/odin-ws/odin/internal/control"
)

// TestCommandsOfThePage runs what docs/OPERATIONS.md shows of sessions and
// channels.
func TestCommandsOfThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "### Who is connected")
	part, _, ok := strings.Cut(rest, "\n## ")
	lines := regexp.MustCompile(`(?m)^odinctl ((?:conns|channels|explain)\b[^#\n]*)`).FindAllStringSubmatch(part, -1)
	if !ok || len(lines) < 10 {
		t.Fatalf("%d commands", len(lines))
	}
	d := quiet(t)
	connected := map[int]bool{}
	clitest.Eventually(t, "worker 0 has a session", func() bool {
		connect(t, d)
		list, _ := conns(t, d)
		for _, c := range list {
			connected[c.Worker] = true
		}
		return connected[0]
	})
	for _, line := range lines {
		args := strings.Fields(strings.ReplaceAll(line[1], "'", ""))
		got := odinctl(t, append(args, "--runtime-dir", d.Ready["runtime"])...)
		if got.Code != 0 || got.Stdout == "" || got.Stderr != "" {
			t.Errorf("odinctl %s: %+v", line[1], got)
		}
	}
}

// TestReasonsOfThePage: each reason is explained.
func TestReasonsOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "| `--reason` |")
	table, _, _ := strings.Cut(rest, "\n\n")
	for _, e := range strings.Split(joined(control.Endings()), ", ") {
		if !strings.Contains(table, "`"+e+"`") {
			t.Errorf("docs/OPERATIONS.md does not explain %s", e)
		}
	}
}

// TestTableOfThePage: what the page shows is what odinctl prints.
func TestTableOfThePage(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	ended := func(id string, remote string, ago, lasted time.Duration, c control.Connection) control.Connection {
		c.ID, _ = control.ParseSessionID(id)
		c.Remote = netip.MustParseAddrPort(remote)
		c.ClosedMS = now.Add(-ago).UnixMilli()
		c.OpenedMS = now.Add(-ago - lasted).UnixMilli()
		return c
	}
	list := []control.Connection{
		ended("0-1-8814", "192.0.2.17:51234", 3100*time.Millisecond, 728*time.Second, control.Connection{
			Records: 210_334, OwedBytes: 1 << 20, Code: 4000, Reason: control.SlowConsumer,
		}),
		ended("1-1-8790", "192.0.2.4:40022", 62*time.Second, 251*time.Minute, control.Connection{
			Records: 88_012, Code: 1000, Reason: control.ClientClosed, Detail: `code 1000 "bye"`,
		}),
	}
	page, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(connsText(list, connsTotal{Shown: 2, Matching: 2, Looked: 2}, true, now, columns), "\n")
	if !strings.Contains(string(page), "```\n"+want+"\n```\n") {
		t.Errorf("docs/OPERATIONS.md does not show\n%s", want)
	}
}
