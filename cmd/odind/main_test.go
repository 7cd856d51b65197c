package main

import (
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

// bin holds the programs as an operator has them.
var bin clitest.Bin

func TestMain(m *testing.M) {
	clitest.Main(m, func(built clitest.Bin) { bin = built }, "odind")
}

func odind(t *testing.T, args ...string) clitest.Result {
	t.Helper()
	return bin.Run(t, clitest.Command{Program: "odind", Args: args, Dir: t.TempDir()})
}
