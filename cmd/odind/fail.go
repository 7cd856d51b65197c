package main

import (
	"errors"
	"fmt"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/supervisor"
)

// fail tells the operator what failed and returns the exit code.
func (p *program) fail(err error) int {
	var mistakes config.Problems
	var usage *cli.UsageError
	switch {
	case errors.As(err, &mistakes):
		fmt.Fprintln(p.stderr, mistakes.Error())
		fmt.Fprintf(p.stderr, "odind: nothing was started: %s in the configuration; docs/CONFIGURATION.md has every key\n", mistakes.Counted())
		return cli.ExitUsage
	case errors.As(err, &usage):
		fmt.Fprintln(p.stderr, "odind: "+usage.Error())
		return cli.ExitUsage
	}
	fmt.Fprintln(p.stderr, "odind: "+err.Error())
	return supervisor.ExitCode(err)
}
