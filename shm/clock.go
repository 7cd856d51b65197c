package shm

import (
	"time"

	"golang.org/x/sys/unix"
)

// Monotonic reads CLOCK_MONOTONIC in nanoseconds: the clock of heartbeats,
// the same for every process of a machine and untouched by whoever sets the
// time. It can't fail on Linux.
func Monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}

// Wall reads CLOCK_REALTIME in nanoseconds since 1970: the clock of every
// other time in the segment.
func Wall() int64 { return time.Now().UnixNano() }
