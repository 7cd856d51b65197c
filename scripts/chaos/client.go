package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/scripts/chaos/check"
)

// client is one of the crowd: it takes down all that it hears, and keeps its
// cursor as docs/RECOVERY.md has it.
type client struct {
	world  *world
	manner manner
	random *rand.Rand
	stream check.Stream
	cursor odin.Cursor
	buffer []byte
	next   time.Time // pause

	mu     sync.Mutex
	conn   net.Conn      // nil: away
	done   bool          // all that was produced has been had
	wilful string        // why the client itself ended the connection
	window window        // in which the server wants it back
	over   chan struct{} // closed when run has returned
	stop   chan struct{} // closed to give up
}

// window is when a server that closes a connection wants its client back.
type window struct {
	Code string `json:"code"`
	Min  int64  `json:"retry_min_ms"`
	Max  int64  `json:"retry_max_ms"`
}

// quit has the client give up.
func (c *client) quit() {
	close(c.stop)
	c.drop()
}

// run connects again and again until all has been had.
func (c *client) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-c.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	if c.manner.library {
		c.runLibrary(ctx)
		return
	}
	for ctx.Err() == nil && !c.satisfied() {
		c.window = window{}
		reason := c.connect(ctx)
		c.note(check.Note{Kind: check.Ended, Reason: reason})
		if c.manner.forgets && !c.satisfied() {
			c.cursor = nil
		}
		c.rest(ctx)
	}
}

// rest is away for as long as the client's manner has it, or until the end.
func (c *client) rest(ctx context.Context) {
	away := between(c.random, 50*time.Millisecond, time.Second)
	switch {
	case c.window.Max > 0:
		away = between(c.random, time.Duration(c.window.Min)*time.Millisecond, time.Duration(c.window.Max)*time.Millisecond)
	case c.manner.awayMax > 0 && c.left():
		away = between(c.random, c.manner.awayMin, c.manner.awayMax)
	}
	if c.world.finishing() {
		away = between(c.random, 50*time.Millisecond, time.Second)
	}
	select {
	case <-time.After(away):
	case <-c.world.finish: // at once, if it is so already
		time.Sleep(between(c.random, 0, time.Second))
	case <-ctx.Done():
	}
}

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)+1))
}

func (c *client) setWilful(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wilful = reason
}

func (c *client) left() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wilful != ""
}

func (c *client) satisfied() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

func (c *client) note(n check.Note) { c.stream.Add(time.Since(c.world.began), n) }

const (
	patience = 15 * time.Second // without a word, pings included
	dialMax  = 10 * time.Second
)

// connect makes one connection and hears it to its end.
func (c *client) connect(ctx context.Context) (reason string) {
	c.setWilful("")
	dialer := websocket.Dialer{HandshakeTimeout: dialMax, ReadBufferSize: 4096, WriteBufferSize: 512, NetDialContext: c.dial}
	conn, answer, err := dialer.DialContext(ctx, c.world.odind.url(), nil) //nolint:bodyclose // gorilla gives a body that needs no closing
	if err != nil {
		if answer != nil {
			return fmt.Sprintf("refused with %d", answer.StatusCode)
		}
		return "no connection"
	}
	c.hold(conn.NetConn())
	defer c.hold(nil)
	defer conn.Close()
	c.note(check.Note{Kind: check.Connected})
	ended := make(chan struct{})
	defer close(ended)
	conn.SetPingHandler(func(payload string) error {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		_ = conn.WriteControl(websocket.PongMessage, []byte(payload), time.Now().Add(patience))
		return nil
	})
	if err := c.ask(conn); err != nil {
		return c.ending(err)
	}
	go c.accompany(ctx, conn, ended)
	return c.ending(c.hear(conn))
}

func (c *client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if c.manner.pauseMax > 0 && !c.world.finishing() {
		c.setReadBuffer(conn, slowBuffer)
	}
	return conn, err
}

// What the kernel keeps for a slow client, and for one that is to catch up.
const (
	slowBuffer = 8 << 10
	fastBuffer = 256 << 10
)

func (c *client) setReadBuffer(conn net.Conn, bytes int) {
	if tcp, ok := conn.(*net.TCPConn); ok && c.manner.pauseMax > 0 {
		_ = tcp.SetReadBuffer(bytes)
	}
}

func (c *client) hold(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
}

// ending words why a connection ended.
func (c *client) ending(err error) string {
	var end *websocket.CloseError
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.done:
		return "had all"
	case c.wilful != "":
		return c.wilful
	case errors.As(err, &end) && end.Code != websocket.CloseAbnormalClosure:
		return c.sentAway(end)
	}
	return "broken"
}

// sentAway reads a close frame. One that only sends the client elsewhere has to
// tell it when to come back.
func (c *client) sentAway(end *websocket.CloseError) string {
	_ = json.Unmarshal([]byte(end.Text), &c.window)
	if end.Code == websocket.CloseGoingAway && (c.window.Max <= 0 || c.window.Min > c.window.Max) {
		c.note(check.Note{Kind: check.Refused, Reason: "closed with 1001 without a window: " + end.Text})
	}
	return fmt.Sprintf("closed with %d %s", end.Code, c.window.Code)
}

// ask subscribes, or resumes if there is something to resume.
func (c *client) ask(conn *websocket.Conn) error {
	type data struct {
		Channels []string    `json:"channels"`
		Last     int         `json:"last,omitempty"`
		ClientID string      `json:"client_id,omitempty"`
		Cursor   odin.Cursor `json:"cursor,omitempty"`
	}
	request := struct {
		Type string `json:"type"`
		Data data   `json:"data"`
	}{"subscribe", data{Channels: c.stream.Channels, Last: c.manner.last}}
	n := check.Note{Kind: check.Subscribe, Last: c.manner.last}
	if c.cursor != nil {
		request.Type, request.Data.Last, request.Data.ClientID, request.Data.Cursor = "reconnect", 0, c.stream.Name, c.cursor
		n = check.Note{Kind: check.Reconnect, Cursor: c.cursor.Clone()}
	}
	c.note(n)
	return conn.WriteJSON(request)
}

// accompany sends heartbeats, and ends the connection when the client has had
// enough of it.
func (c *client) accompany(ctx context.Context, conn *websocket.Conn, ended <-chan struct{}) {
	pulse := time.NewTicker(c.manner.pulse)
	defer pulse.Stop()
	var leave <-chan time.Time
	if c.manner.stayMax > 0 && !c.world.finishing() {
		leave = time.After(c.manner.stayMin + time.Duration(rand.Int64N(int64(c.manner.stayMax-c.manner.stayMin)+1)))
	}
	finish := c.world.finish
	for {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			conn.Close()
			return
		case <-finish:
			finish, leave = nil, nil
			c.setReadBuffer(conn.NetConn(), fastBuffer)
			pulse.Reset(500 * time.Millisecond)
		case <-leave:
			c.leave(conn)
			return
		case <-pulse.C:
			_ = conn.SetWriteDeadline(time.Now().Add(patience))
			if conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"heartbeat"}`)) != nil {
				return
			}
		}
	}
}

// leave ends a connection in one of the ways in which they end.
func (c *client) leave(conn *websocket.Conn) {
	c.setWilful("left")
	switch rand.IntN(3) {
	case 0:
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
		time.AfterFunc(5*time.Second, func() { conn.Close() })
	case 1:
		sever(conn.NetConn())
	default:
		conn.Close()
	}
}

// sever resets the connection.
func sever(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// drop resets the client's connection, as a network does.
func (c *client) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		sever(c.conn)
	}
}
