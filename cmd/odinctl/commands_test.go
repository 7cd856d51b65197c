package main

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// eachCommand visits all commands that the help offers.
func eachCommand(t *testing.T, visit func(t *testing.T, cmd *cobra.Command)) {
	t.Helper()
	p := program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	n := 0
	for _, cmd := range p.root().Commands() {
		if cmd.Hidden || cmd.Name() == "help" {
			continue
		}
		n++
		t.Run(cmd.Name(), func(t *testing.T) { visit(t, cmd) })
	}
	if n < 8 {
		t.Errorf("only %d commands", n)
	}
}

func TestEveryCommandIsExplained(t *testing.T) {
	t.Parallel()
	eachCommand(t, func(t *testing.T, cmd *cobra.Command) {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") || len(cmd.Short) > 60 {
			t.Errorf("in a line: %q", cmd.Short)
		}
		if !strings.HasPrefix(cmd.Long, cmd.Name()+" ") {
			t.Errorf("at length: %q", cmd.Long)
		}
		if cmd.Args == nil && cmd.ValidArgsFunction == nil {
			t.Error("nothing is said of its arguments")
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("--%s: %q", f.Name, f.Usage)
			}
		})
	})
}

// An example is a command line that would be taken.
func TestExamplesAreTaken(t *testing.T) {
	t.Parallel()
	eachCommand(t, func(t *testing.T, cmd *cobra.Command) {
		own := 0
		for line := range strings.Lines(cmd.Example) {
			if !strings.HasPrefix(line, "  ") {
				t.Errorf("not indented: %q", line)
			}
			_, words, ok := strings.Cut(line, "odinctl ")
			if !ok {
				t.Errorf("no odinctl in %q", line)
				continue
			}
			args := arguments(words)
			if args[0] != cmd.Name() {
				t.Errorf("an example of another command: %q", line)
				continue
			}
			own++
			if err := cmd.ParseFlags(args[1:]); err != nil {
				t.Errorf("%q: %v", line, err)
			}
			if cmd.Args != nil {
				if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil {
					t.Errorf("%q: %v", line, err)
				}
			}
		}
		if own == 0 {
			t.Error("no example")
		}
	})
}

// arguments are the words of a shell's simple command, up to what is the
// shell's own.
func arguments(line string) (words []string) {
	line = regexp.MustCompile(`[|<>)].*| #.*`).ReplaceAllString(strings.TrimSpace(line), "")
	for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1) {
		words = append(words, strings.Trim(word, "'"))
	}
	return words
}

func TestHelpFitsATerminal(t *testing.T) {
	t.Parallel()
	lines := [][]string{{"--help"}, {}}
	eachCommand(t, func(_ *testing.T, cmd *cobra.Command) {
		lines = append(lines, []string{cmd.Name(), "--help"}, []string{"help", cmd.Name()})
	})
	for _, line := range lines {
		var stdout, stderr strings.Builder
		p := program{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
		if code := p.run(line); code != 0 || stderr.Len() > 0 || stdout.Len() == 0 {
			t.Errorf("odinctl %s: exit code %d, %s", line, code, stderr.String())
		}
		for text := range strings.Lines(stdout.String()) {
			if len([]rune(text)) > 81 {
				t.Errorf("odinctl %s: more than 80 columns: %s", line, text)
			}
		}
	}
}
