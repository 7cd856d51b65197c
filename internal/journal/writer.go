package journal

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"
)

// writer is the goroutine that alone waits for standard error.
type writer struct {
	out     io.Writer
	queue   *queue
	repeats *repeats
	own     slog.Handler // for what the journal itself has to say

	failed atomic.Uint64 // lines that out didn't take
	told   uint64        // lost lines that were reported
	blocks chan []byte   // one may wait
	done   chan struct{}
}

func newWriter(out io.Writer, q *queue, r *repeats, own slog.Handler) *writer {
	return &writer{out: out, queue: q, repeats: r, own: own, blocks: make(chan []byte, 1), done: make(chan struct{})}
}

// run writes until the queue is closed and empty.
func (w *writer) run() {
	defer close(w.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var spare []byte
	for {
		tell(w.repeats.due(time.Now()))
		lines, closed := w.queue.take(spare)
		if len(lines) > 0 {
			w.write(lines)
			if spare = lines; cap(spare) > spareBytesMax {
				spare = nil
			}
			continue
		}
		if closed && len(w.blocks) == 0 {
			return
		}
		timer.Reset(w.repeats.next(time.Now()))
		select {
		case text := <-w.blocks:
			w.hand(text)
		case <-w.queue.filled:
		case <-timer.C:
		}
	}
}

// write hands on line by line: one call each, so that the lines of several
// processes don't mix in a pipe.
func (w *writer) write(lines []byte) {
	for line := range bytes.Lines(lines) {
		w.hand(line)
	}
}

func (w *writer) hand(text []byte) {
	if _, err := w.out.Write(text); err != nil {
		w.failed.Add(1)
		return
	}
	w.tellLost()
}

// tellLost says, now that a line could be written, how many couldn't.
func (w *writer) tellLost() {
	lost := w.queue.dropped.Load() + w.failed.Load()
	if lost == w.told {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines of the log were lost: standard error took none", 0)
	r.AddAttrs(slog.Uint64("lines", lost-w.told))
	w.told = lost
	_ = w.own.Handle(context.Background(), r)
}

// close has what was held back said, and run end.
func (w *writer) close() {
	tell(w.repeats.all())
	w.queue.close()
}
