package main

import (
	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/config"
	"github.com/spf13/cobra"
)

func (p *program) checkCommand() *cobra.Command {
	var quiet bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and print it with each value's origin",
		Long: `check reads the configuration as odind would, prints every mistake at once, or
the effective configuration with the origin of each value. It starts nothing.`,
		Args: cli.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.check(cli.Input(cmd.Flags()), quiet) },
	}
	cmd.Flags().BoolVar(&quiet, "quiet", false, "print mistakes alone")
	cli.ConfigFlags(cmd.Flags())
	return cmd
}

func (p *program) check(in config.Input, quiet bool) error {
	cfg, origins, err := config.Load(in)
	if err != nil || quiet {
		return err
	}
	if err := config.Report(p.stdout, *cfg, origins); err != nil {
		return err
	}
	return p.print("\nconfiguration %s is good", cfg.Digest())
}
