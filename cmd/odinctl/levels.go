package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (p *program) levelsCommand() *cobra.Command {
	process := ""
	cmd := &cobra.Command{
		Use:   "logs-level [LEVEL]",
		Short: "Show or set the level of the log while odind runs",
		Long: `logs-level shows the lowest level that each process writes to its log, or sets
it: for all of them, or for one. It stays so until a reload, or until odind is
started anew; then log.level of the configuration is in force again.

LEVEL is debug, info, warn or error.`,
		Example:   "  odinctl logs-level\n  odinctl logs-level debug --process 0\n  odinctl logs-level info",
		ValidArgs: journal.Levels(),
		Args:      cli.AtMost("LEVEL"),
		RunE:      func(cmd *cobra.Command, args []string) error { return p.levels(cmd, process, args) },
	}
	cmd.Flags().StringVar(&process, "process", "", "a worker's number, or "+control.Supervisor+" (default: all)")
	offer(cmd, "process", processes)
	return cmd
}

// levelsInForce is what logs-level prints; its JSON is stable.
type levelsInForce struct {
	// Levels in force, the supervisor first, then the workers by slot.
	Levels []control.LevelItem `json:"levels"`
	// Missing are the workers that did not answer in time.
	Missing []int `json:"missing"`
}

func (p *program) levels(cmd *cobra.Command, process string, args []string) error {
	r := control.Request{Command: control.Levels, Process: process}
	if len(args) > 0 {
		if err := cli.OneOf(cmd, "LEVEL", args[0], journal.Levels()); err != nil {
			return err
		}
		r.Level = args[0]
	}
	found, answer, err := p.askLevels(cmd.Flags(), r)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(found)
	}
	p.tellMissing(answer)
	return p.printLevels(found)
}

func (p *program) askLevels(flags *pflag.FlagSet, r control.Request) (found levelsInForce, answer control.Response, err error) {
	found = levelsInForce{Levels: []control.LevelItem{}, Missing: []int{}}
	answer, err = p.call(flags, r, func(one control.Response) error {
		var item control.LevelItem
		if err := json.Unmarshal(one.Item, &item); err != nil {
			return fmt.Errorf("odind sent what is no level: %w", err)
		}
		found.Levels = append(found.Levels, item)
		return nil
	})
	found.Missing = append(found.Missing, answer.Missing...)
	slices.SortFunc(found.Levels, func(a, b control.LevelItem) int { return place(a.Process) - place(b.Process) })
	return found, answer, err
}

// place orders processes: the supervisor, then the workers.
func place(process string) int {
	slot, err := strconv.Atoi(process)
	if err != nil {
		return -1
	}
	return slot
}

func (p *program) printLevels(found levelsInForce) error {
	for _, l := range found.Levels {
		name := l.Process
		if name != control.Supervisor {
			name = "worker " + name
		}
		if err := p.print("%-12s %s", name, l.Level); err != nil {
			return err
		}
	}
	return nil
}
