package clitest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lineWait is how long an awaited line may take on a busy machine.
const lineWait = 30 * time.Second

// Process is a command that runs until it is told to end.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	lines  chan string // of standard output; closed at its end
	stderr string      // file
	done   chan struct{}
}

// Start starts a command, which is killed at the end of the test; workers end
// by themselves then.
func (b *Bin) Start(t testing.TB, c Command) *Process {
	t.Helper()
	p := &Process{t: t, cmd: exec.Command(filepath.Join(b.Dir(t), c.Program), c.Args...), lines: make(chan string, 1024), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = environment(c.Env), c.Dir
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// A file, not a pipe: workers inherit it, and nobody waits for them here.
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	p.stderr = file.Name()
	p.cmd.Stderr = file
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	file.Close()
	t.Cleanup(p.end)
	go p.read(stdout)
	return p
}

func (p *Process) read(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		p.lines <- lines.Text()
	}
	close(p.lines)
	_ = p.cmd.Wait()
	close(p.done)
}

// end kills it if it still runs, and shows its log if the test failed.
func (p *Process) end() {
	_ = p.cmd.Process.Kill()
	go func() { // nobody reads them any more
		for range p.lines {
		}
	}()
	<-p.done
	if p.t.Failed() {
		p.t.Logf("standard error of %s:\n%s", p.cmd.Args, p.Stderr())
	}
}

// Line waits for the next line of standard output.
func (p *Process) Line() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("%s ended:\n%s", p.cmd.Args, p.Stderr())
		}
		return line
	case <-time.After(lineWait):
		p.t.Fatalf("%s prints no line:\n%s", p.cmd.Args, p.Stderr())
		return ""
	}
}

// Stderr is what it wrote to standard error so far.
func (p *Process) Stderr() string {
	data, err := os.ReadFile(p.stderr)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// Pid is its process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process alone.
func (p *Process) Signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Errorf("%s: %v", sig, err)
	}
}

// SignalAll sends a signal to the process and to all that it started.
func (p *Process) SignalAll(sig syscall.Signal) {
	p.t.Helper()
	for _, pid := range append(p.Children(), p.Pid()) {
		if err := syscall.Kill(pid, sig); err != nil {
			p.t.Errorf("%s to %d: %v", sig, pid, err)
		}
	}
}

// Children are the processes that it started and that still run.
func (p *Process) Children() (pids []int) {
	p.t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range stats {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended meanwhile
		}
		_, rest, _ := strings.Cut(string(data), ") ") // pid (name) state parent …
		var state string
		var parent int
		if _, err := fmt.Sscan(rest, &state, &parent); err == nil && parent == p.Pid() && state != "Z" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// Wait waits for its end, and returns the exit code and the lines that nobody
// has read.
func (p *Process) Wait() (code int, rest []string) {
	p.t.Helper()
	late := time.After(lineWait)
	for {
		select {
		case line, ok := <-p.lines:
			if ok {
				rest = append(rest, line)
				continue
			}
			<-p.done
			return p.cmd.ProcessState.ExitCode(), rest
		case <-late:
			p.t.Fatalf("%s does not end:\n%s", p.cmd.Args, p.Stderr())
		}
	}
}
