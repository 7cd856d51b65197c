package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/status"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// draining is what drain was told.
type draining struct {
	over time.Duration
	wait bool
}

func (p *program) drainCommand() *cobra.Command {
	var d draining
	cmd := &cobra.Command{
		Use:   "drain",
		Short: "Take no new sessions, and close all evenly over a while",
		Long: `drain has odind take no new sessions and close those that it has, evenly over a
window, each with a time of its own to come back elsewhere. The listeners stay
open and answer 503, /readyz says 503, records are followed on, and no process
ends. So it stays until odinctl undrain, or until odind is stopped.

Of a drain that goes on, --over spreads what is left of it over another window;
without --over it is left as it is. --wait shows how far it is until no session
is left. ^C ends the waiting, not the drain.`,
		Example: "  odinctl drain --wait\n  odinctl drain --over 10m\n  odinctl drain --over 0     # at once",
		Args:    wholeOnly,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.drain(cmd, d) },
	}
	cmd.Flags().DurationVar(&d.over, "over", 0, "spread the closes over `TIME`, at most "+short(config.DrainOverMax)+" (default: limits.drain_ms, 60s)")
	cmd.Flags().BoolVar(&d.wait, "wait", false, "wait until no session is left, and show how far it is")
	return cmd
}

// wholeOnly says what is meant by no argument.
func wholeOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return cli.Usage(cmd, "%q is too much: all of odind is drained, this version can't drain one worker", args[0])
}

// short writes 1h0m0s as 1h.
func short(d time.Duration) string { return fmt.Sprintf("%gh", d.Hours()) }

func (p *program) drain(cmd *cobra.Command, d draining) error {
	request := control.Request{Command: control.DrainAll}
	if cmd.Flags().Changed("over") {
		if d.over < 0 || d.over > config.DrainOverMax {
			return cli.Usage(cmd, "--over: %s is out of range, allowed: 0 to %s", d.over, short(config.DrainOverMax))
		}
		ms := d.over.Milliseconds()
		request.OverMS = &ms
	}
	answer, err := p.call(cmd.Flags(), request, nil)
	if err != nil {
		return err
	}
	dir, err := runtimeDir(cli.Input(cmd.Flags()))
	if err != nil {
		return err
	}
	path := filepath.Join(dir, segmentName)
	if d.wait {
		return p.awaitDrained(path)
	}
	now, err := lookAtDrain(path)
	if err != nil {
		return err
	}
	return p.printDrain(now.Drain, begun(answer.WasDraining, request.OverMS != nil))
}

// begun says what a request has done.
func begun(already, planned bool) string {
	switch {
	case already && planned:
		return "draining, planned anew: "
	case already:
		return "draining already: "
	}
	return "draining: "
}

func (p *program) printDrain(d *status.Drain, begun string) error {
	if p.json {
		return p.printJSON(d)
	}
	if err := p.print("%s%s", begun, d.Words()); err != nil {
		return err
	}
	return p.print("odinctl drain --wait watches it, odinctl undrain takes it back")
}

// undrained is what undrain prints as JSON.
type undrained struct {
	// WasDraining: there was a drain to take back.
	WasDraining bool `json:"was_draining"`
}

func (p *program) undrainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "undrain",
		Short: "Take new sessions again, and keep those that are left",
		Long: `undrain takes a drain back: odind takes new sessions again, and keeps those that
are left. Without a drain it does nothing, and says so.`,
		Example: "  odinctl undrain",
		Args:    cli.Exactly(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.undrain(cmd.Flags()) },
	}
}

func (p *program) undrain(flags *pflag.FlagSet) error {
	answer, err := p.call(flags, control.Request{Command: control.UndrainAll}, nil)
	switch {
	case err != nil:
		return err
	case p.json:
		return p.printJSON(undrained{answer.WasDraining})
	case answer.WasDraining:
		return p.print("undrained: new sessions are taken again")
	}
	return p.print("odind was not draining: nothing has changed")
}
