package main

import (
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

// bin holds the programs as an operator has them.
var bin clitest.Bin

func TestMain(m *testing.M) {
	clitest.Main(m, func(built clitest.Bin) { bin = built }, "odind", "odinctl")
}

func odinctl(t *testing.T, args ...string) clitest.Result {
	t.Helper()
	return bin.Run(t, clitest.Command{Program: "odinctl", Args: args, Dir: t.TempDir()})
}

// quiet is a demo without events of its own.
func quiet(t *testing.T) *clitest.Demo {
	t.Helper()
	return bin.StartDemo(t, "--rate", "0", "--log-level", "debug")
}
