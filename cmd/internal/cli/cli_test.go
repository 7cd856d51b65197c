package cli

import (
	"errors"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/config"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	build := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}
	for _, c := range []struct {
		linked string
		info   *debug.BuildInfo
		want   string
	}{
		{"v1.2.3-4-gabc", build("v9", revision), "v1.2.3-4-gabc"},
		{"", build("v1.0.0"), "v1.0.0"},
		{"", build("(devel)", revision), "0123456789ab"},
		{"", build("", revision, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "0123456789ab-dirty"},
		{"", build("", revision, debug.BuildSetting{Key: "vcs.modified", Value: "false"}), "0123456789ab"},
		{"", build("", debug.BuildSetting{Key: "vcs.revision", Value: "012"}), "012"},
		{"", build("(devel)"), "unknown"},
		{"", nil, "unknown"},
	} {
		if got := version(c.linked, c.info); got != c.want {
			t.Errorf("%q, %+v: %q, want %q", c.linked, c.info, got, c.want)
		}
	}
	if got := Version("v1"); got != "v1" {
		t.Errorf("linked v1: %q", got)
	}
}

func TestConfigFlagsAreTheTable(t *testing.T) {
	t.Parallel()
	set := pflag.NewFlagSet("x", pflag.ContinueOnError)
	ConfigFlags(set, "brokers")
	want := []string{"config"}
	for _, k := range config.Keys() {
		if k.Flag != "" && k.Flag != "brokers" {
			want = append(want, k.Flag)
		}
	}
	for _, name := range want {
		f := set.Lookup(name)
		if f == nil || f.Usage == "" || f.Value.Type() == "" {
			t.Errorf("--%s is %+v", name, f)
		}
	}
	if set.Lookup("brokers") != nil {
		t.Error("--brokers is there")
	}
}

func TestInputHoldsWhatWasGiven(t *testing.T) {
	t.Setenv("ODIN_NODE", "n1")
	set := pflag.NewFlagSet("x", pflag.ContinueOnError)
	ConfigFlags(set)
	set.Bool("json", false, "")
	if err := set.Parse([]string{"--config", "a.yaml", "--listen", "", "--start=5m", "--json"}); err != nil {
		t.Fatal(err)
	}
	in := Input(set)
	if want := map[string]string{"config": "a.yaml", "listen": "", "start": "5m", "json": "true"}; in.File != "a.yaml" || !reflect.DeepEqual(in.Flags, want) {
		t.Errorf("file %q, flags %v", in.File, in.Flags)
	}
	if !strings.Contains(strings.Join(in.Env, "\n"), "ODIN_NODE=n1") || in.Host.Files == 0 {
		t.Error("no environment, or no host")
	}
}

// tree is a program like ours.
func tree() *cobra.Command {
	root := Root(&cobra.Command{Use: "prog", RunE: func(*cobra.Command, []string) error { return nil }})
	run := func(*cobra.Command, []string) error { return nil }
	root.AddCommand(
		&cobra.Command{Use: "send A B", Args: Exactly("A", "B"), RunE: run},
		&cobra.Command{Use: "many X...", Args: AtLeast("X"), RunE: run},
		&cobra.Command{Use: "secret", Hidden: true, RunE: run},
	)
	root.Flags().Int("count", 0, "")
	root.PersistentFlags().Bool("json", false, "")
	return root
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":              "",
		"send 1 2":      "",
		"many 1 2 3":    "",
		"--count 3":     "",
		"help send":     "",
		"sned":          `unknown command "sned", did you mean "send"?; see prog --help`,
		"secre":         `unknown command "secre"; see prog --help`,
		"send 1":        `B is missing, allowed: A B; see prog send --help`,
		"send 1 2 3":    `"3" is too much, allowed: A B; see prog send --help`,
		"many":          `X is missing; see prog many --help`,
		"--count":       `--count needs a value; see prog --help`,
		"--cuont 1":     `unknown flag --cuont, did you mean "--count"?; see prog --help`,
		"--send":        `unknown flag --send, did you mean "prog send"?; see prog --help`,
		"--secret":      `unknown flag --secret; see prog --help`,
		"many --jsn 1":  `unknown flag --jsn, did you mean "--json"?; see prog many --help`,
		"--count x":     `--count: "x" is no whole number; see prog --help`,
		"--json=x":      `--json: "x" is no true or false; see prog --help`,
		"-q":            `unknown flag -q; see prog --help`,
		"help nothing":  `unknown command "nothing"; see prog --help`,
		"help send ads": "",
	} {
		root := tree()
		root.SetArgs(strings.Fields(line))
		root.SetOut(&strings.Builder{})
		err := root.Execute()
		var usage *UsageError
		if want == "" && err == nil {
			continue
		}
		if !errors.As(err, &usage) || usage.Error() != want {
			t.Errorf("prog %s: %v, want %s", line, err, want)
		}
	}
}
