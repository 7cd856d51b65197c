package main

import (
	"runtime"
	"strings"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

func TestBadUsage(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"chek":                   `odind: unknown command "chek", did you mean "check"?; see odind --help`,
		"frobnicate":             `odind: unknown command "frobnicate"; see odind --help`,
		"--lisen :1":             `odind: unknown flag --lisen, did you mean "--listen"?; see odind --help`,
		"check --log-leve debug": `odind: unknown flag --log-leve, did you mean "--log-level"?; see odind check --help`,
		"--zzz":                  `odind: unknown flag --zzz; see odind --help`,
		"-z":                     `odind: unknown flag -z; see odind --help`,
		"--listen":               `odind: --listen needs a value; see odind --help`,
		"check now":              `odind: "now" is too much, allowed: no arguments; see odind check --help`,
		"demo 10":                `odind: "10" is too much, allowed: no arguments; see odind demo --help`,
		"version --json":         `odind: unknown flag --json; see odind version --help`,
		"demo --rate fast":       `odind: --rate: "fast" is no number; see odind demo --help`,
		"demo --rate -1":         `odind: --rate: -1 is out of range, allowed: 0 to 1000000; see odind demo --help`,
		"demo --rate NaN":        `odind: --rate: NaN is out of range, allowed: 0 to 1000000; see odind demo --help`,
		"demo --seed 1.5":        `odind: --seed: "1.5" is no whole number; see odind demo --help`,
		"demo --brokers a:1":     `odind: unknown flag --brokers`,
		"help frobnicate":        `odind: unknown command "frobnicate"; see odind --help`,
		"completion bash":        `odind: unknown command "completion"; see odind --help`,
		"upgrade":                `odind: unknown command "upgrade"; see odind --help`,
	} {
		got := odind(t, strings.Fields(line)...)
		if got.Code != 2 || got.Stdout != "" || !strings.HasPrefix(got.Stderr, want) || strings.Count(got.Stderr, "\n") != 1 {
			t.Errorf("odind %s: exit %d, %q, %q; want 2 and %q", line, got.Code, got.Stdout, got.Stderr, want)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for line, wants := range map[string][]string{
		"--help":      {"check", "demo", "version", "--config FILE", "--brokers HOST:PORT", "--workers N"},
		"help":        {"check", "demo", "version"},
		"help demo":   {"--rate N", "--seed N", "--broker-listen HOST:PORT"},
		"check -h":    {"--config FILE", "--log-level LEVEL", "debug, info, warn, error"},
		"demo --help": {"--runtime-dir DIR"},
	} {
		got := odind(t, strings.Fields(line)...)
		if got.Code != 0 || got.Stderr != "" {
			t.Errorf("odind %s: exit %d, %s", line, got.Code, got.Stderr)
		}
		for _, want := range wants {
			if !strings.Contains(strings.Join(strings.Fields(got.Stdout), " "), want) {
				t.Errorf("odind %s lacks %q:\n%s", line, want, got.Stdout)
			}
		}
		for _, unwanted := range []string{"worker ", "completion", "upgrade", "reload"} {
			if strings.Contains(got.Stdout, "\n  "+unwanted) {
				t.Errorf("odind %s shows %q:\n%s", line, unwanted, got.Stdout)
			}
		}
		for text := range strings.Lines(got.Stdout) {
			if len([]rune(text)) > 81 {
				t.Errorf("odind %s: more than 80 columns: %s", line, text)
			}
		}
	}
	if got := odind(t, "demo", "--help"); strings.Contains(got.Stdout, "--brokers") {
		t.Error("the demo's help has --brokers")
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	want := "odind " + clitest.Version + " " + runtime.Version() + " linux/" + runtime.GOARCH + "\n"
	if got := odind(t, "version"); got.Code != 0 || got.Stdout != want || got.Stderr != "" {
		t.Errorf("%+v, want %q", got, want)
	}
}

func TestWorkerByHand(t *testing.T) {
	t.Parallel()
	got := odind(t, "worker")
	if got.Code != 2 || got.Stdout != "" || !strings.Contains(got.Stderr, "only the supervisor starts workers") {
		t.Errorf("%+v", got)
	}
}
