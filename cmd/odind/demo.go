package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/demo"
	"github.com/odin-ws/odin/supervisor"
	"github.com/spf13/cobra"
)

// show is what only the demo is told.
type show struct {
	rate   float64
	seed   uint64
	broker *string // where its broker listens
}

func (p *program) demoCommand() *cobra.Command {
	s := &show{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve events of a made-up market from a broker of its own",
		Long: `demo starts a Kafka broker of its own, produces the events of a made-up market
to it, and serves them as odind serves those of any broker. Any Kafka tool can
produce to the broker. It reads no configuration file unless --config names
one, and leaves nothing behind.`,
		Args: cli.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd, *s) },
	}
	cli.ConfigFlags(cmd.Flags(), "brokers")
	cmd.Flags().Float64Var(&s.rate, "rate", 10, "events a second: at least a third of `N` for trades, a tenth for each other topic; 0: none")
	cmd.Flags().Uint64Var(&s.seed, "seed", 1, "decides which events are made up: the same `N`, the same events")
	s.broker = cli.Text(cmd.Flags(), "broker-listen", "HOST:PORT", "127.0.0.1:9092", "address of the broker; port 0 picks one")
	return cmd
}

func (p *program) demo(cmd *cobra.Command, s show) error {
	if !(s.rate >= 0 && s.rate <= demo.RateMax) {
		return &cli.UsageError{What: fmt.Sprintf("--rate: %g is out of range, allowed: 0 to %d", s.rate, demo.RateMax), Help: cmd.CommandPath() + " --help"}
	}
	dir, err := os.MkdirTemp("", "odin-demo-")
	if err != nil {
		return &supervisor.StartError{Doing: "make a temporary directory", Err: err, Try: "set TMPDIR to a directory that is writable"}
	}
	defer os.RemoveAll(dir)
	in := cli.Input(cmd.Flags())
	in.NoDefaultFile, in.Host.RuntimeDir = true, dir
	in.Ignore = []string{"kafka.brokers", "kafka.sasl.", "kafka.tls."} // the broker is ours
	cfg, _, err := config.Load(in)
	if err != nil {
		return err
	}
	broker, err := demo.StartBroker(*s.broker)
	if err != nil {
		return &supervisor.StartError{Doing: "start the demo's broker", Err: err, Try: "--broker-listen names another address, 127.0.0.1:0 picks a free port"}
	}
	defer broker.Close()
	cfg.Kafka.Brokers = []string{broker.Address()}
	log := openLog(p.stderr, cfg.Log)
	defer log.Close()
	stop := produce(s, broker.Address(), log.Logger)
	defer stop()
	return p.supervise(*cfg, in, broker.Address(), log)
}

// produce lets the market run beside the supervisor until it is stopped.
func produce(s show, broker string, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := demo.Produce(ctx, broker, s.rate, demo.NewMarket(s.seed), log); err != nil {
			log.Error("the demo's events end", "err", err)
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}
