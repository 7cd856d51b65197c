package main

import (
	"fmt"
	"io"
	"os"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/spf13/cobra"
)

// program is one run of odind.
type program struct {
	version string
	stdout  io.Writer // the ready line, and what a command was asked for
	stderr  *os.File  // everything else
	code    int       // of a worker: it knows its own
}

// run executes a command line and returns the exit code.
func (p *program) run(args []string) int {
	root := p.root()
	root.SetArgs(args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	if err := root.Execute(); err != nil {
		return p.fail(err)
	}
	return p.code
}

func (p *program) root() *cobra.Command {
	root := cli.Root(&cobra.Command{
		Use:   "odind",
		Short: "Serve every record of a Kafka stream to every browser that subscribed to it",
		Long: `odind serves every record of a Kafka stream to every browser that subscribed
to its channel, over WebSockets, from all cores of one machine.

Without a command it serves. Every key of the configuration file is also a
variable ODIN_…; a flag beats a variable, which beats the file.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cli.Input(cmd.Flags())) },
	})
	root.CompletionOptions.DisableDefaultCmd = true
	cli.ConfigFlags(root.Flags())
	root.AddCommand(p.demoCommand(), p.checkCommand(), p.versionCommand(), p.workerCommand())
	return root
}

// print writes a line that was asked for.
func (p *program) print(format string, args ...any) error {
	_, err := fmt.Fprintf(p.stdout, format+"\n", args...)
	return err
}
