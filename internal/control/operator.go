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

// Call sends one request to the supervisor that serves the socket at path, and
// hands over the items of the answer, if it has any. Each line of it may take
// timeout. An error means that none answered, or is one of item; a refusal is
// in the Response.
func Call(path string, r Request, timeout time.Duration, item func(Response) error) (Response, error) {
	conn, err := net.DialTimeout("unix", path, timeout)
	if err != nil {
		return Response{}, fmt.Errorf("control: call odind: %w", err)
	}
	defer conn.Close()
	answer, err := exchange(conn, r, timeout, item)
	if err != nil {
		return Response{}, fmt.Errorf("control: call odind at %s: %w", path, err)
	}
	return answer, nil
}

func exchange(conn net.Conn, r Request, timeout time.Duration, item func(Response) error) (answer Response, err error) {
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return answer, err
	}
	if err := writeLine(conn, r); err != nil {
		return answer, err
	}
	return ReadAnswer(conn, func(one Response) error {
		if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
		if item == nil {
			return nil
		}
		return item(one)
	})
}

// Handler answers a request: with items, if the command has some, and the end
// of the answer. It may be called concurrently; ctx ends with the serving.
type Handler func(ctx context.Context, r Request, items *Answer) Response

// Serve answers the callers of l, CallersMax at a time, until ctx ends; then
// it closes l and every connection, and returns when handle runs no more.
func Serve(ctx context.Context, l net.Listener, handle Handler) error {
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

func serve(ctx context.Context, conn net.Conn, handle Handler) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in := lines(conn)
	for {
		if conn.SetReadDeadline(time.Now().Add(IdleMax)) != nil {
			return
		}
		out := NewAnswer(conn)
		line, err := in.next()
		if errors.Is(err, bufio.ErrTooLong) {
			_ = out.End(Refused("request longer than %d bytes", LineMax))
		}
		if err != nil {
			return
		}
		if out.End(answer(ctx, line, out, handle)) != nil {
			return
		}
	}
}

func answer(ctx context.Context, line []byte, out *Answer, handle Handler) Response {
	var r Request
	if err := json.Unmarshal(line, &r); err != nil {
		return Refused("request is not a JSON object in one line: %v", err)
	}
	return handle(ctx, r, out)
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
