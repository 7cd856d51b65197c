package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// crowd is all sessions, and the loop that owns them. Others change it by
// orders alone.
type crowd struct {
	plan   *plan
	reader reader
	addr   unix.SockaddrInet4
	host   string
	path   string

	epoll    int
	byFD     map[int]*session
	sessions []*session
	buffer   []byte
	orders   chan func()
	now      int64 // CLOCK_REALTIME, ns: when this pass began to read
	ticks    int

	inflight, pending int
	throttle          int       // bytes a second of a throttled session
	inflater          *inflater // nil: compression is not offered
	wanted            []*session
	again             int  // replays that had to be begun a second time
	stayers           int  // sessions from this number on leave and come back: their latencies don't count
	replace           bool // a slow session that is closed is followed by another
	dismissed         bool // slow sessions read like any other from now on

	open       atomic.Int64
	deliveries uint64
	window     *window
	done       bool
}

// window is a span of time in which latencies are taken.
type window struct {
	histogram  histogram
	deliveries uint64
	bytes      uint64 // frames, as they came
}

var errEnded = errors.New("the connection ended")

// tick is how often orders and throttled sessions are looked at.
const tick = 10 * time.Millisecond

func newCrowd(p *plan, r reader, to string, inflight, throttle int) (*crowd, error) {
	u, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	ap, err := netip.ParseAddrPort(u.Host)
	if err != nil {
		return nil, err
	}
	if !ap.Addr().IsLoopback() || !ap.Addr().Is4() {
		return nil, errors.New("only loopback addresses are loaded")
	}
	c := &crowd{
		plan: p, reader: r, host: u.Host, path: u.Path, addr: unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()},
		byFD: map[int]*session{}, buffer: make([]byte, 256<<10), orders: make(chan func()),
		inflight: inflight, throttle: throttle,
	}
	c.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return c, err
}

// do has the loop do something, and waits until it is done.
func (c *crowd) do(f func()) {
	over := make(chan struct{})
	c.orders <- func() { f(); close(over) }
	<-over
}

func (c *crowd) run() {
	runtime.LockOSThread()
	events := make([]unix.EpollEvent, 1024)
	next := time.Now()
	for !c.done {
		n, err := unix.EpollWait(c.epoll, events, 1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			panic(err)
		}
		c.now = time.Now().UnixNano()
		for _, ev := range events[:max(n, 0)] {
			if s := c.byFD[int(ev.Fd)]; s != nil && s.serial == ev.Pad {
				c.happened(s)
			}
		}
		if now := time.Now(); now.After(next) {
			next = now.Add(tick)
			c.tick()
		}
	}
}

func (c *crowd) tick() {
	select {
	case f := <-c.orders:
		f()
	default:
	}
	c.beginWanted()
	c.ticks++
	if c.throttle > 0 {
		c.readThrottled()
	}
}

// want has so many sessions of a kind opened, with the patterns from first on.
func (c *crowd) want(first, n int, k kind) {
	for i := range n {
		c.wanted = append(c.wanted, newSession(first+i, k))
	}
}

// beginWanted opens what is wanted, as many at once as there may be.
func (c *crowd) beginWanted() {
	for c.pending < c.inflight && len(c.wanted) > 0 {
		w := c.wanted[0]
		c.wanted = c.wanted[1:]
		if w.away != nil {
			c.reconnect(w)
		} else {
			c.begin(w)
		}
	}
}

func (c *crowd) happened(s *session) {
	switch {
	case s.stage == connecting:
		c.upgrade(s)
	case s.slow: // an error or a hang-up: what has come is looked at all the same
		c.resume(s)
	default:
		c.read(s, len(c.buffer))
	}
	c.beginWanted()
}

// read takes what has come, at most so much.
func (c *crowd) read(s *session, most int) {
	held := copy(c.buffer, s.rest)
	if held == len(c.buffer) { // a frame larger than the buffer
		c.buffer = append(c.buffer, make([]byte, len(c.buffer))...)
	}
	n, err := unix.Read(s.fd, c.buffer[held:min(held+most, len(c.buffer))])
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return
	case err != nil:
		c.lose(s, err)
		return
	case n == 0:
		c.lose(s, errEnded)
		return
	}
	if c.window != nil && s.story == nil {
		c.window.bytes += uint64(n)
	}
	b := c.buffer[:held+n]
	if s.stage == upgrading && !bytes.HasPrefix(b, []byte{0x81}) {
		b = c.upgraded(s, b)
	}
	if b != nil {
		c.frames(s, b)
	}
}

// upgraded takes the answer to the handshake off, nil when there is nothing
// behind it yet.
func (c *crowd) upgraded(s *session, b []byte) []byte {
	head, rest, whole := bytes.Cut(b, []byte("\r\n\r\n"))
	switch {
	case !whole && len(b) < 16<<10:
		s.rest = append(s.rest[:0], b...)
		return nil
	case !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || !bytes.Contains(head, []byte(handshakeAccept)):
		c.lose(s, fmt.Errorf("refused: %.300q", b))
		return nil
	case c.inflater != nil && !bytes.Contains(head, []byte("permessage-deflate")):
		c.lose(s, fmt.Errorf("compression is not agreed on: %.300q", b))
		return nil
	}
	s.rest = nil
	return rest
}

// readThrottled gives each throttled session its share ten times a second, a
// tenth of them in each tick.
func (c *crowd) readThrottled() {
	for i, s := range c.sessions {
		if s.kind == throttled && s.slow && i%10 == c.ticks%10 {
			c.read(s, c.throttle/10)
		}
	}
}

// resume has a slow session read like any other from now on.
func (c *crowd) resume(s *session) {
	if s.slow {
		s.slow = false
		c.watch(s, unix.EPOLLIN)
	}
}

// ended takes note of an end.
func (c *crowd) ended(s *session) {
	if s.kind != normal && c.replace {
		c.want(s.number, 1, s.kind)
	}
}

// await waits until the loop says yes; it fails after so long.
func (c *crowd) await(what string, within time.Duration, ready func() bool) error {
	for end := time.Now().Add(within); ; time.Sleep(tick) {
		ok, detail := false, ""
		c.do(func() { ok, detail = ready(), c.state() })
		if ok {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("not within %v: %s: %s", within, what, detail)
		}
	}
}

// slowOnes counts the slow sessions that are not over and of which f is true.
func (c *crowd) slowOnes(f func(*session) bool) (n int) {
	for _, s := range c.sessions {
		if s.kind != normal && s.stage != over && f(s) {
			n++
		}
	}
	return n
}

// state is for people: how many sessions are in which stage, and the first
// fault.
func (c *crowd) state() string {
	n := map[stage]int{}
	var fault error
	for _, s := range c.sessions {
		n[s.stage]++
		if fault == nil {
			fault = s.fault
		}
	}
	return fmt.Sprintf("%d wanted, %d connecting, %d upgrading, %d subscribing, %d listening, %d over (first: %v)",
		len(c.wanted), n[connecting], n[upgrading], n[subscribing], n[listening], n[over], fault)
}
