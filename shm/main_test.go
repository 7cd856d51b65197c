package shm

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// The test binary plays other processes of odind when this is set.
const roleVariable = "ODIN_SHM_TEST_ROLE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "worker":
		playWorker()
	case "supervisor":
		playSupervisor()
	case "bystander":
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
	default:
		panic("no role " + role)
	}
}

// playWorker counts, observes, publishes and beats until it is killed, or
// until the test that started it has gone.
func playWorker() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	s, err := Attach(os.NewFile(3, "stats.shm"))
	if err != nil {
		panic(err)
	}
	generation, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	slot, block := s.Slot(1), s.Slot(1).Block(uint32(generation))
	last, _ := slot.Position(0)
	for n := last.Held + 1; ; n++ {
		block.Add(RecordsFetched, 1)
		block.Add(Deliveries, 1)
		block.Observe(TurnLength, 100, 1)
		block.Set(Sessions, n+1)
		slot.PublishPosition(0, at(n))
		slot.Beat(Monotonic())
		if number := s.EraNumber(0); n%16 == 0 {
			slot.ProposeEra(0, of(number+1, 1))
		}
	}
}

// playSupervisor creates a segment, says so, and lives until killed or its
// input ends.
func playSupervisor() {
	dir := os.Args[1]
	if _, err := LockDir(dir); err != nil {
		panic(err)
	}
	s, err := Create(filepath.Join(dir, "stats.shm"), small)
	if err != nil {
		panic(err)
	}
	s.Process().SetName(Version, "v9")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), roleVariable+"=bystander")
	child.Stdin, child.ExtraFiles = os.Stdin, []*os.File{s.File()}
	out, _ := child.StdoutPipe()
	if err := child.Start(); err != nil {
		panic(err)
	}
	_, _ = bufio.NewReader(out).ReadString('\n')
	fmt.Println(child.Process.Pid)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// played is a process that plays a role; it ends when the test does.
type played struct {
	*exec.Cmd
	out *bufio.Reader
}

func play(t *testing.T, role, argument string, files ...*os.File) played {
	t.Helper()
	c := exec.Command(os.Args[0], argument)
	c.Env = append(os.Environ(), roleVariable+"="+role)
	c.ExtraFiles, c.Stderr = files, os.Stderr
	in, err := c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return played{c, bufio.NewReader(out)}
}
