package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// parallelMost is how many tests run side by side: most of them wait for a
// limit to pass, so more than there are cores.
const parallelMost = "8"

// programs is the directory with odind and odinctl; spawn starts commands. Both
// are set by TestMain alone.
var (
	programs string
	spawn    = make(chan spawning)
)

// spawning asks the spawner to start a command.
type spawning struct {
	cmd  *exec.Cmd
	done chan error
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	race := flag.Bool("race-programs", false, "build odind and odinctl with the race detector")
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		_ = flag.Set("test.parallel", parallelMost)
	}
	dir, err := os.MkdirTemp("", "odin-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = dir
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), fmt.Sprintf("-race=%t", *race), "../../cmd/odind", "../../cmd/odinctl")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building odind and odinctl:", err)
		return 1
	}
	go spawner()
	return m.Run()
}

// spawner starts every process from one thread that never ends: the kernel
// sends Pdeathsig when the thread that spawned is gone, not the process.
func spawner() {
	runtime.LockOSThread()
	for s := range spawn {
		s.done <- s.cmd.Start()
	}
}
