package loop

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Waker ends a Wait from another goroutine. The loop announces that it is
// about to sleep; whoever publishes something afterwards rings, and only the
// first one pays for it.
type Waker struct {
	fd       int
	sleeping atomic.Uint32
}

// NewWaker makes one; add FD to the poller for Input.
func NewWaker() (*Waker, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("loop: eventfd: %w", err)
	}
	return &Waker{fd: fd}, nil
}

// FD is the descriptor that becomes readable.
func (w *Waker) FD() int { return w.fd }

// Close gives the descriptor back.
func (w *Waker) Close() error { return unix.Close(w.fd) }

// Sleep announces a wait. Call it, then look once more for work, then wait:
// what is published after the look finds the announcement and rings.
func (w *Waker) Sleep() { w.sleeping.Store(1) }

// Awake takes the announcement back.
func (w *Waker) Awake() { w.sleeping.Store(0) }

// Wake ends the loop's sleep, now or as soon as it begins. Publish first. Safe
// from any goroutine.
func (w *Waker) Wake() {
	if w.sleeping.Swap(0) == 1 {
		Ring(w.fd)
	}
}

// Ring adds one to an eventfd. It never blocks; a full one is rung already.
func Ring(fd int) {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	for {
		if _, err := unix.Write(fd, one[:]); err != unix.EINTR {
			return
		}
	}
}

// Drain takes the rings out of an eventfd, so that it is no longer readable.
func Drain(fd int) {
	var n [8]byte
	for {
		if _, err := unix.Read(fd, n[:]); err != unix.EINTR {
			return
		}
	}
}
