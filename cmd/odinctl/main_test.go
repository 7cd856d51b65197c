package main

import (
	"os"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

// columns is how wide text is that goes to no terminal.
const columns = 80

// bin holds the programs as an operator has them.
var bin = clitest.Programs("odind", "odinctl")

func TestMain(m *testing.M) { os.Exit(bin.Main(m)) }

func odinctl(t *testing.T, args ...string) clitest.Result {
	t.Helper()
	return bin.Run(t, clitest.Command{Program: "odinctl", Args: args, Dir: t.TempDir()})
}

// quiet is a demo without events of its own.
func quiet(t *testing.T) *clitest.Demo {
	t.Helper()
	return bin.StartDemo(t, "--rate", "0", "--log-level", "debug")
}
