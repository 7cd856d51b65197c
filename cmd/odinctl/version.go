package main

import (
	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/shm"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// versions are the builds of both programs.
type versions struct {
	Odinctl string `json:"odinctl"` // its own
	Odind   string `json:"odind"`   // of the running one, "" if there is none
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of odinctl and of the running odind",
		Long: `version prints the versions of odinctl and of the running odind. They should be
the same: odinctl reads the memory that odind writes.`,
		Example: "  odinctl version",
		Args:    cli.Exactly(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.versions(cmd.Flags()) },
	}
}

// versions prints what it knows even when no odind runs, which then is the
// error.
func (p *program) versions(flags *pflag.FlagSet) error {
	v := versions{Odinctl: p.version}
	seg, missing := segment(flags)
	if missing == nil {
		v.Odind = seg.Process().Name(shm.Version)
		defer seg.Close()
	}
	if err := p.printVersions(v); err != nil {
		return err
	}
	return missing
}

func (p *program) printVersions(v versions) error {
	if p.json {
		return p.printJSON(v)
	}
	if err := p.print("%s", cli.Describe("odinctl", v.Odinctl)); err != nil || v.Odind == "" {
		return err
	}
	return p.print("odind %s", v.Odind)
}
