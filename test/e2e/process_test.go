package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// logShown is how much of a process's log a failed test prints.
const logShown = 16 << 10

// capture keeps what a process writes.
type capture struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (c *capture) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(b)
}

func (c *capture) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.String()
}

// process is one started program.
type process struct {
	name     string
	mark     string // in the environment, and in that of its children
	cmd      *exec.Cmd
	out, err capture
	exited   chan struct{} // closed when it has been waited for
}

// startProcess runs a program of ours with nothing in its environment but what
// is given.
func startProcess(t testing.TB, program string, args, env []string) *process {
	t.Helper()
	return startProcessTo(t, nil, program, args, env)
}

// startProcessTo has its standard error go elsewhere, unless that is nil.
func startProcessTo(t testing.TB, stderr *os.File, program string, args, env []string) *process {
	t.Helper()
	p := &process{name: program, mark: "E2E_MARK=" + nextHost(), exited: make(chan struct{})}
	p.cmd = exec.Command(filepath.Join(programs, program), args...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(), p.mark}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	if stderr != nil {
		p.cmd.Stderr = stderr
	}
	p.cmd.WaitDelay = time.Second
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s := spawning{p.cmd, make(chan error)}
	spawn <- s
	must(t, <-s.done)
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() { p.cleanUp(t) })
	return p
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// code waits for the end and returns the exit code, -1 for a signal.
func (p *process) code(t testing.TB, within time.Duration) int {
	t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		t.Fatalf("%s (pid %d) has not ended within %v", p.name, p.pid(), within)
		return 0
	}
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// cleanUp leaves nothing behind, however the test ended, and shows the log of
// what failed.
func (p *process) cleanUp(t testing.TB) {
	for _, pid := range p.descendants() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-p.exited
	if strings.Contains(p.err.String(), "DATA RACE") {
		t.Errorf("%s races with itself", p.name)
	}
	if text := p.err.String(); t.Failed() && text != "" {
		t.Logf("standard error of %s (pid %d), %d bytes:\n%s", p.name, p.pid(), len(text), text[max(0, len(text)-logShown):])
	}
}

// descendants are the live processes that carry the mark of this one in their
// environment: the children of a dead supervisor too.
func (p *process) descendants() []int {
	entries, _ := os.ReadDir("/proc")
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// A zombie has no environment left.
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if bytes.Contains(environ, []byte(p.mark+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// openFiles counts a process's descriptors.
func openFiles(pid int) int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries)
}

// run starts a program, waits for its end and returns all that it said.
func runProgram(t testing.TB, program string, args ...string) (code int, out, stderr string) {
	t.Helper()
	p := startProcess(t, program, args, nil)
	code = p.code(t, soon)
	return code, p.out.String(), p.err.String()
}
