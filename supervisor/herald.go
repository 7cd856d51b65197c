package supervisor

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/odin-ws/odin/shm"
	"github.com/odin-ws/odin/systemd"
)

// herald tells the outside how odind does: the caller of Run and the service
// manager.
type herald struct {
	notifier  *systemd.Notifier
	physician *physician
	info      ReadyInfo
	ready     func(ReadyInfo)
	log       *slog.Logger

	announced bool
	stopping  bool
	status    string
	barked    time.Time // last told the watchdog
	measured  time.Time
	usage     syscall.Rusage // at measured
}

// tell passes on what has changed.
func (h *herald) tell(c *crew) {
	is := c.readiness.Load()
	if is.ready && !h.announced {
		h.announced = true
		h.log.Info("ready", "ws", h.info.WS, "operator", h.info.Operator)
		if h.ready != nil {
			h.ready(h.info)
		}
		h.check(h.notifier.Ready())
	}
	if c.stopping && !h.stopping {
		h.stopping = true
		h.check(h.notifier.Stopping())
	}
	if status := c.summary(is); status != h.status {
		h.status = status
		h.check(h.notifier.Status(status))
	}
}

func (h *herald) check(err error) {
	if err != nil {
		h.log.Warn("service manager not told", "err", err)
	}
}

// summary is one line for `systemctl status`.
func (c *crew) summary(is *readiness) string {
	line := fmt.Sprintf("%d of %d workers accept, %d partitions", c.accepting(), len(c.slots), c.segment.Partitions())
	if !is.ready {
		line += ": " + strings.Join(is.reasons, "; ")
	}
	return line
}

// measureEvery is how often our own use of the machine is measured.
const measureEvery = time.Second

// tick feeds the watchdog and keeps our own numbers.
func (h *herald) tick(now time.Time, segment *shm.Segment) {
	if every := h.notifier.WatchdogInterval(); every > 0 && now.Sub(h.barked) >= every {
		h.barked = now
		h.check(h.notifier.Watchdog())
	}
	if now.Sub(h.measured) >= measureEvery {
		h.measured = now
		h.measure(segment.Process())
		h.physician.measure(now)
	}
}

func (h *herald) measure(p *shm.Process) {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		p.Add(shm.SupervisorCPUUser, uint64(max(0, usage.Utime.Nano()-h.usage.Utime.Nano())))
		p.Add(shm.SupervisorCPUSystem, uint64(max(0, usage.Stime.Nano()-h.usage.Stime.Nano())))
		h.usage = usage
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	p.Set(shm.SupervisorHeapBytes, int64(memory.HeapAlloc))
	p.Set(shm.SupervisorGoroutines, int64(runtime.NumGoroutine()))
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		p.Set(shm.SupervisorOpenFds, int64(len(open)-1)) // the directory itself
	}
}
