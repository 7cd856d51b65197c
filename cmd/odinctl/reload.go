package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (p *program) reloadCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Have odind read its configuration anew",
		Long: `reload has the running odind read its configuration anew, from the flags,
variables and file that it was started with. If anything is wrong with it all
mistakes are listed, and nothing changes. Otherwise what needs no restart is in
force everywhere when reload returns; what needs one is named, and keeps its old
value until then. No session ends by it.`,
		Example: "  odind check && odinctl reload",
		Args:    cli.Exactly(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.reload(cmd.Flags()) },
	}
}

// reloading is what came of a reload; its JSON is stable.
type reloading struct {
	// Reloaded: false if there are mistakes; then nothing has changed.
	Reloaded bool `json:"reloaded"`
	// ConfigDigest of what is in force now, as in status.
	ConfigDigest string `json:"config_digest"`
	// Applied is what is in force now and was not before.
	Applied []config.Change `json:"applied"`
	// PendingRestart is what needs a restart; the old value stays in force.
	PendingRestart []config.Change `json:"pending_restart"`
	// Unchanged is how many keys have the value which they had.
	Unchanged int `json:"unchanged"`
	// Missing are the workers that did not say in time that it is in force there.
	Missing []int `json:"missing"`
	// Mistakes of the configuration.
	Mistakes []config.Problem `json:"mistakes"`
}

func (p *program) reload(flags *pflag.FlagSet) error {
	r := reloading{Applied: []config.Change{}, PendingRestart: []config.Change{}, Missing: []int{}, Mistakes: []config.Problem{}}
	answer, err := p.call(flags, control.Request{Command: control.Reload}, r.take)
	if err != nil && len(r.Mistakes) == 0 {
		return err
	}
	r.Reloaded, r.ConfigDigest, r.Unchanged = answer.OK, answer.Digest, answer.Unchanged
	r.Missing = append(r.Missing, answer.Missing...)
	if p.json {
		return errors.Join(p.printJSON(r), err)
	}
	if err != nil {
		for _, m := range r.Mistakes {
			fmt.Fprintln(p.stderr, m.String())
		}
		return fmt.Errorf("%w: nothing has changed", err)
	}
	p.tellMissing(answer)
	return p.printReload(r)
}

// take takes one finding.
func (r *reloading) take(item control.Response) error {
	var f config.Finding
	if err := json.Unmarshal(item.Item, &f); err != nil {
		return fmt.Errorf("odind sent what is no finding: %w", err)
	}
	switch {
	case f.Applied != nil:
		r.Applied = append(r.Applied, *f.Applied)
	case f.Restart != nil:
		r.PendingRestart = append(r.PendingRestart, *f.Restart)
	case f.Mistake != nil:
		r.Mistakes = append(r.Mistakes, *f.Mistake)
	}
	return nil
}

func (p *program) printReload(r reloading) error {
	var failed error
	for _, c := range r.Applied {
		failed = errors.Join(failed, p.print("in force       %s", c))
	}
	for _, c := range r.PendingRestart {
		failed = errors.Join(failed, p.print("needs restart  %s", c))
	}
	return errors.Join(failed, p.print("configuration %s is in force: %d applied, %d waiting for a restart, %d unchanged",
		r.ConfigDigest, len(r.Applied), len(r.PendingRestart), r.Unchanged))
}
