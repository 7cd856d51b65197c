package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// LineMax is the most bytes of one request or response on control.sock.
	LineMax = 64 << 10
	// CallersMax is how many odinctl are served at once; more wait.
	CallersMax = 16
	// IdleMax is how long a caller may take for one request.
	IdleMax = 30 * time.Second
)

// SocketName is the name of the operator's socket in the runtime directory.
const SocketName = "control.sock"

// Request is one line from odinctl. Version is the only command so far.
type Request struct {
	Command string `json:"command"`
}

// Commands of a Request.
const (
	CommandVersion = "version"
)

// Response is the line that answers a Request.
type Response struct {
	OK bool `json:"ok"`
	// Error says what failed, why, and what to try. Empty when OK.
	Error string `json:"error,omitempty"`

	Version string `json:"version,omitempty"` // of the running supervisor
	PID     int    `json:"pid,omitempty"`     // of the supervisor
}

// Unknown is the answer to a command that does not exist.
func Unknown(command string) Response {
	return Response{Error: fmt.Sprintf("unknown command %q: this odind answers %q", command, CommandVersion)}
}

// Call sends one request to the supervisor that serves the socket at path.
// An error means that none answered; a refusal is in the Response.
func Call(path string, r Request, timeout time.Duration) (Response, error) {
	conn, err := net.DialTimeout("unix", path, timeout)
	if err != nil {
		return Response{}, fmt.Errorf("control: call odind: %w", err)
	}
	defer conn.Close()
	answer, err := exchange(conn, r, time.Now().Add(timeout))
	if err != nil {
		return Response{}, fmt.Errorf("control: call odind at %s: %w", path, err)
	}
	return answer, nil
}

func exchange(conn net.Conn, r Request, deadline time.Time) (answer Response, err error) {
	if err := conn.SetDeadline(deadline); err != nil {
		return answer, err
	}
	if err := writeLine(conn, r); err != nil {
		return answer, err
	}
	line, err := lines(conn).next()
	if err != nil {
		return answer, err
	}
	return answer, json.Unmarshal(line, &answer)
}

// Serve answers the callers of l, CallersMax at a time, until ctx ends; then
// it closes l and every connection, and returns when handle runs no more.
// handle may be called concurrently.
func Serve(ctx context.Context, l net.Listener, handle func(Request) Response) error {
	ctx, end := context.WithCancel(ctx)
	var callers sync.WaitGroup
	defer callers.Wait()
	defer end()
	context.AfterFunc(ctx, func() { l.Close() })
	free := make(chan struct{}, CallersMax)
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := l.Accept()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			if conn != nil {
				conn.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("control: accept on %s: %w", l.Addr(), err)
		}
		callers.Go(func() {
			serve(ctx, conn, handle)
			<-free
		})
	}
}

func serve(ctx context.Context, conn net.Conn, handle func(Request) Response) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in := lines(conn)
	for {
		if conn.SetDeadline(time.Now().Add(IdleMax)) != nil {
			return
		}
		line, err := in.next()
		if errors.Is(err, bufio.ErrTooLong) {
			_ = writeLine(conn, Response{Error: fmt.Sprintf("request longer than %d bytes", LineMax)})
		}
		if err != nil {
			return
		}
		if writeLine(conn, answer(line, handle)) != nil {
			return
		}
	}
}

func answer(line []byte, handle func(Request) Response) Response {
	var r Request
	if err := json.Unmarshal(line, &r); err != nil {
		return Response{Error: "request is not a JSON object in one line: " + err.Error()}
	}
	return handle(r)
}

func writeLine(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// lineReader gives the lines of a stream that are not empty.
type lineReader struct{ *bufio.Scanner }

func lines(r io.Reader) lineReader {
	s := bufio.NewScanner(r)
	s.Buffer(nil, LineMax)
	return lineReader{s}
}

func (l lineReader) next() ([]byte, error) {
	for l.Scan() {
		if line := bytes.TrimSpace(l.Bytes()); len(line) > 0 {
			return line, nil
		}
	}
	if err := l.Err(); err != nil {
		return nil, err
	}
	return nil, io.EOF
}
