package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/loop"
)

// socket is a TCP connection whose reader blocks together with its thread. Of
// all methods of a net.Conn only cut may be called beside another one.
type socket struct {
	net.Conn // what it was made of, closed: for its addresses
	fd       int
	deadline time.Time

	mu     sync.Mutex
	closed bool
}

// errBroken is a read or write that failed: the peer reset the connection, or the
// network lost it.
var errBroken = errors.New("the connection broke")

// socketPatience is how long the kernel lets one read or write wait before the
// deadline is looked at.
const socketPatience = time.Second

// dialSocket connects. cut by ctx, reads and writes end.
func dialSocket(ctx context.Context, addr string) (*socket, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	fd, err := descriptor(conn)
	if err != nil {
		return nil, fmt.Errorf("take over the connection to %s: %w", addr, err)
	}
	return &socket{Conn: conn, fd: fd}, nil
}

// descriptor makes one of its own for a connection, which blocks.
func descriptor(conn net.Conn) (fd int, err error) {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return -1, err
	}
	var dup error
	if err = raw.Control(func(old uintptr) { fd, dup = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }); err == nil {
		err = dup
	}
	if err != nil {
		return -1, err
	}
	wait := unix.NsecToTimeval(int64(socketPatience))
	err = errors.Join(unix.SetNonblock(fd, false),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait))
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Read waits for input until the deadline.
func (s *socket) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for !s.late() {
		n, status := loop.WaitRead(s.fd, b)
		switch status {
		case loop.OK:
			return n, nil
		case loop.EOF:
			return 0, io.EOF
		case loop.Failed:
			return 0, errBroken
		}
	}
	return 0, os.ErrDeadlineExceeded
}

// Write writes all, until the deadline.
func (s *socket) Write(b []byte) (n int, err error) {
	for n < len(b) {
		sent, status := loop.Write(s.fd, b[n:])
		n += sent
		if status == loop.Failed {
			return n, errBroken
		}
		if status == loop.Again {
			if err := s.awaitRoom(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// awaitRoom waits until the socket takes more. That is rare: a request fits.
func (s *socket) awaitRoom() error {
	poll := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	if _, err := unix.Poll(poll, int(socketPatience.Milliseconds())); err != nil && !errors.Is(err, unix.EINTR) {
		return err
	}
	if s.late() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (s *socket) late() bool { return !s.deadline.IsZero() && time.Now().After(s.deadline) }

// SetDeadline is met within socketPatience.
func (s *socket) SetDeadline(t time.Time) error {
	s.deadline = t
	return nil
}

// SetReadDeadline is SetDeadline: one side waits at a time.
func (s *socket) SetReadDeadline(t time.Time) error { return s.SetDeadline(t) }

// SetWriteDeadline is SetDeadline.
func (s *socket) SetWriteDeadline(t time.Time) error { return s.SetDeadline(t) }

// cut ends the connection, and with it a read that waits. Safe beside all else.
func (s *socket) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed { // the number may be another's by now
		_ = unix.Shutdown(s.fd, unix.SHUT_RDWR)
	}
}

// Close gives the descriptor back. Only who reads and writes may call it.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return unix.Close(s.fd)
}
