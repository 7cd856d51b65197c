package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/profile"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// profiling is what pprof was told.
type profiling struct {
	process string
	seconds int
	file    string
}

func (p *program) pprofCommand() *cobra.Command {
	of := &profiling{}
	cmd := &cobra.Command{
		Use:   "pprof KIND",
		Short: "Take a profile of a worker or of the supervisor",
		Long: `pprof takes a profile of one process of the running odind and writes it to a
file, for "go tool pprof" (of a trace: "go tool trace").

KIND is ` + strings.Join(profile.Kinds(), ", ") + `.`,
		Example:   "  odinctl pprof cpu --process 0 --seconds 30\n  odinctl pprof heap --process supervisor --output heap.pb.gz",
		ValidArgs: profile.Kinds(),
		Args:      cli.Exactly("KIND"),
		RunE:      func(cmd *cobra.Command, args []string) error { return p.pprof(cmd.Flags(), *of, args[0]) },
	}
	cmd.Flags().StringVar(&of.process, "process", "0", "a worker's number, or "+control.Supervisor)
	cmd.Flags().IntVar(&of.seconds, "seconds", profile.SecondsDefault, "how long cpu and trace measure")
	cmd.Flags().StringVarP(&of.file, "output", "o", "", "`FILE` to write, - for standard output (default odin-KIND-PROCESS.pb.gz, of a trace .trace)")
	offer(cmd, "process", processes)
	return cmd
}

// pprof writes the profile only when it is whole.
func (p *program) pprof(flags *pflag.FlagSet, of profiling, kind string) error {
	if err := profile.Check(kind, of.seconds); err != nil {
		return &cli.UsageError{What: err.Error(), Help: "odinctl pprof --help"}
	}
	var taken []byte
	answer, err := p.call(flags, control.Request{
		Command: control.Ask, Process: of.process,
		Query: &control.Query{Kind: control.Profile, Profile: kind, Seconds: of.seconds},
	}, func(r control.Response) error {
		var piece []byte
		if err := json.Unmarshal(r.Item, &piece); err != nil {
			return fmt.Errorf("odind sent what is no profile: %w", err)
		}
		taken = append(taken, piece...)
		return nil
	})
	if err != nil {
		return err
	}
	if len(answer.Missing) > 0 {
		return errors.New("process " + of.process + " did not answer: it is stuck, or has just ended; look at odinctl status")
	}
	return p.keep(of.target(kind), taken)
}

func (of profiling) target(kind string) string {
	if of.file != "" {
		return of.file
	}
	ending := ".pb.gz"
	if kind == "trace" {
		ending = ".trace"
	}
	return "odin-" + kind + "-" + of.process + ending
}

// profileFile is a profile that was written.
type profileFile struct {
	File  string `json:"file"`  // its name, as it was given
	Bytes int    `json:"bytes"` // its size
}

func (p *program) keep(file string, data []byte) error {
	if file == "-" {
		_, err := p.stdout.Write(data)
		return err
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return fmt.Errorf("write the profile: %w; --output names another file", err)
	}
	if p.json {
		return p.printJSON(profileFile{file, len(data)})
	}
	return p.print("%s, %s bytes: go tool pprof %s", file, strconv.Itoa(len(data)), file)
}
