package main

import (
	"errors"
	"fmt"
	"time"

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
		p.say(mistakes.Error())
		p.say(fmt.Sprintf("odind: nothing was started: %s in the configuration; docs/CONFIGURATION.md has every key", mistakes.Counted()))
		return cli.ExitUsage
	case errors.As(err, &usage):
		p.say("odind: " + usage.Error())
		return cli.ExitUsage
	}
	p.say("odind: " + err.Error())
	return supervisor.ExitCode(err)
}

// sayMax is how long the last words wait for a reader.
const sayMax = time.Second

// say writes to standard error. A pipe that nobody reads holds up the end for
// a moment only: a service manager waits for it.
func (p *program) say(words string) {
	said := make(chan struct{})
	go func() {
		defer close(said)
		fmt.Fprintln(p.stderr, words)
	}()
	select {
	case <-said:
	case <-time.After(sayMax):
	}
}
