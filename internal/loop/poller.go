package loop

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Interest says what a descriptor waits for. Input includes the peer's
// half-close (RDHUP), which would otherwise make a level-triggered loop spin.
type Interest uint32

// The interests; they combine by "or".
const (
	Input  Interest = unix.EPOLLIN | unix.EPOLLRDHUP
	Output Interest = unix.EPOLLOUT
)

// Event is one descriptor that became ready.
type Event struct {
	Token  uint64 // as given to Add
	Input  bool   // readable, half-closed or in error: a read tells which
	Output bool
}

// eventsMax bounds what one Wait returns; the rest comes with the next one.
const eventsMax = 512

// Poller is a level-triggered epoll set.
type Poller struct {
	fd     int
	raw    [eventsMax]unix.EpollEvent
	events [eventsMax]Event
}

// NewPoller makes an empty set.
func NewPoller() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("loop: epoll_create: %w", err)
	}
	return &Poller{fd: fd}, nil
}

// FD is the set's own descriptor: a set nests in another one.
func (p *Poller) FD() int { return p.fd }

// Close gives the set back; its members stay open.
func (p *Poller) Close() error { return unix.Close(p.fd) }

// Add puts fd into the set. The token comes back in its events; make it unique
// per use of the number fd, since an event may be older than a close.
func (p *Poller) Add(fd int, token uint64, in Interest) error {
	return p.ctl(unix.EPOLL_CTL_ADD, fd, token, in)
}

// Modify changes what fd waits for.
func (p *Poller) Modify(fd int, token uint64, in Interest) error {
	return p.ctl(unix.EPOLL_CTL_MOD, fd, token, in)
}

// Remove takes fd out of the set. Needed before a close only where the open
// file description lives on elsewhere.
func (p *Poller) Remove(fd int) error { return p.ctl(unix.EPOLL_CTL_DEL, fd, 0, 0) }

func (p *Poller) ctl(op, fd int, token uint64, in Interest) error {
	ev := unix.EpollEvent{Events: uint32(in), Fd: int32(token), Pad: int32(token >> 32)}
	if err := unix.EpollCtl(p.fd, op, fd, &ev); err != nil {
		return fmt.Errorf("loop: epoll_ctl %d on fd %d: %w", op, fd, err)
	}
	return nil
}

// Wait returns what is ready, after at most timeout (0: at once). A signal
// ends it early with nothing. The slice is valid until the next Wait.
func (p *Poller) Wait(timeout time.Duration) ([]Event, error) {
	n, err := epollWait(p.fd, p.raw[:], timeout)
	if err != nil {
		if errors.Is(err, unix.EINTR) {
			return nil, nil
		}
		return nil, fmt.Errorf("loop: epoll_pwait2: %w", err)
	}
	for i := range n {
		p.events[i] = eventOf(&p.raw[i])
	}
	return p.events[:n], nil
}

func eventOf(ev *unix.EpollEvent) Event {
	const input = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	return Event{
		Token:  uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32,
		Input:  ev.Events&input != 0,
		Output: ev.Events&unix.EPOLLOUT != 0,
	}
}
