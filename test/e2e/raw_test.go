package e2e

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// Opcodes and flags of RFC 6455 section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
	flagFin        = 0x80
	flagReserved   = 0x40
)

// handshake is a correct request, up to its last line.
const handshake = "GET /ws HTTP/1.1\r\nHost: odin\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// raw is a client that may do anything: a TCP connection.
type raw struct {
	*net.TCPConn
	in *bufio.Reader
}

// rawDial connects and says nothing. A receive buffer of 0 is the system's.
func rawDial(s *server, receiveBuffer int) (*raw, error) {
	d := net.Dialer{Timeout: soon}
	if receiveBuffer > 0 {
		d.Control = func(_, _ string, c syscall.RawConn) error {
			var err error
			_ = c.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, receiveBuffer)
			})
			return err
		}
	}
	conn, err := d.Dial("tcp", s.host+":3001")
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(longer))
	return &raw{conn.(*net.TCPConn), bufio.NewReader(conn)}, nil
}

// rawUpgrade connects, upgrades and takes the hello.
func rawUpgrade(s *server, receiveBuffer int) (*raw, error) {
	r, err := rawDial(s, receiveBuffer)
	if err != nil {
		return nil, err
	}
	if _, err := r.WriteString(handshake + "\r\n"); err != nil {
		return nil, err
	}
	return r, r.upgraded()
}

// WriteString writes all of it.
func (r *raw) WriteString(s string) (int, error) { return r.Write([]byte(s)) }

// upgraded reads a 101 and the hello.
func (r *raw) upgraded() error {
	_, err := r.hello()
	return err
}

func (r *raw) hello() (message, error) {
	resp, err := http.ReadResponse(r.in, nil)
	if err != nil {
		return message{}, fmt.Errorf("answer to the handshake: %w", err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return message{}, fmt.Errorf("answer to the handshake: %s", resp.Status)
	}
	m, err := r.message()
	if err == nil && (m.Type != "hello" || m.Worker == nil) {
		err = fmt.Errorf("instead of hello: %s", m.raw)
	}
	return m, err
}

// frame builds one frame; the mask is all zeros unless it is left out.
func frame(first byte, masked bool, payload []byte) []byte {
	b := []byte{first}
	bit := byte(0)
	if masked {
		bit = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b = append(b, bit|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, bit|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, bit|127), uint64(n))
	}
	if masked {
		b = append(b, 7, 11, 13, 17)
		for i, c := range payload {
			b = append(b, c^[4]byte{7, 11, 13, 17}[i%4])
		}
		return b
	}
	return append(b, payload...)
}

// text is a whole, correct text message.
func text(s string) []byte { return frame(flagFin|opText, true, []byte(s)) }

// next reads one frame of the server and holds it to RFC 6455: not masked, not
// fragmented, no reserved bits.
func (r *raw) next() (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1] & 0x7f)
	size := map[uint64]int{126: 2, 127: 8}[n]
	if size > 0 {
		b := make([]byte, 8)
		if _, err := io.ReadFull(r.in, b[8-size:]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(b)
	}
	if head[0]&0xf0 != flagFin || head[1]&0x80 != 0 || n > 16<<20 {
		return 0, nil, fmt.Errorf("the server's frame begins with %x, %d bytes", head, n)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r.in, payload)
	return head[0] & 0xf, payload, err
}

// message reads the next text message, answering pings.
func (r *raw) message() (message, error) {
	for {
		op, payload, err := r.next()
		switch {
		case err != nil:
			return message{}, err
		case op == opText:
			return parseMessage(payload)
		case op == opPing:
			if _, err := r.Write(frame(flagFin|opPong, true, payload)); err != nil {
				return message{}, err
			}
		case op == opClose:
			return message{}, closeFrame(payload)
		}
	}
}

// closeError is a close frame that came.
type closeError struct {
	code   int
	reason closing
	text   string
}

func (e *closeError) Error() string { return fmt.Sprintf("closed with %d %s", e.code, e.text) }

func closeFrame(payload []byte) error {
	e := &closeError{code: 1005}
	if len(payload) >= 2 {
		e.code, e.text = int(binary.BigEndian.Uint16(payload)), string(payload[2:])
	}
	if e.code != 1000 && len(e.text) > 0 && json.Unmarshal([]byte(e.text), &e.reason) != nil {
		return fmt.Errorf("close reason %q is not JSON", e.text)
	}
	return e
}

// closedWith reads to the end and wants a close frame of this code, a reason in
// JSON without a retry window, and nothing but FIN behind it.
func (r *raw) closedWith(code int) error {
	var e *closeError
	for e == nil {
		if _, err := r.message(); err != nil && !errors.As(err, &e) {
			return fmt.Errorf("instead of %d: %w", code, err)
		}
	}
	if e.code != code {
		return fmt.Errorf("%w instead of %d", e, code)
	}
	if code != 1000 && (e.reason.Code == "" || e.reason.RetryMin != nil || e.reason.RetryMax != nil) {
		return fmt.Errorf("%w: not the reason of a close for good", e)
	}
	if rest, err := io.ReadAll(r.in); err != nil || len(rest) > 0 {
		return fmt.Errorf("behind the close frame: %q, %w", rest, err)
	}
	return nil
}

// gone reads to the end, whatever it is, within the time.
func (r *raw) gone(within time.Duration) (string, error) {
	_ = r.SetReadDeadline(time.Now().Add(within))
	all, err := io.ReadAll(r.in)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return string(all), fmt.Errorf("still open after %v", within)
	}
	return string(all), nil
}

// refused wants an HTTP answer with the status and the JSON of a refusal.
func (r *raw) refused(status int, word string) error {
	resp, err := http.ReadResponse(r.in, nil)
	if err != nil {
		return fmt.Errorf("instead of %d: %w", status, err)
	}
	body, _ := io.ReadAll(resp.Body)
	var refusal struct {
		Error  string `json:"error"`
		Reason string `json:"reason"`
	}
	if resp.StatusCode != status || json.Unmarshal(body, &refusal) != nil || refusal.Error != word || refusal.Reason == "" {
		return fmt.Errorf("%s with %.200q instead of %d %s", resp.Status, body, status, word)
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return fmt.Errorf("%d is of type %q", status, resp.Header.Get("Content-Type"))
	}
	return nil
}
