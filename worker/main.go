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
	p, err := start()
	if err != nil {
		slog.New(slog.NewTextHandler(os.Stderr, nil)).Error("the worker can't start", "err", err, "pid", os.Getpid())
		if errors.Is(err, errByHand) {
			return 2
		}
		return 1
	}
	name()
	signals := make(chan os.Signal, 4)
	// ABRT is for the supervisor when the service manager's watchdog has lost
	// patience with it, and reaches all of the unit's processes.
	signal.Notify(signals, unix.SIGTERM, unix.SIGABRT)
	// What a terminal sends to all processes is the supervisor's to act on.
	signal.Ignore(unix.SIGINT, unix.SIGHUP, unix.SIGUSR2, unix.SIGTTIN, unix.SIGTTOU)
	go p.heed(signals)
	go p.listen()
	return p.run()
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
	log, level := newLogger(c.Log, first.Slot)
	p, err := newProcess(c, first, log, level)
	if err != nil {
		return nil, err
	}
	return p, p.inherit(conn, segment, ringFD)
}

// newLogger writes to standard error, which every process of odind shares.
func newLogger(c config.Log, slot int) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	setLevel(level, c.Level)
	options := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewJSONHandler(os.Stderr, options)
	if c.Format == "text" {
		h = slog.NewTextHandler(os.Stderr, options)
	}
	return slog.New(h).With("worker", slot, "pid", os.Getpid()), level
}

func setLevel(level *slog.LevelVar, text string) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(text)); err == nil {
		level.Set(l)
	}
}

// heed stops the worker: TERM comes from an operator, or from the kernel because
// the supervisor is gone.
func (p *process) heed(signals <-chan os.Signal) {
	for range signals {
		p.mail.post(func(p *process) { p.stop(p.config.Limits.StopOver) })
	}
}

// dump writes the stacks of all goroutines to standard error.
func dump() {
	buf := make([]byte, 1<<20)
	_, _ = os.Stderr.Write(buf[:runtime.Stack(buf, true)])
}
