package shm

import (
	"time"

	"golang.org/x/sys/unix"
)

// Clock is one moment on both clocks of the segment, in nanoseconds.
type Clock struct {
	Wall      int64 // CLOCK_REALTIME since 1970: of every time but heartbeats
	Monotonic int64 // CLOCK_MONOTONIC: of heartbeats
}

// Now reads both clocks.
func Now() Clock { return Clock{Wall(), Monotonic()} }

// Monotonic reads CLOCK_MONOTONIC in nanoseconds: the clock of heartbeats,
// the same for every process of a machine and untouched by whoever sets the
// time. It can't fail on Linux.
func Monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}

// Wall reads CLOCK_REALTIME in nanoseconds since 1970.
func Wall() int64 { return time.Now().UnixNano() }
