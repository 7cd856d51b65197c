package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/shm"
)

// The descriptors that a worker inherits from the supervisor.
const (
	controlFD = 3
	segmentFD = 4
	ringFD    = 5
)

// Main is a whole worker process, started by the supervisor with its three
// descriptors. It returns the exit code: 0 after a stop, 1 after a failure,
// 2 when it was started by hand.
func Main() int {
	// The reader of our log may go: that is no reason to die. Nor is what a
	// terminal sends to all processes, which is the supervisor's to act on.
	signal.Ignore(unix.SIGPIPE, unix.SIGINT, unix.SIGHUP, unix.SIGUSR2, unix.SIGTTIN, unix.SIGTTOU)
	p, err := start()
	switch {
	case errors.Is(err, errByHand):
		fmt.Fprintln(os.Stderr, "odind: "+err.Error())
		return 2
	case err != nil:
		return cantStart(err)
	}
	defer p.log.Close()
	name()
	loop.Exact()
	signals := make(chan os.Signal, 4)
	// ABRT is for the supervisor when the service manager's watchdog has lost
	// patience with it, and reaches all of the unit's processes.
	signal.Notify(signals, unix.SIGTERM, unix.SIGABRT)
	p.beside("the listener to signals", func() { p.heed(signals) })
	p.beside("the listener to the supervisor", p.listen)
	return p.run()
}

// cantStart says why, without a configuration that would say how.
func cantStart(err error) int {
	log, openErr := journal.Open(os.Stderr, journal.Options{
		Level: "info", Format: journal.JSON, Sign: []slog.Attr{slog.Int("pid", os.Getpid())},
	})
	if openErr == nil {
		log.Error("the worker can't start", "err", err)
		log.Close()
	}
	return 1
}

// name has ps and top show what the process is: it was started from
// /proc/self/exe, and would be called "exe". The main thread's name counts,
// on which cmd/odind has locked this goroutine.
func name() {
	text := []byte("odind\x00")
	// Without it the process only has an odd name.
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&text[0])), 0, 0, 0)
}

var errByHand = errors.New("worker: descriptors 3 to 5 are missing; only the supervisor starts workers: run `odind`")

func start() (*process, error) {
	for _, fd := range []int{controlFD, segmentFD, ringFD} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			return nil, errByHand
		}
		unix.CloseOnExec(fd)
	}
	conn, err := control.FromFile(os.NewFile(controlFD, "control"))
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errByHand, err)
	}
	segment, err := shm.Attach(os.NewFile(segmentFD, "segment"))
	if err != nil {
		return nil, err
	}
	first, _, err := conn.Receive()
	if err != nil {
		return nil, fmt.Errorf("worker: wait for the configuration: %w", err)
	}
	var c config.Config
	if err := json.Unmarshal(first.Config, &c); err != nil {
		return nil, fmt.Errorf("worker: read the configuration: %w", err)
	}
	log, err := openLog(c.Log, first.Slot)
	if err != nil {
		return nil, err
	}
	p, err := newProcess(c, first, log)
	if err != nil {
		return nil, err
	}
	return p, p.inherit(conn, segment, ringFD)
}

// openLog writes to standard error, which every process of odind shares.
func openLog(c config.Log, slot int) (*journal.Journal, error) {
	return journal.Open(os.Stderr, journal.Options{
		Level: c.Level, Format: c.Format, Sign: []slog.Attr{slog.Int("worker", slot), slog.Int("pid", os.Getpid())},
	})
}

// heed stops the worker: TERM comes from an operator, or from the kernel because
// the supervisor is gone.
func (p *process) heed(signals <-chan os.Signal) {
	for range signals {
		p.mail.post(func(p *process) { p.stop(p.config.Limits.StopOver) })
	}
}

// stacksMax is the most bytes of one dump.
const stacksMax = 1 << 20

func stacks() []byte {
	buf := make([]byte, stacksMax)
	return buf[:runtime.Stack(buf, true)]
}
