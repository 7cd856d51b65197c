package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var o options
	flag.Uint64Var(&o.seed, "seed", 1, "of the schedule")
	flag.DurationVar(&o.length, "for", 5*time.Minute, "how long there are faults")
	flag.IntVar(&o.clients, "clients", 240, "how many")
	flag.IntVar(&o.workers, "workers", 4, "of odind")
	flag.IntVar(&o.brokers, "brokers", 3, "of Kafka")
	flag.Float64Var(&o.rate, "rate", 1, "times the usual number of records")
	flag.StringVar(&o.programs, "programs", "bin", "directory of odind")
	flag.StringVar(&o.keep, "keep", "", "directory for the logs; empty: they are kept only if something is wrong")
	flag.Func("only", "kinds of faults, with commas between them; empty: all", o.choose)
	flag.Parse()
	if err := enclose(); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	sound, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || !sound {
		stop()
		os.Exit(1)
	}
}
