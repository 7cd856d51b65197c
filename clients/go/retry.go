package odin

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// retryMax bounds what a server can make a client wait.
const retryMax = 10 * time.Minute

// window is when to come back: at a random instant between the two, so that
// clients that went together don't return together. The zero value is none.
type window struct{ from, to time.Duration }

func milliseconds(from, to int64) window {
	limit := retryMax.Milliseconds()
	from, to = min(from, limit), min(to, limit)
	return window{time.Duration(from) * time.Millisecond, time.Duration(to) * time.Millisecond}.bounded()
}

// bounded holds a window to the bounds. One that lies beyond them as a whole is
// the upper half of what they allow: it still spreads those who have it.
func (w window) bounded() window {
	w.from = max(w.from, 0)
	if w.from >= retryMax {
		return window{retryMax / 2, retryMax}
	}
	w.to = min(max(w.to, w.from), retryMax)
	return w
}

// pick is a random instant of the window.
func (w window) pick() time.Duration {
	return w.from + rand.N(w.to-w.from+1) //nolint:gosec // spreads, hides nothing
}

// backoff is how long to wait where the server doesn't say.
type backoff struct {
	first, most time.Duration
	failures    int // in a row
}

// next is the window behind another failure: from 0 to twice as long as the
// last time. A connection that was live for the longest wait ends the row.
func (b *backoff) next(lived time.Duration) window {
	if lived >= b.most {
		b.failures = 0
	}
	to := b.most
	if b.failures < 32 && b.first<<b.failures < b.most {
		to = b.first << b.failures
	}
	b.failures++
	return window{0, to}
}

// after is how long to wait when a connection has ended for the reason, or
// could not be made; again is false where nothing is gained by another.
func (b *backoff) after(err error, lived time.Duration) (wait time.Duration, again bool) {
	own := b.next(lived)
	var end *CloseError
	var no *RefusedError
	var handler *handlerError
	var large *TooLargeError
	switch {
	case errors.As(err, &handler), errors.As(err, &large):
		return 0, false
	case errors.As(err, &end):
		return choose(end.window, own).pick(), !end.final
	case errors.As(err, &no):
		return choose(no.window, own).pick(), !no.final()
	}
	return own.pick(), true
}

// choose takes the server's window, where there is one.
func choose(server, own window) window {
	if server == (window{}) {
		return own
	}
	return server
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
