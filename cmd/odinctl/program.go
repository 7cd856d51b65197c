package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/shm"
	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // refused or failed
	exitNone   = 3 // no running odind found
)

// program is one run of odinctl.
type program struct {
	version string
	stdin   io.Reader
	stdout  io.Writer // what was asked for
	stderr  io.Writer // what went wrong, or is told besides

	json bool // --json
}

// run executes a command line and returns the exit code.
func (p *program) run(args []string) int {
	root := p.root()
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		shorten(root)
	}
	root.SetArgs(args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	return p.exit(root.Execute())
}

func (p *program) root() *cobra.Command {
	root := cli.Root(&cobra.Command{
		Use:   "odinctl",
		Short: "Ask a running odind, listen to its channels, publish records for it",
		Long: `odinctl asks a running odind, listens to its channels and publishes records
for it. It finds odind by its runtime directory.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	})
	cli.KeyFlag(root.PersistentFlags(), "runtime-dir")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print JSON")
	root.AddCommand(
		p.statusCommand(),
		p.topCommand(),
		p.drainCommand(),
		p.undrainCommand(),
		p.reloadCommand(),
		p.connsCommand(),
		p.channelsCommand(),
		p.explainCommand(),
		p.subCommand(),
		p.publishCommand(),
		p.levelsCommand(),
		p.pprofCommand(),
		p.completionCommand(),
		p.versionCommand(),
	)
	completes(root)
	return root
}

// exit tells what failed and returns the exit code.
func (p *program) exit(err error) int {
	var mistakes config.Problems
	var usage *cli.UsageError
	var none noneError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &mistakes):
		fmt.Fprintln(p.stderr, mistakes.Error())
		return cli.ExitUsage
	case errors.As(err, &usage):
		fmt.Fprintln(p.stderr, "odinctl: "+usage.Error())
		return cli.ExitUsage
	case errors.As(err, &none), errors.Is(err, shm.ErrMissing), errors.Is(err, shm.ErrStale):
		fmt.Fprintln(p.stderr, "odinctl: no running odind found: "+err.Error())
		return exitNone
	}
	fmt.Fprintln(p.stderr, "odinctl: "+err.Error())
	return exitFailed
}

// print writes a line that was asked for.
func (p *program) print(format string, args ...any) error {
	_, err := fmt.Fprintf(p.stdout, format+"\n", args...)
	return err
}

func (p *program) printJSON(value any) error {
	out := json.NewEncoder(p.stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(value)
}
