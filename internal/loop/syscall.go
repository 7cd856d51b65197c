package loop

import (
	"time"
	"unsafe" // for linkname, too

	"golang.org/x/sys/unix"
)

// epollWait takes its timeout in nanoseconds: rests of half a millisecond are
// part of the loop's design, and epoll_wait would round them to 0 or 1. A call
// that may block tells the runtime, so that the garbage collector needn't wait
// for it; one that can't block skips the scheduler.
func epollWait(fd int, events []unix.EpollEvent, timeout time.Duration) (int, error) {
	ts := unix.NsecToTimespec(int64(max(timeout, 0)))
	var n uintptr
	var errno unix.Errno
	if timeout <= 0 {
		n, errno = waitRaw(fd, events, &ts)
	} else {
		n, errno = waitBlocked(fd, events, &ts)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// waitRaw is epoll_pwait2 that returns at once.
func waitRaw(fd int, events []unix.EpollEvent, timeout *unix.Timespec) (uintptr, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(unsafe.Pointer(timeout)), 0, 0)
	return n, errno
}

// WaitRead waits until the socket has input, and takes what is there, as Read
// does. The socket blocks; Again is its own timeout (SO_RCVTIMEO), or a signal.
// The calling goroutine takes its thread along, and nobody has to wake it: where
// that thread is all that waits for the socket, it costs the fewest wake-ups.
func WaitRead(fd int, buf []byte) (int, Status) {
	n, errno := readBlocked(fd, buf)
	switch {
	case errno == unix.EINTR:
		return 0, Again
	case errno != 0:
		return 0, failure(errno)
	case n == 0:
		return 0, EOF
	}
	return int(n), OK
}

// Nap sleeps together with its thread, or until a signal.
func Nap(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	sleepBlocked(&ts)
}

// The runtime's own way to say that a call is going to block. Without it the
// runtime's monitor wakes up again and again to see whether the call still
// lasts, until after 10 ms it takes the loop's place among GOMAXPROCS away: for
// a loop that waits 20 ms for each record those were 15 wake-ups beside one of
// its own (docs/DESIGN.md). The runtime keeps both names as they are for
// programs such as gVisor (go.dev/issue/67401); with a Go that doesn't any more
// this doesn't link, and what is between the two becomes unix.Syscall6. Each call
// has a function of its own, since a pointer has to be one until the very call.

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// waitBlocked is epoll_pwait2 that is expected to block. Between the runtime's
// calls the stack must not grow, hence nosplit, nor the race detector look.
//
//go:nosplit
//go:norace
func waitBlocked(fd int, events []unix.EpollEvent, timeout *unix.Timespec) (uintptr, unix.Errno) {
	entersyscallblock()
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(unsafe.Pointer(timeout)), 0, 0)
	exitsyscall()
	return n, errno
}

// readBlocked is recvfrom that is expected to block.
//
//go:nosplit
//go:norace
func readBlocked(fd int, buf []byte) (uintptr, unix.Errno) {
	entersyscallblock()
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), 0, 0, 0)
	exitsyscall()
	return n, errno
}

// sleepBlocked is nanosleep.
//
//go:nosplit
//go:norace
func sleepBlocked(ts *unix.Timespec) {
	entersyscallblock()
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(ts)), 0, 0)
	exitsyscall()
}
