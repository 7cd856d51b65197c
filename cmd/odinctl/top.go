package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/cmd/internal/watch"
	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/internal/top"
	"github.com/odin-ws/odin/shm"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// watching is what top was told.
type watching struct {
	interval   time.Duration
	frames     int
	once       bool
	view, sort string
}

func (p *program) topCommand() *cobra.Command {
	var w watching
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch workers, partitions and clients while they work",
		Long: `top shows what happens now: deliveries a second, latency, what each worker
does, how far each topic is, and which clients are slow. Press ? for its keys.

It reads shared memory alone, so it goes on while every process of odind is
stopped, and waits while there is none. Without a terminal, and with -n or
--once, it prints plain text, a frame an interval; with --json a document a
line, whose fields docs/JSON.md explains.`,
		Example: "  odinctl top\n  odinctl top --view partitions --sort lag\n  odinctl top --once\n  odinctl top --json -n 60 --interval 10s >minutes.json",
		Args:    cli.Exactly(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.top(cmd, w) },
	}
	w.flags(cmd)
	return cmd
}

func (w *watching) flags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.DurationVar(&w.interval, "interval", top.IntervalDefault, "time between two looks, "+top.IntervalMin.String()+" to 1h")
	set.IntVarP(&w.frames, "count", "n", 0, "print `N` frames as plain text, and end")
	set.BoolVar(&w.once, "once", false, "the same as -n 1")
	set.StringVar(&w.view, "view", top.Views()[top.Workers], "begin with this `VIEW`: "+strings.Join(top.Views(), ", "))
	set.StringVar(&w.sort, "sort", "", "sort its rows by `COLUMN`; the key s goes through them")
	offer(cmd, "view", func(*cobra.Command) []string { return top.Views() })
	offer(cmd, "sort", func(*cobra.Command) []string { return top.Orders(w.seen()) })
}

// seen is the view that was asked for.
func (w *watching) seen() top.View { return top.View(max(0, slices.Index(top.Views(), w.view))) }

func (w *watching) check(cmd *cobra.Command) error {
	if w.interval < top.IntervalMin || w.interval > top.IntervalMax {
		return cli.Usage(cmd, "--interval: %s is out of range, allowed: %s to 1h", w.interval, top.IntervalMin)
	}
	if w.frames < 0 {
		return cli.Usage(cmd, "--count: %d is out of range, allowed: 0 and more", w.frames)
	}
	if w.once {
		w.frames = 1
	}
	if err := cli.OneOf(cmd, "--view", w.view, top.Views()); err != nil || w.sort == "" {
		return err
	}
	return cli.OneOf(cmd, "--sort", w.sort, top.Orders(w.seen()))
}

func (p *program) top(cmd *cobra.Command, w watching) error {
	if err := w.check(cmd); err != nil {
		return err
	}
	look, err := looker(cmd.Flags())
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if p.json {
		return watch.JSON(ctx, p.stdout, look, w.interval, w.frames)
	}
	m := top.New(w.seen(), w.sort, w.interval)
	if terminal := watch.Terminal(); terminal != nil && w.frames == 0 {
		return watch.Screen(ctx, terminal, m, look)
	}
	m.Resize(watch.Columns(os.Stdout), 0)
	return watch.Text(ctx, p.stdout, m, look, w.frames)
}

// looker looks at the running odind. There has to be one now; later ones may
// come and go: each look opens the segment anew, for a restarted odind has
// another one.
func looker(flags *pflag.FlagSet) (watch.Look, error) {
	dir, err := runtimeDir(cli.Input(flags))
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, segmentName)
	before, err := read(path)
	if err != nil {
		return nil, err
	}
	return func() top.Look {
		now, err := read(path)
		if err != nil {
			return top.Look{At: time.Now(), Missing: err.Error()}
		}
		l := top.Look{At: time.Now(), Status: now, Rates: status.Between(before, now)}
		before = now
		return l
	}, nil
}

func read(path string) (status.Status, error) {
	seg, err := shm.Open(path)
	if err != nil {
		return status.Status{}, err
	}
	defer seg.Close()
	return status.Read(seg, shm.Now()), nil
}
