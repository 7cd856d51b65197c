package control

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// MessageMax is the most bytes of one encoded message. A report of 4,096
	// partitions with the largest offsets takes 200 KiB.
	MessageMax = 1 << 20
	// FilesMax is the most descriptors that one message carries.
	FilesMax = 4

	headSize = 8 // length (32 bits), files (32 bits), little endian
	readSize = 16 << 10
)

var (
	// ErrTooLarge is a message beyond MessageMax or FilesMax.
	ErrTooLarge = errors.New("control: message larger than the limit")
	// ErrLostFiles means that descriptors of a message were not delivered,
	// as a rule because this process has no free one.
	ErrLostFiles = errors.New("control: descriptors lost on the way (is the limit of open files reached?)")
)

// Conn is one end of the talk between supervisor and a worker. Send may be
// called from any goroutine, Receive from one.
type Conn struct {
	conn *net.UnixConn

	sending sync.Mutex

	in    []byte // received and not yet given out
	files []*os.File
}

// Pair makes a connected pair: this process's end, and the file to inherit.
func Pair() (*Conn, *os.File, error) {
	near, far, err := Socketpair()
	if err != nil {
		return nil, nil, err
	}
	c, err := FromFile(near)
	if err != nil {
		return nil, nil, errors.Join(err, far.Close())
	}
	return c, far, nil
}

// FromFile takes over the inherited end of a Pair; f is closed.
func FromFile(f *os.File) (*Conn, error) {
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("control: take over %s: %w", f.Name(), err)
	}
	uc, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("control: %s is no Unix socket", f.Name())
	}
	return &Conn{conn: uc}, nil
}

// Close ends the connection; the peer receives io.EOF.
func (c *Conn) Close() error { return c.conn.Close() }

// SetSendDeadline bounds every later Send; the zero time lifts the bound.
func (c *Conn) SetSendDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }

// Send writes one message and copies of the files with it: the caller keeps
// and closes its own. It blocks while the peer does not read; after an error
// the stream may be cut inside a message and must be closed.
func (c *Conn) Send(m Message, files ...*os.File) error {
	if err := c.send(m, files); err != nil {
		return fmt.Errorf("control: send %s: %w", m.Type, err)
	}
	return nil
}

func (c *Conn) send(m Message, files []*os.File) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(body) > MessageMax || len(files) > FilesMax {
		return ErrTooLarge
	}
	out := make([]byte, headSize, headSize+len(body))
	binary.LittleEndian.PutUint32(out, uint32(len(body)))
	binary.LittleEndian.PutUint32(out[4:], uint32(len(files)))
	out = append(out, body...)

	c.sending.Lock()
	defer c.sending.Unlock()
	return withDescriptors(files, nil, func(fds []int) error { return c.write(out, fds) })
}

// write sends the descriptors with the first byte. The first sendmsg may take
// a part of the bytes only; Write sends all of the rest.
func (c *Conn) write(out []byte, fds []int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	n, _, err := c.conn.WriteMsgUnix(out, rights, nil)
	if err == nil && n < len(out) {
		_, err = c.conn.Write(out[n:])
	}
	return err
}

// Receive waits for the next message. The files are the caller's to close (or
// to Detach). io.EOF: the peer is gone; so is it after any other error (a
// peer killed with unread messages shows as ECONNRESET).
func (c *Conn) Receive() (Message, []*os.File, error) {
	for {
		m, files, ok, err := c.next()
		if ok || err != nil {
			return m, files, err
		}
		if err := c.fill(); err != nil {
			return Message{}, nil, err
		}
	}
}

// next cuts one complete message from what was received.
func (c *Conn) next() (m Message, files []*os.File, ok bool, err error) {
	if len(c.in) < headSize {
		return m, nil, false, nil
	}
	size := binary.LittleEndian.Uint32(c.in)
	count := binary.LittleEndian.Uint32(c.in[4:])
	if size > MessageMax || count > FilesMax {
		return m, nil, false, fmt.Errorf("control: receive: %w", ErrTooLarge)
	}
	if len(c.in) < headSize+int(size) {
		return m, nil, false, nil
	}
	if len(c.files) < int(count) {
		return m, nil, false, ErrLostFiles
	}
	if err := json.Unmarshal(c.in[headSize:headSize+int(size)], &m); err != nil {
		return m, nil, false, fmt.Errorf("control: receive: %w", err)
	}
	c.in = c.in[headSize+int(size):]
	files, c.files = c.files[:count:count], c.files[count:]
	return m, files, true, nil
}

// fill reads once, at most what one message may need.
func (c *Conn) fill() error {
	c.in = grow(c.in)
	var oob [64]byte // unix.CmsgSpace(FilesMax * 4) is 32
	n, oobn, flags, _, err := c.conn.ReadMsgUnix(c.in[len(c.in):cap(c.in)], oob[:])
	c.in = c.in[:len(c.in)+max(n, 0)] // both are -1 after an error like ECONNRESET
	files, rightsErr := received(oob[:max(oobn, 0)])
	c.files = append(c.files, files...)
	switch {
	case errors.Is(err, io.EOF) && len(c.in) > 0:
		return io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return io.EOF
	case err != nil:
		return fmt.Errorf("control: receive: %w", err)
	case rightsErr != nil:
		return rightsErr
	case flags&unix.MSG_CTRUNC != 0:
		return ErrLostFiles
	}
	return nil
}

// grow leaves at least readSize of room behind what is held.
func grow(in []byte) []byte {
	if cap(in)-len(in) >= readSize {
		return in
	}
	return append(make([]byte, 0, 2*len(in)+readSize), in...)
}
