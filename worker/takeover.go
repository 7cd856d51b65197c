package worker

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// takeOver takes a connection out of Go's runtime: a descriptor of its own
// for the loop, and the original closed. (TCPConn.File would make the shared
// description blocking.)
func takeOver(c net.Conn) (int, error) {
	if k, ok := c.(*knock); ok {
		k.settle()
		c = k.Conn
	}
	defer c.Close()
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return -1, fmt.Errorf("worker: take over a %T", c)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("worker: take over: %w", err)
	}
	fd := -1
	var dupErr error
	err = raw.Control(func(from uintptr) {
		fd, dupErr = unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err := errors.Join(err, dupErr); err != nil {
		return -1, fmt.Errorf("worker: take over: %w", err)
	}
	return fd, nil
}

// tune sets what a session's socket needs: little unsent in the kernel, so
// that back-pressure is felt here; a bound for a peer that is gone; and no
// keep-alive, which the pings do better.
func tune(fd, notSentBytes int, userTimeout time.Duration) error {
	return errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentBytes),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds())),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0),
	)
}
