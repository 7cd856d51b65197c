package clitest

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/gdamore/tcell/v3/vt"
)

// Terminal is a pseudo-terminal with a command in it, and a screen on which
// one sees what the command writes.
type Terminal struct {
	t      testing.TB
	cmd    *exec.Cmd
	master *os.File
	screen vt.MockTerm
	done   chan struct{}

	mu      sync.Mutex
	written []byte
}

// StartTerminal starts a command of any kind in a terminal, which ends with
// the test. Env is beside what programs need; the built ones are in PATH.
func (b *Bin) StartTerminal(t testing.TB, columns, rows int, env []string, command ...string) *Terminal {
	t.Helper()
	path := b.Dir(t) + string(os.PathListSeparator) + os.Getenv("PATH")
	program, err := exec.LookPath(command[0])
	if err != nil {
		program = filepath.Join(b.Dir(t), command[0])
	}
	cmd := exec.Command(program, command[1:]...)
	cmd.Env = append(environment(append([]string{"TERM=xterm-256color", "LC_ALL=C.UTF-8"}, env...)), "PATH="+path)
	cmd.Dir = t.TempDir()
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)})
	if err != nil {
		t.Fatal(err)
	}
	size := vt.Coord{X: vt.Col(columns), Y: vt.Row(rows)}
	x := &Terminal{t: t, cmd: cmd, master: master, screen: vt.NewMockTerm(vt.MockOptSize(size)), done: make(chan struct{})}
	if err := x.screen.Start(); err != nil {
		t.Fatal(err)
	}
	go x.read()
	t.Cleanup(x.end)
	return x
}

func (x *Terminal) read() {
	defer close(x.done)
	chunk := make([]byte, 4096)
	for {
		n, err := x.master.Read(chunk)
		x.mu.Lock()
		x.written = append(x.written, chunk[:n]...)
		x.mu.Unlock()
		_, _ = x.screen.Write(chunk[:n])
		if err != nil { // EIO: the command has ended
			_ = x.cmd.Wait()
			return
		}
	}
}

func (x *Terminal) end() {
	_ = x.cmd.Process.Kill()
	<-x.done
	x.master.Close()
	_ = x.screen.Stop()
	if x.t.Failed() {
		x.t.Logf("the screen of %s:\n%s", x.cmd.Args, x.Screen())
	}
}

// Screen is what one sees, a line a row.
func (x *Terminal) Screen() string {
	size := x.screen.Backend().GetSize()
	var out strings.Builder
	for row := range size.Y {
		var line strings.Builder
		for column := range size.X {
			line.WriteString(cmp.Or(x.screen.GetCell(vt.Coord{X: column, Y: row}).C, " "))
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return out.String()
}

// Shows waits until the screen shows words.
func (x *Terminal) Shows(words string) {
	x.t.Helper()
	Eventually(x.t, "the screen shows "+words, func() bool { return strings.Contains(x.Screen(), words) })
}

// Written is all that was written to the terminal so far.
func (x *Terminal) Written() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return string(x.written)
}

// Type presses keys.
func (x *Terminal) Type(keys string) {
	x.t.Helper()
	if _, err := x.master.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// Resize makes the terminal another size; its command gets SIGWINCH.
func (x *Terminal) Resize(columns, rows int) {
	x.t.Helper()
	x.screen.SetSize(vt.Coord{X: vt.Col(columns), Y: vt.Row(rows)})
	if err := pty.Setsize(x.master, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}); err != nil {
		x.t.Fatal(err)
	}
}

// Signal sends a signal to the command.
func (x *Terminal) Signal(sig syscall.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(sig); err != nil {
		x.t.Errorf("%s: %v", sig, err)
	}
}

// Wait waits for the command's end, and returns its exit code.
func (x *Terminal) Wait() int {
	x.t.Helper()
	Eventually(x.t, "the command ends", func() bool {
		select {
		case <-x.done:
			return true
		default:
			return false
		}
	})
	return x.cmd.ProcessState.ExitCode()
}
