package loop

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// epollWait takes its timeout in nanoseconds: rests of half a millisecond are
// part of the loop's design, and epoll_wait would round them to 0 or 1. A call
// that may block goes through Syscall, so that the garbage collector needn't
// wait for it; one that can't block skips the scheduler.
func epollWait(fd int, events []unix.EpollEvent, timeout time.Duration) (int, error) {
	ts := unix.NsecToTimespec(int64(max(timeout, 0)))
	var n uintptr
	var errno unix.Errno
	if timeout <= 0 {
		n, _, errno = unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(fd),
			uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	} else {
		n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(fd),
			uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
