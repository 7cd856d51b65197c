package main

import (
	"errors"
	"path/filepath"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/shm"
	"github.com/spf13/pflag"
)

// segmentName is the segment's file in the runtime directory.
const segmentName = "stats.shm"

// segment opens the running odind's numbers, read-only. The runtime directory
// is found where odind finds it: flag, environment, file, default.
func segment(flags *pflag.FlagSet) (*shm.Segment, error) {
	dir, err := runtimeDir(cli.Input(flags))
	if err != nil {
		return nil, err
	}
	return shm.Open(filepath.Join(dir, segmentName))
}

// runtimeDir is deaf to mistakes in all other keys: odinctl must answer when
// odind's configuration has just been broken.
func runtimeDir(in config.Input) (string, error) {
	const key = "runtime_dir"
	cfg, _, err := config.Load(in)
	var mistakes config.Problems
	if errors.As(err, &mistakes) {
		if own := mistakes.Of(key); len(own) > 0 {
			return "", own
		}
	}
	return cfg.RuntimeDir, nil
}
