package main

import (
	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/spf13/cobra"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cli.Exactly(),
		RunE:  func(*cobra.Command, []string) error { return p.print("%s", cli.Describe("odind", p.version)) },
	}
}
