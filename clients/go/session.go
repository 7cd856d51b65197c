package odin

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Bounds of a connection.
const (
	handshakeMax = 10 * time.Second // and for the greeting
	writeMax     = 10 * time.Second // for a request to leave
	goodbyeMax   = time.Second      // for the server's answer to our close

	pingDefault = 25 * time.Second // between the server's pings, until it says
	pingMax     = 10 * time.Minute // a longer interval counts as this
	silenceMore = 10 * time.Second // beyond two intervals without a word: dead

	requestBytesDefault = 256 << 10 // until the server says
	envelope            = 512       // of a request's bytes, without its channels
)

// session is one connection. One goroutine reads and calls the handlers, one
// writes, and one waits for the context to end.
type session struct {
	*Client
	conn         *websocket.Conn
	silenceMax   time.Duration
	requestBytes int // of a request, at most
	history      int // records of Options.Last that are still to come

	// Guarded by Client.mu.
	requests int                // made so far
	pending  map[string]request // those whose answer matters
}

// serve hears the connection to its end.
func (s *session) serve(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	defer s.conn.Close()
	ended := make(chan struct{})
	defer close(ended)
	group.Go(func() { s.leave(ctx, ended) })
	if err := s.greet(); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	group.Go(func() { s.write(ended) })
	err := s.read(ctx)
	s.goodbye(err)
	return err
}

// leave says goodbye when the context ends, and doesn't wait for ever.
func (s *session) leave(ctx context.Context, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	impatience := time.AfterFunc(goodbyeMax, func() { s.conn.Close() })
	defer impatience.Stop()
	s.sayClose(websocket.CloseNormalClosure)
	<-ended
}

func (s *session) sayClose(code int) {
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(goodbyeMax))
}

// goodbye tells the server why, when it was the client that ended the
// connection.
func (s *session) goodbye(err error) {
	var handler *handlerError
	var breach *messageError
	switch {
	case errors.As(err, &handler), errors.Is(err, errLimited):
		s.sayClose(websocket.CloseNormalClosure)
	case errors.As(err, &breach):
		s.sayClose(websocket.CloseProtocolError)
	}
}

// greet reads the greeting.
func (s *session) greet() error {
	s.silenceMax = handshakeMax
	hello, err := s.next()
	if err != nil {
		return err
	}
	if hello.Type != "hello" {
		return &messageError{errors.New("it doesn't begin with hello")}
	}
	s.silenceMax = s.silence(hello.PingIntervalMS)
	s.requestBytes = requestBytesDefault
	if hello.Limits.MaxRequestBytes > 0 {
		s.requestBytes = hello.Limits.MaxRequestBytes
	}
	s.conn.SetPingHandler(s.pong)
	if s.options.OnConnect != nil {
		s.options.OnConnect(Connection{Node: hello.Node, Worker: hello.Worker})
	}
	return nil
}

// silence is for how long a connection that lives may have nothing to say: the
// server answers heartbeats, and pings where there are none.
func (s *session) silence(pingMS int64) time.Duration {
	ping := time.Duration(min(pingMS, pingMax.Milliseconds())) * time.Millisecond
	interval := orDefault(ping, pingDefault)
	if s.options.Heartbeat > 0 {
		interval = s.options.Heartbeat
	}
	return 2*interval + silenceMore
}

// pong answers a ping, which is a sign of life.
func (s *session) pong(payload string) error {
	_ = s.conn.SetReadDeadline(time.Now().Add(s.silenceMax))
	_ = s.conn.WriteControl(websocket.PongMessage, []byte(payload), time.Now().Add(writeMax)) // reading tells better what is wrong
	return nil
}

// next reads the next message.
func (s *session) next() (*message, error) {
	_ = s.conn.SetReadDeadline(time.Now().Add(s.silenceMax))
	kind, raw, err := s.conn.ReadMessage()
	if err != nil {
		return nil, readError(err, s.options.MessageBytesMax)
	}
	if kind != websocket.TextMessage {
		return nil, &messageError{errors.New("a binary message")}
	}
	return parse(raw)
}

// read hands over what comes. Once the context has ended it only waits for the
// server's close.
func (s *session) read(ctx context.Context) error {
	for {
		m, err := s.next()
		if ctx.Err() == nil && err == nil {
			err = s.take(m)
		}
		if err != nil {
			return err
		}
	}
}

// begin resumes what was covered on an earlier connection.
func (s *session) begin() error {
	s.mu.Lock()
	names := s.channels.begin()
	cursor := s.place.cursor.Clone()
	s.mu.Unlock()
	if len(names) == 0 {
		s.ring()
		return nil
	}
	text, err := json.Marshal(s.request("reconnect", requestData{Channels: names, ClientID: s.options.ClientID, Cursor: cursor}))
	if err != nil {
		return err
	}
	if len(text) > s.requestBytes {
		return s.notResumed(Recovery{Reason: "too_large"})
	}
	return s.sendText(text)
}

// notResumed subscribes anew, and says so.
func (s *session) notResumed(r Recovery) error {
	if err := call(s.options.OnRecovery, r); err != nil {
		return err
	}
	s.mu.Lock()
	s.channels.restart()
	s.mu.Unlock()
	s.ring()
	return nil
}

// write sends what there is to ask for, and heartbeats. An error ends it
// alone: reading tells better what is wrong with the connection.
func (s *session) write(ended <-chan struct{}) {
	var beat <-chan time.Time
	if s.options.Heartbeat > 0 {
		ticker := time.NewTicker(s.options.Heartbeat)
		defer ticker.Stop()
		beat = ticker.C
	}
	for {
		var err error
		select {
		case <-ended:
			return
		case <-s.wake:
			err = s.sendChanges()
		case <-beat:
			err = s.send([]request{{Type: "heartbeat"}})
		}
		if err != nil {
			return
		}
	}
}

func (s *session) sendChanges() error {
	s.mu.Lock()
	todo := s.channels.changes()
	s.mu.Unlock()
	var all []request
	for _, change := range []struct {
		kind  string
		names []string
		last  int
	}{{"unsubscribe", todo.unsubscribe, 0}, {"subscribe", todo.restart, 0}, {"subscribe", todo.subscribe, s.options.Last}} {
		for _, names := range pieces(change.names, s.requestBytes-envelope) {
			all = append(all, s.request(change.kind, requestData{Channels: names, Last: change.last}))
		}
	}
	return s.send(all)
}

// request makes a request whose answer is awaited.
func (s *session) request(kind string, data requestData) request {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	r := request{Type: kind, ID: strconv.Itoa(s.requests), Data: &data}
	s.pending[r.ID] = r
	return r
}

func (s *session) send(all []request) error {
	for _, r := range all {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if err := s.sendText(text); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) sendText(text []byte) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeMax))
	return s.conn.WriteMessage(websocket.TextMessage, text)
}
