//go:build prometheus

package prometheus

import (
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// load is what a server sees on a day: clients that listen, clients that come
// and go, one that is too slow, and now and then one that makes mistakes.
type load struct {
	url string
	ctx context.Context
}

func startLoad(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{variable(t, "ODIN_DEMO_WS"), ctx}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { l.again(l.listen, time.Second) })
	}
	all.Go(func() { l.again(l.visit, 100*time.Millisecond) })
	all.Go(func() { l.again(l.sleep, time.Second) })
	all.Go(func() { l.again(l.err, 5*time.Second) })
	t.Cleanup(func() { cancel(); all.Wait() })
}

// again does something until the test is over, with a rest each time.
func (l *load) again(do func(*websocket.Conn), rest time.Duration) {
	for l.ctx.Err() == nil {
		if c := l.dial(); c != nil {
			over := context.AfterFunc(l.ctx, func() { c.Close() })
			do(c)
			over()
			c.Close()
		}
		select {
		case <-l.ctx.Done():
		case <-time.After(rest):
		}
	}
}

// dial connects with a small window, which makes no difference to who reads.
func (l *load) dial() *websocket.Conn {
	small := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		_ = c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10) })
		return err
	}}
	d := websocket.Dialer{NetDialContext: small.DialContext, HandshakeTimeout: patience}
	c, resp, err := d.DialContext(l.ctx, l.url, http.Header{})
	if err != nil {
		return nil // refused, or the test is over
	}
	resp.Body.Close()
	return c
}

func say(c *websocket.Conn, requests ...string) {
	for _, r := range requests {
		_ = c.WriteMessage(websocket.TextMessage, []byte(r)) // the end of the connection is noticed by reading
	}
}

const subscribe = `{"type":"subscribe","data":{"channels":["*.trade","BTC.*","*.balances","*.liquidity"]}}`

func hear(c *websocket.Conn, messages int) {
	for ; messages != 0; messages-- {
		if _, _, err := c.ReadMessage(); err != nil {
			return
		}
	}
}

func (l *load) listen(c *websocket.Conn) {
	say(c, subscribe)
	hear(c, -1)
}

func (l *load) visit(c *websocket.Conn) {
	say(c, subscribe, `{"type":"heartbeat"}`)
	hear(c, 5)
	say(c, `{"type":"unsubscribe","data":{"channels":["BTC.*"]}}`)
	hear(c, 5)
	_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	hear(c, -1)
}

// sleep never reads, so that it waits, and is closed one day.
func (l *load) sleep(c *websocket.Conn) {
	say(c, subscribe)
	select {
	case <-l.ctx.Done():
	case <-time.After(20 * time.Second):
	}
}

func (l *load) err(c *websocket.Conn) {
	say(c, `{"type":`, `{"type":"dance"}`, `{"type":"subscribe","data":{"channels":["no channel"]}}`)
	hear(c, 4)
}
