package control

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// answerBuffer is how much of an answer is written at once.
const answerBuffer = 16 << 10

// Answer writes the lines of one answer. It belongs to one goroutine.
type Answer struct{ out *bufio.Writer }

// deadliner is what an answer goes to: a connection, or a pipe.
type deadliner interface {
	io.Writer
	SetWriteDeadline(t time.Time) error
}

// NewAnswer begins an answer to a peer that has IdleMax for each piece of it.
func NewAnswer(to deadliner) *Answer {
	patient := writerFunc(func(b []byte) (int, error) {
		if err := to.SetWriteDeadline(time.Now().Add(IdleMax)); err != nil {
			return 0, err
		}
		return to.Write(b)
	})
	return &Answer{out: bufio.NewWriterSize(patient, answerBuffer)}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// Item adds one item. Its encoded form is at most LineMax less some 100 bytes.
func (a *Answer) Item(value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("control: encode an item: %w", err)
	}
	return a.Pass(Response{Item: raw})
}

// Pass adds an item that is encoded already, with whose it is.
func (a *Answer) Pass(item Response) error { return writeLine(a.out, item) }

// Flush sends what was added so far: for items that come slowly.
func (a *Answer) Flush() error { return a.out.Flush() }

// End sends the last line, and what was held back.
func (a *Answer) End(r Response) error {
	r.Item = nil
	if err := writeLine(a.out, r); err != nil {
		return err
	}
	return a.out.Flush()
}

// ReadAnswer hands over the items of an answer, and returns its end. An error
// of item ends the reading and is returned.
func ReadAnswer(from io.Reader, item func(Response) error) (Response, error) {
	in := lines(from)
	for {
		line, err := in.next()
		if err != nil {
			return Response{}, err
		}
		var r Response
		if err := json.Unmarshal(line, &r); err != nil {
			return Response{}, fmt.Errorf("control: read an answer: %w", err)
		}
		if r.Item == nil {
			return r, nil
		}
		if err := item(r); err != nil {
			return Response{}, err
		}
	}
}

// pieceMax is how many bytes go into one item; base64 makes them a third longer.
const pieceMax = 32 << 10

// Bytes is a writer whose bytes become items: JSON strings in base64.
func (a *Answer) Bytes() io.Writer {
	return writerFunc(func(b []byte) (written int, err error) {
		for len(b) > 0 {
			piece := b[:min(len(b), pieceMax)]
			if err := a.Item(piece); err != nil {
				return written, err
			}
			written, b = written+len(piece), b[len(piece):]
		}
		return written, nil
	})
}
