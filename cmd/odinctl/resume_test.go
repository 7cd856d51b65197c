package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/cmd/internal/clitest"
)

// said waits until a process has said something on standard error.
func said(t *testing.T, p *clitest.Process, want string) {
	t.Helper()
	clitest.Eventually(t, "it says "+want, func() bool { return strings.Contains(p.Stderr(), want) })
}

// publishMany publishes numbered trades, and wants them printed.
func publishMany(t *testing.T, d *clitest.Demo, values ...string) {
	t.Helper()
	for _, value := range values {
		if got := publish(t, d, "", "odin.trades", "BTC", value); got.Code != 0 {
			t.Fatalf("%+v", got)
		}
	}
}

func printed(t *testing.T, p *clitest.Process, values ...string) {
	t.Helper()
	for _, value := range values {
		if line := p.Line(); !strings.HasSuffix(line, " "+value) {
			t.Errorf("line %q, want %s", line, value)
		}
	}
}

// wantsEnd ends a sub, and wants nothing more of it.
func wantsEnd(t *testing.T, p *clitest.Process) {
	t.Helper()
	p.Signal(syscall.SIGTERM)
	if code, rest := p.Wait(); code != 0 || len(rest) != 0 {
		t.Errorf("exit %d, %q, %q", code, rest, p.Stderr())
	}
}

func TestSubGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	file := filepath.Join(t.TempDir(), "trades.place")
	p := sub(t, d, "*.trade", "BTC.social", "--resume", file)
	publishMany(t, d, "1", "2")
	printed(t, p, "1", "2")
	wantsEnd(t, p)
	if got := p.Stderr(); got != "odinctl: "+file+" holds no place yet: records come from now on\n" {
		t.Errorf("it says %q", got)
	}

	publishMany(t, d, "3", "4", "5")
	p = sub(t, d, "BTC.social", "*.trade", "--resume", file) // in any order
	printed(t, p, "3", "4", "5")
	said(t, p, "odinctl: resumed: 3 records were missed and have been printed; nothing is missing\n")

	for _, pid := range d.Children() { // both workers
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	publishMany(t, d, "6")
	printed(t, p, "6")
	said(t, p, "; again in ")
	clitest.Eventually(t, "it resumes", func() bool { return strings.Count(p.Stderr(), "odinctl: resumed: ") == 2 })
	wantsEnd(t, p)
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); len(left) != 1 {
		t.Errorf("files: %q", left)
	}

	again := quiet(t) // another log
	p = sub(t, again, "*.trade", "BTC.social", "--resume", file)
	said(t, p, "odinctl: not resumed: a topic was made anew or truncated; records may be missing before the next one\n")
	publishMany(t, again, "7")
	printed(t, p, "7")
	wantsEnd(t, p)
}

// What is killed may print a record twice, but leaves none out.
func TestSubIsKilled(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	file := filepath.Join(t.TempDir(), "place")
	p := sub(t, d, "--json", "BTC.trade", "--resume", file)
	publishMany(t, d, "1", "2")
	for range 2 {
		p.Line()
	}
	clitest.Eventually(t, "the place is kept", func() bool {
		text, _ := os.ReadFile(file)
		return regexp.MustCompile(`^\{"channels":\["BTC\.trade"\],"cursor":\{"odin\.trades":\{"epoch":"[^"]+","offsets":\[(-?\d+,)*1(,-?\d+)*\]\}\}\}\n$`).Match(text)
	})
	p.Signal(syscall.SIGKILL)
	p.Wait()
	publishMany(t, d, "3")
	p = sub(t, d, "--json", "BTC.trade", "--resume", file)
	if line := p.Line(); !strings.HasSuffix(line, `"data":3}`) {
		t.Errorf("line %q", line)
	}
	wantsEnd(t, p)
}

func TestRecoveryInWords(t *testing.T) {
	for reason, want := range map[string]string{
		"epoch": "made anew", "trimmed": "no longer has", "limit": "in one piece", "unavailable": "proven", "too_large": "don't fit",
		"refused": `does not take the place: \u001bno`, "later": "not resumed: later;",
	} {
		if got := recovery(odin.Recovery{Reason: reason, Message: "\x1bno"}); !strings.Contains(got, want) || !strings.Contains(got, "may be missing") {
			t.Errorf("%s: %q", reason, got)
		}
	}
	if got := recovery(odin.Recovery{Recovered: true, Replayed: 7}); got != "resumed: 7 records were missed and have been printed; nothing is missing" {
		t.Errorf("%q", got)
	}
}
