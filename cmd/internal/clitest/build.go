package clitest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Version is what the linker tells the built programs.
const Version = "v9.8.7-test"

// Bin is the directory of the built programs.
type Bin string

// Main builds the programs of the module below cmd, runs the tests with them
// and exits. Every TestMain calls it; use is told where they are.
func Main(m *testing.M, use func(Bin), programs ...string) {
	os.Exit(run(m, use, programs))
}

func run(m *testing.M, use func(Bin), programs []string) int {
	dir, err := os.MkdirTemp("", "odin-cli-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	for _, program := range programs {
		build := exec.Command("go", "build", "-ldflags", "-X main.version="+Version, "-o", dir, "github.com/odin-ws/odin/cmd/"+program)
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", program, err, out)
			return 1
		}
	}
	use(Bin(dir))
	return m.Run()
}

// path is where a program is.
func (b Bin) path(program string) string { return filepath.Join(string(b), program) }
