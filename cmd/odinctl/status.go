package main

import (
	"os"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/cmd/internal/watch"
	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/shm"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (p *program) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show workers, sessions, partitions and lag",
		Long: `status shows workers, sessions, partitions and lag. It reads shared memory
alone, so it answers while every process of odind is stopped or stuck: look at
the age of the heartbeats then.

With --json it prints a document whose fields docs/JSON.md explains.`,
		Example: "  odinctl status\n  odinctl status --json | jq .sessions",
		Args:    cli.Exactly(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.status(cmd.Flags()) },
	}
}

func (p *program) status(flags *pflag.FlagSet) error {
	seg, err := segment(flags)
	if err != nil {
		return err
	}
	defer seg.Close()
	now := status.Read(seg, shm.Now())
	if p.json {
		return p.printJSON(now)
	}
	return now.Text(p.stdout, watch.Columns(os.Stdout))
}
