package odin

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// Client reads the records of channels. Its methods may be called at any time
// from any goroutine, handlers included.
type Client struct {
	url     string
	options Options
	running atomic.Bool
	wake    chan struct{} // there may be something to ask the server for

	mu       sync.Mutex
	channels channels
	place    place
}

// New makes a client of the odind at the URL, such as wss://odin.example/ws.
// It does nothing until Run is called.
func New(url string, options Options) (*Client, error) {
	if err := options.check(url); err != nil {
		return nil, err
	}
	return &Client{
		url:      url,
		options:  options,
		wake:     make(chan struct{}, 1),
		channels: newChannels(options.Channels, options.Cursor != nil),
		place:    newPlace(options.Cursor),
	}, nil
}

// Subscribe adds channels, from now on: at once when connected, else with the
// next connection. What the server doesn't take, OnRejected is told.
func (c *Client) Subscribe(channels ...string) {
	c.mu.Lock()
	c.channels.want(channels)
	c.mu.Unlock()
	c.ring()
}

// Unsubscribe drops channels. Records that are on their way still come.
func (c *Client) Unsubscribe(channels ...string) {
	c.mu.Lock()
	c.channels.forget(channels)
	c.mu.Unlock()
	c.ring()
}

// Channels are those that the client wants to hear, sorted.
func (c *Client) Channels() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.channels.wanted.sorted()
}

// Cursor is the place behind all that handlers have dealt with. Kept, and
// given to a later client with the same channels, it goes on there. Within a
// handler it doesn't cover yet what the handler was called for; see
// Cursor.Advance.
func (c *Client) Cursor() Cursor {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.place.cursor.Clone()
}

// ring tells the connection that there may be something to ask for.
func (c *Client) ring() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run connects, hears, and connects again, until the context ends or another
// attempt would be in vain: the server said so (*CloseError, *RefusedError), a
// message was too large (*TooLargeError), or a handler returned an error. It
// returns why, and leaves no goroutine behind. When the context ends it waits
// for the handler that is at work, and takes leave of the server for at most a
// second. A handler's panic goes through it. It may be called again, and then
// resumes; two at once are an error.
func (c *Client) Run(ctx context.Context) error {
	if !c.running.CompareAndSwap(false, true) {
		return errors.New("odin: the client runs already")
	}
	defer c.running.Store(false)
	retry := backoff{first: c.options.BackoffMin, most: c.options.BackoffMax}
	for {
		lived, err := c.connect(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		wait, again := retry.after(err, lived)
		c.disconnected(err, wait, again)
		if !again {
			return unwrapped(err)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// unwrapped gives a handler its own error back.
func unwrapped(err error) error {
	var handler *handlerError
	if errors.As(err, &handler) {
		return handler.err
	}
	return err
}

func (c *Client) disconnected(err error, wait time.Duration, again bool) {
	if c.options.OnDisconnect != nil {
		c.options.OnDisconnect(Disconnection{Err: unwrapped(err), RetryIn: wait, Final: !again})
	}
}

// connect makes one connection and hears it to its end. It returns how long
// the connection lived.
func (c *Client) connect(ctx context.Context) (time.Duration, error) {
	dialing, dialed := endsWith(ctx)
	conn, response, err := c.options.Dialer.DialContext(dialing, c.url, c.options.Header) //nolint:bodyclose // gorilla gives a body that needs no closing
	dialed()
	if err != nil && response != nil {
		return 0, refused(response, time.Now())
	}
	if err != nil {
		return 0, fmt.Errorf("odin: connect to %s: %w", c.url, err)
	}
	conn.SetReadLimit(c.options.MessageBytesMax)
	s := &session{Client: c, conn: conn, pending: map[string]request{}}
	began := time.Now()
	err = s.serve(ctx)
	c.mu.Lock()
	c.channels.end()
	c.mu.Unlock()
	return time.Since(began), err
}

// endsWith lets the end of the context break off a handshake, for which gorilla
// looks no more once there is a connection.
func endsWith(ctx context.Context) (dialing context.Context, dialed func()) {
	stop := func() bool { return true }
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		stop = context.AfterFunc(ctx, func() { got.Conn.Close() })
	}}
	return httptrace.WithClientTrace(ctx, trace), func() { stop() }
}
