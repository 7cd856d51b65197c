package main

import (
	"github.com/odin-ws/odin/worker"
	"github.com/spf13/cobra"
)

// workerCommand is what the supervisor starts, with descriptors that nobody
// else can give.
func (p *program) workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "worker",
		Hidden: true,
		Run:    func(*cobra.Command, []string) { p.code = worker.Main() },
	}
}
