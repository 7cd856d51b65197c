package loop

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Status is how a read or write on a raw descriptor ended.
type Status int

// The ends. Again means: nothing more now, wait for the poller. EOF is the
// peer's half-close (reads only). Failed is any error; the connection is gone.
const (
	OK Status = iota
	Again
	EOF
	Failed
)

// VectorMax is the most buffers that one Writev sends.
const VectorMax = 256

// Read takes what is there, at most len(buf) bytes. buf must not be empty.
func Read(fd int, buf []byte) (int, Status) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
			uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, failure(errno)
		case n == 0:
			return 0, EOF
		default:
			return int(n), OK
		}
	}
}

// Write sends what the socket takes of buf and returns how much that was. OK
// means that it took all of it, Again that it is full. A peer that is gone is
// Failed and no signal.
func Write(fd int, buf []byte) (int, Status) {
	if len(buf) == 0 {
		return 0, OK
	}
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, failure(errno)
		case int(n) < len(buf):
			return int(n), Again
		default:
			return int(n), OK
		}
	}
}

// Vector gathers buffers for one Writev. Reuse it: it keeps its array.
type Vector struct {
	iov   [VectorMax]unix.Iovec
	n     int
	bytes int
}

// Add takes one more buffer and reports whether there was room. An empty one
// takes no room.
func (v *Vector) Add(buf []byte) bool {
	if len(buf) == 0 {
		return true
	}
	if v.n == VectorMax {
		return false
	}
	v.iov[v.n].Base = &buf[0]
	v.iov[v.n].SetLen(len(buf))
	v.n++
	v.bytes += len(buf)
	return true
}

// Reset forgets the buffers.
func (v *Vector) Reset() {
	clear(v.iov[:v.n])
	v.n, v.bytes = 0, 0
}

// Len is how many buffers it has.
func (v *Vector) Len() int { return v.n }

// Writev sends what the socket takes of all buffers, as Write does.
func Writev(fd int, v *Vector) (int, Status) {
	if v.n == 0 {
		return 0, OK
	}
	var msg unix.Msghdr
	msg.Iov = &v.iov[0]
	msg.SetIovlen(v.n)
	defer runtime.KeepAlive(v)
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd),
			uintptr(unsafe.Pointer(&msg)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, failure(errno)
		case int(n) < v.bytes:
			return int(n), Again
		default:
			return int(n), OK
		}
	}
}

func failure(errno unix.Errno) Status {
	if errno == unix.EAGAIN {
		return Again
	}
	return Failed
}
