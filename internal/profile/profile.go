// Package profile takes profiles of the running process, in the form that `go
// tool pprof` reads. It owns the list of kinds and their bounds; at most one
// process-wide measurement (cpu, trace) runs at a time, which the runtime sees
// to. No goroutine outlives a call.
package profile

import (
	"context"
	"fmt"
	"io"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strings"
	"time"
)

// Kinds are the profiles that Take knows: those that measure for a while, then
// those that show the present.
func Kinds() []string { return append(slices.Clone(measured), present...) }

var (
	measured = []string{"cpu", "trace"}
	present  = []string{"heap", "allocs", "goroutine", "threadcreate"}
)

// Bounds and default of how long cpu and trace measure, in seconds.
const (
	SecondsMin     = 1
	SecondsMax     = 300
	SecondsDefault = 10
)

// Check tells what is wrong with a kind and its seconds; 0 is the default.
func Check(kind string, seconds int) error {
	if !slices.Contains(Kinds(), kind) {
		return fmt.Errorf("unknown profile %q, allowed: %s", kind, strings.Join(Kinds(), ", "))
	}
	if seconds != 0 && (seconds < SecondsMin || seconds > SecondsMax) {
		return fmt.Errorf("%d seconds are out of range, allowed: %d to %d", seconds, SecondsMin, SecondsMax)
	}
	return nil
}

// Take writes a profile. Those that measure end early when ctx does, with what
// they have.
func Take(ctx context.Context, kind string, seconds int, to io.Writer) error {
	if err := Check(kind, seconds); err != nil {
		return err
	}
	if seconds == 0 {
		seconds = SecondsDefault
	}
	switch kind {
	case "cpu":
		return measure(ctx, seconds, func() error { return pprof.StartCPUProfile(to) }, pprof.StopCPUProfile)
	case "trace":
		return measure(ctx, seconds, func() error { return trace.Start(to) }, trace.Stop)
	}
	if err := pprof.Lookup(kind).WriteTo(to, 0); err != nil {
		return fmt.Errorf("profile %s: %w", kind, err)
	}
	return nil
}

func measure(ctx context.Context, seconds int, start func() error, stop func()) error {
	if err := start(); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer stop()
	timer := time.NewTimer(time.Duration(seconds) * time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}
