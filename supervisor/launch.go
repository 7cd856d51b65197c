package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/systemd"
)

// workerThreads is a worker's GOMAXPROCS: with 1 a ping beside a busy loop
// took 23 ms instead of 0.24 (docs/DESIGN.md).
const workerThreads = "2"

// workerSlack is by how much the kernel may delay the timers of a worker's
// threads, so that it serves several by one wake-up (timerslack). Most are of
// the Go runtime's monitor, which otherwise looks around every 20 to 70
// microseconds while anything runs. The loop's and the fetchers' own threads
// take the usual slack back.
const workerSlack = 4 * time.Millisecond

// launcher starts workers as processes: the very program that runs, even if
// its file was replaced since, as `odind worker` with descriptors 3 (control),
// 4 (segment), 5 (eventfd).
type launcher struct {
	segment *os.File
	events  chan<- news
	done    <-chan struct{} // closed when nobody takes events any more
}

// start forks on the calling thread, which must outlive the worker: when it
// ends, the kernel sends the worker TERM.
func (l *launcher) start(slot int, generation uint32) (p process, err error) {
	conn, far, err := control.Pair()
	if err != nil {
		return p, err
	}
	defer far.Close()
	bell, err := newBell()
	if err != nil {
		conn.Close()
		return p, err
	}
	cmd := l.command(far, bell)
	slacken(workerSlack)
	err = cmd.Start()
	slacken(usualSlack)
	if err != nil {
		conn.Close()
		bell.Close()
		return p, fmt.Errorf("supervisor: start worker %d: %w", slot, err)
	}
	return l.attend(cmd, conn, bell, news{slot: slot, generation: generation}), nil
}

// usualSlack stands for what a thread began with.
const usualSlack = 0

// slacken sets the timer slack of the calling thread, which a child inherits.
// Where the kernel won't, timers are exact, and cost more.
func slacken(slack time.Duration) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0)
}

func (l *launcher) command(control, bell *os.File) *exec.Cmd {
	return &exec.Cmd{
		Path:       "/proc/self/exe",
		Args:       []string{"odind", "worker"},
		Env:        environment(os.Environ()),
		Stderr:     os.Stderr, // inherited, not piped: a pipe's reader may die
		ExtraFiles: []*os.File{control, l.segment, bell},
		SysProcAttr: &syscall.SysProcAttr{
			Pdeathsig: syscall.SIGTERM,
			Setpgid:   true, // what a terminal signals (^C, ^\) is for the supervisor to act on
		},
	}
}

// environment is ours but for what is not the workers' business.
func environment(ours []string) (theirs []string) {
	theirs = slices.DeleteFunc(slices.Clone(ours), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(systemd.Variables(), name)
	})
	if !slices.ContainsFunc(theirs, func(pair string) bool { return strings.HasPrefix(pair, "GOMAXPROCS=") }) {
		theirs = append(theirs, "GOMAXPROCS="+workerThreads)
	}
	return theirs
}

// newBell makes a worker's eventfd, non-blocking for both sides.
func newBell() (*os.File, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("supervisor: eventfd: %w", err)
	}
	return os.NewFile(uintptr(fd), "eventfd"), nil
}

// attend starts the three goroutines of a worker.
func (l *launcher) attend(cmd *exec.Cmd, conn *control.Conn, bell *os.File, of news) process {
	mail := newMailbox()
	go mail.deliver(conn.Send, func(err error) { l.post(of, broke, func(n *news) { n.err = err }) })
	go l.receive(conn, of)
	go func() {
		_ = cmd.Wait()
		l.post(of, ended, func(n *news) { n.how = cmd.ProcessState.String() })
	}()
	fd := int(bell.Fd())
	return process{
		pid:    cmd.Process.Pid,
		send:   mail.put,
		signal: cmd.Process.Signal,
		ring:   func() { loop.Ring(fd) },
		close: func() {
			mail.close()
			conn.Close()
			bell.Close()
		},
	}
}

func (l *launcher) receive(conn *control.Conn, of news) {
	for {
		m, files, err := conn.Receive()
		for _, f := range files {
			f.Close() // workers have none to give
		}
		if err != nil {
			l.post(of, broke, func(n *news) { n.err = err })
			return
		}
		l.post(of, said, func(n *news) { n.message = m })
	}
}

func (l *launcher) post(of news, kind newsKind, fill func(*news)) {
	of.kind = kind
	fill(&of)
	select {
	case l.events <- of:
	case <-l.done:
	}
}
