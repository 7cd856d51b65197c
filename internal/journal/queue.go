package journal

import (
	"log/slog"
	"sync"
	"sync/atomic"
)

// queueBytesMax bounds what waits for the writer.
const queueBytesMax = 1 << 20

// spareBytesMax is how much memory is kept for the next lines.
const spareBytesMax = 64 << 10

// queue carries whole lines from the loggers to the writer. Nobody waits: what
// has no room is dropped and counted.
type queue struct {
	dropped atomic.Uint64
	filled  chan struct{} // has room for one: something may be there

	mu     sync.Mutex
	lines  []byte // each ends in its only newline
	closed bool
}

func newQueue() *queue { return &queue{filled: make(chan struct{}, 1)} }

// Write takes one whole line: slog's handlers make one call for each. It never
// fails.
func (q *queue) Write(line []byte) (int, error) {
	q.mu.Lock()
	if q.closed || len(q.lines)+len(line) > queueBytesMax {
		q.dropped.Add(1)
	} else {
		q.lines = append(q.lines, line...)
	}
	q.mu.Unlock()
	q.wake()
	return len(line), nil
}

// room tells whether a line of the level may come: info and debug lines leave
// half of the queue to what somebody must look at.
func (q *queue) room(level slog.Level) bool {
	if level >= slog.LevelWarn {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) < queueBytesMax/2 {
		return true
	}
	q.dropped.Add(1)
	return false
}

// take empties the queue. If there was something, spare becomes its next
// memory.
func (q *queue) take(spare []byte) (lines []byte, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) == 0 {
		return nil, q.closed
	}
	lines, q.lines = q.lines, spare[:0]
	return lines, q.closed
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.filled <- struct{}{}:
	default:
	}
}
