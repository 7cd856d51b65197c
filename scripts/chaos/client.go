package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
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

	mu     sync.Mutex
	conn   *websocket.Conn // nil: away
	done   bool            // all that was produced has been had
	wilful string          // why the client itself ended the connection
	over   chan struct{}   // closed when run has returned
	stop   chan struct{}   // closed to give up
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
	for ctx.Err() == nil && !c.satisfied() {
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
	if c.manner.awayMax > 0 && c.left() {
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
	c.hold(conn)
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
	if err := c.ask(conn); err == nil {
		go c.accompany(ctx, conn, ended)
		err = c.hear(conn)
		return c.ending(err)
	}
	return "broken"
}

func (c *client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if tcp, ok := conn.(*net.TCPConn); ok && c.manner.pauseMax > 0 {
		_ = tcp.SetReadBuffer(8 << 10)
	}
	return conn, err
}

func (c *client) hold(conn *websocket.Conn) {
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
		var reason struct{ Code string }
		_ = json.Unmarshal([]byte(end.Text), &reason)
		return fmt.Sprintf("closed with %d %s", end.Code, reason.Code)
	}
	return "broken"
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
		sever(conn)
	default:
		conn.Close()
	}
}

// sever resets the connection.
func sever(conn *websocket.Conn) {
	if tcp, ok := conn.NetConn().(*net.TCPConn); ok {
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

// hear takes down what comes until the connection ends.
func (c *client) hear(conn *websocket.Conn) error {
	next := time.Now().Add(c.manner.pauseMax)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		_, r, err := conn.NextReader()
		if err != nil {
			return err
		}
		if err := c.take(r); err != nil {
			return err
		}
		if c.satisfied() {
			_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
			return nil
		}
		if c.manner.pauseMax > 0 && time.Now().After(next) && !c.world.finishing() {
			time.Sleep(between(c.random, c.manner.pauseMax/4, c.manner.pauseMax))
			next = time.Now().Add(between(c.random, time.Second, c.manner.pauseMax))
		}
	}
}

func (c *client) take(r io.Reader) error {
	b := bytes.NewBuffer(c.buffer[:0])
	if _, err := b.ReadFrom(r); err != nil {
		return err
	}
	c.buffer = b.Bytes()
	if c.record(c.buffer) {
		return nil
	}
	return c.answer(c.buffer)
}

// record takes a record, whose form doesn't vary.
func (c *client) record(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte(`{"type":"message","channel":"`))
	if !ok {
		return false
	}
	channel, rest, ok1 := bytes.Cut(rest, []byte(`","pos":"`))
	place, rest, ok2 := bytes.Cut(rest, []byte(`","ts":`))
	_, data, ok3 := bytes.Cut(rest, []byte(`"data":`))
	pos, err := odin.ParsePos(string(place))
	topic, ok4 := c.world.ledger.topics[pos.Topic]
	if !ok1 || !ok2 || !ok3 || !ok4 || err != nil || len(data) == 0 {
		return false
	}
	data = data[:len(data)-1]
	if bytes.Contains(rest[:len(rest)-len(data)-1], []byte(`"encoding":"base64"`)) {
		data, _ = base64.StdEncoding.AppendDecode(nil, bytes.Trim(data, `"`))
		data = append([]byte{}, data...) // an empty value is no tombstone
	}
	c.stream.Events = append(c.stream.Events, check.Event{
		At: int32(time.Since(c.world.began).Milliseconds()), Note: check.NoNote, Topic: topic, Partition: uint16(pos.Partition),
		Channel: c.world.ledger.channels[string(channel)], Sum: sum(data), Offset: pos.Offset,
	})
	c.cursor.Advance(pos)
	return true
}

// reply is whatever else the server sends.
type reply struct {
	Type      check.Kind  `json:"type"`
	Cursor    odin.Cursor `json:"cursor"`
	History   int         `json:"history"`
	Replayed  int         `json:"messages_replayed"`
	Recovered bool        `json:"recovered"`
	Lost      bool        `json:"lost"`
	Reason    string      `json:"reason"`
	Message   string      `json:"message"`
	Pos       string      `json:"pos"`
	Channel   string      `json:"channel"`
	Dropped   uint64      `json:"dropped"`
}

func (c *client) answer(text []byte) error {
	var m reply
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	n := check.Note{
		Kind: m.Type, Cursor: m.Cursor, History: m.History, Replayed: m.Replayed, Recovered: m.Recovered, Lost: m.Lost,
		Reason: m.Reason, Channel: m.Channel, Dropped: m.Dropped,
	}
	switch m.Type {
	case "hello":
		return nil
	case check.Gap:
		pos, err := odin.ParsePos(m.Pos)
		if err != nil { // -1: not known where
			pos = unknownPlace(m.Pos)
		}
		n.Pos = pos
		c.cursor.Advance(pos)
	case check.Refused, "reconnect_error", "message":
		n.Kind, n.Reason = check.Refused, strconv.Quote(string(text[:min(len(text), 300)]))
	}
	c.adopt(m.Cursor)
	c.note(n)
	return nil
}

// unknownPlace is a place of which only the partition is told: offset -1.
func unknownPlace(text string) odin.Pos {
	pos, _ := odin.ParsePos(text[:max(0, len(text)-len("-1"))] + "0")
	pos.Offset = -1
	return pos
}

// adopt replaces the cursor's entries, and looks whether all has been had.
func (c *client) adopt(cursor odin.Cursor) {
	if cursor == nil {
		return
	}
	if c.cursor == nil {
		c.cursor = odin.Cursor{}
	}
	for topic, entry := range cursor.Clone() {
		c.cursor[topic] = entry
	}
	if c.world.reached(cursor) {
		c.mu.Lock()
		c.done = true
		c.mu.Unlock()
	}
}
