package supervisor

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/shm"
)

// measureEvery is how often our own use of the machine is measured.
const measureEvery = time.Second

// usage keeps our own numbers in the segment.
type usage struct {
	process  *shm.Process
	log      *journal.Journal
	measured time.Time
	last     syscall.Rusage // at measured
	dropped  uint64         // lines of the log, at measured
	repeated uint64
}

// due measures, if it is time to.
func (u *usage) due(now time.Time) bool {
	if now.Sub(u.measured) < measureEvery {
		return false
	}
	u.measured = now
	u.measure()
	return true
}

func (u *usage) measure() {
	p := u.process
	var now syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &now) == nil {
		p.Add(shm.SupervisorCPUUser, uint64(max(0, now.Utime.Nano()-u.last.Utime.Nano())))
		p.Add(shm.SupervisorCPUSystem, uint64(max(0, now.Stime.Nano()-u.last.Stime.Nano())))
		u.last = now
	}
	dropped, repeated := u.log.Dropped(), u.log.Repeated()
	p.Add(shm.SupervisorLogDropped, dropped-u.dropped)
	p.Add(shm.SupervisorLogRepeated, repeated-u.repeated)
	u.dropped, u.repeated = dropped, repeated
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	p.Set(shm.SupervisorHeapBytes, int64(memory.HeapAlloc))
	p.Set(shm.SupervisorResidentBytes, residentBytes())
	p.Set(shm.SupervisorGoroutines, int64(runtime.NumGoroutine()))
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		p.Set(shm.SupervisorOpenFds, int64(len(open)-1)) // the directory itself
	}
}

// residentBytes reads the second field of /proc/self/statm, in pages; 0 if
// that can't be had.
func residentBytes() int64 {
	var size, resident int64
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		_, _ = fmt.Sscan(string(text), &size, &resident)
	}
	return resident * int64(os.Getpagesize())
}
