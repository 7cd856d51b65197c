package main

import (
	"os"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

// bin holds the programs as an operator has them.
var bin = clitest.Programs("odind")

func TestMain(m *testing.M) { os.Exit(bin.Main(m)) }

func odind(t *testing.T, args ...string) clitest.Result {
	t.Helper()
	return bin.Run(t, clitest.Command{Program: "odind", Args: args, Dir: t.TempDir()})
}
