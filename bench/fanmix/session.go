package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// kind is how a session reads.
type kind uint8

const (
	normal    kind = iota // at once
	throttled             // so many bytes a second
	stuck                 // nothing, until told otherwise
)

type stage uint8

const (
	connecting stage = iota
	upgrading
	subscribing
	listening
	over
)

// session is one connection.
type session struct {
	number int   // of its patterns in the plan
	serial int32 // of the connection, to tell events of an earlier one with the same descriptor
	kind   kind
	stage  stage
	slow   bool // does not read for now, or only so much
	fd     int
	rest   []byte // a frame that isn't whole yet

	got  account
	left uint64  // records left out, as notices say, of a normal session
	last []int32 // by partition: the last offset, less than which none may follow

	story *story   // of a slow one
	away  *absence // of one that leaves and comes back
	code  int      // of the close frame, 0: none came
	began time.Time
	lived time.Duration
	fault error
}

func newSession(number int, k kind) *session { return &session{number: number, kind: k, fd: -1} }

func (c *crowd) begin(s *session) {
	if s.kind != normal {
		s.story = &story{patterns: c.plan.patterns[s.number]}
	}
	s.last = make([]int32, c.reader.topics*c.reader.partitions)
	for i := range s.last {
		s.last[i] = -1
	}
	c.sessions = append(c.sessions, s)
	s.serial = int32(len(c.sessions))
	c.pending++
	s.began = time.Now()
	if err := c.connect(s); err != nil {
		c.lose(s, err)
	}
}

func (c *crowd) connect(s *session) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	s.fd = fd
	// RST at the end: no TIME_WAIT is left behind.
	if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	if err := unix.Connect(fd, &c.addr); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	c.byFD[fd] = s
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(fd), Pad: s.serial})
}

// watch sets what the session is waited for. Errors and a hang-up always are.
func (c *crowd) watch(s *session, events uint32) {
	if err := unix.EpollCtl(c.epoll, unix.EPOLL_CTL_MOD, s.fd, &unix.EpollEvent{Events: events, Fd: int32(s.fd), Pad: s.serial}); err != nil {
		c.lose(s, err)
	}
}

// upgrade sends the request once TCP is connected.
func (c *crowd) upgrade(s *session) {
	if code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
		c.lose(s, fmt.Errorf("connect: %w", unix.Errno(code)))
		return
	}
	s.stage = upgrading
	c.send(s, []byte("GET "+c.path+" HTTP/1.1\r\nHost: "+c.host+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\n"+c.offer()+"Sec-WebSocket-Key: "+handshakeKey+"\r\n\r\n"))
	c.watch(s, unix.EPOLLIN)
}

func (c *crowd) offer() string {
	if c.inflater == nil {
		return ""
	}
	return "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
}

// send wants all of it taken: requests are few and small.
func (c *crowd) send(s *session, b []byte) {
	if s.stage == over {
		return
	}
	if n, err := unix.SendmsgN(s.fd, b, nil, nil, unix.MSG_NOSIGNAL); err != nil || n < len(b) {
		c.lose(s, fmt.Errorf("sent %d of %d bytes: %w", n, len(b), err))
	}
}

// lose ends a session; a nil error is an end as it should be.
func (c *crowd) lose(s *session, err error) {
	if s.stage == over {
		return
	}
	if s.stage != listening {
		c.pending--
	} else {
		c.open.Add(-1)
	}
	s.stage, s.fault, s.rest, s.lived = over, err, nil, time.Since(s.began)
	if s.fd >= 0 {
		delete(c.byFD, s.fd)
		_ = unix.Close(s.fd)
	}
	s.fd, s.slow = -1, false // the descriptor is another session's soon
	c.ended(s)
}

// frames takes all whole frames off b and keeps the rest.
func (c *crowd) frames(s *session, b []byte) {
	for s.stage != over {
		op, payload, size, err := cutFrame(b)
		if err != nil {
			c.lose(s, err)
			return
		}
		if size == 0 {
			break
		}
		b = b[size:]
		c.frame(s, op, payload)
	}
	s.rest = append(s.rest[:0], b...)
	if len(s.rest) == 0 {
		s.rest = nil // an idle session has none
	}
}

func (c *crowd) frame(s *session, op byte, payload []byte) {
	switch op {
	case opText | deflatedBit:
		plain, err := c.inflate(payload)
		if err == nil {
			err = c.text(s, plain)
		}
		if err != nil {
			c.lose(s, err)
		}
	case opText:
		if err := c.text(s, payload); err != nil {
			c.lose(s, err)
		}
	case opPing:
		c.send(s, clientFrame(opPong, payload))
	case opClose:
		if len(payload) >= 2 {
			s.code = int(payload[0])<<8 | int(payload[1])
		}
		if s.away != nil && s.stage == subscribing && (s.code == closeRestarting || s.code == closeOverloaded) {
			c.comeAgain(s)
			return
		}
		c.lose(s, fmt.Errorf("closed with %d %.200s", s.code, payload[min(2, len(payload)):]))
	case opPong:
	default:
		c.lose(s, fmt.Errorf("a frame begins with %x", 0x80|op))
	}
}

func (c *crowd) inflate(b []byte) ([]byte, error) {
	if c.inflater == nil {
		return nil, errors.New("compressed, and not agreed on")
	}
	return c.inflater.inflate(b)
}

func (c *crowd) text(s *session, b []byte) error {
	if isRecord(b) {
		return c.record(s, b)
	}
	a, err := parseAnswer(b)
	if err != nil {
		return err
	}
	switch {
	case a.Type == "hello" && s.stage == upgrading:
		s.stage = subscribing
		text := c.plan.request(s.number)
		if s.away != nil {
			text = c.resumeRequest(s)
		}
		c.send(s, clientFrame(opText, []byte(text)))
	case a.Type == "subscription_ack" && s.stage == subscribing && len(a.Rejected) == 0:
		return c.subscribed(s, a)
	case a.Type == "reconnect_ack" && s.stage == subscribing && s.away != nil:
		return c.resumed(s, a)
	case a.Type == "gap" && s.stage == listening:
		return c.gap(s, a)
	case a.Type == "pong" && s.story != nil:
		s.story.to = c.reader.marks(a)
		c.lose(s, nil)
	default:
		return fmt.Errorf("unasked: %.300s", b)
	}
	return nil
}

func (c *crowd) subscribed(s *session, a answer) error {
	s.stage = listening
	c.pending--
	c.open.Add(1)
	if s.story != nil {
		s.story.from = c.reader.marks(a)
		s.slow = !c.dismissed
		if s.slow {
			c.watch(s, 0)
		}
	}
	if s.number >= c.stayers {
		return s.keep(a, c.reader.marks(a))
	}
	return nil
}

func (c *crowd) record(s *session, b []byte) error {
	channel, at, sent, err := c.reader.record(b)
	if err != nil {
		return err
	}
	c.deliveries++
	if s.last[at.partition] >= int32(at.offset) {
		return fmt.Errorf("%+v behind %d: repeated, or out of order", at, s.last[at.partition])
	}
	s.last[at.partition] = int32(at.offset)
	if s.story != nil {
		s.story.log = append(s.story.log, heard{channel: channel, at: at})
		return nil
	}
	s.got.enter(at)
	if w := c.window; w != nil {
		w.deliveries++
		if s.number < c.stayers {
			w.histogram.add(uint64(max(c.now-int64(sent), 0)))
		}
	}
	return nil
}

func (c *crowd) gap(s *session, a answer) error {
	channel, err := c.reader.channel(a.Channel)
	if err != nil {
		return err
	}
	at, ok := c.reader.reached([]byte(a.Pos))
	if !ok || a.Dropped < 1 {
		return fmt.Errorf("a gap without sense: %+v", a)
	}
	if s.story == nil {
		s.left += uint64(a.Dropped)
		return nil
	}
	s.story.log = append(s.story.log, heard{channel: channel, dropped: a.Dropped, at: at})
	return nil
}
