package worker

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/shm"
)

// knock is a connection whose handshake goes on. It watches what net/http does
// with it before there is a request, since the server tells nobody.
type knock struct {
	net.Conn
	doors *doors
	began time.Time
	heard atomic.Bool // the request came to the handler, which counts what becomes of it
	late  atomic.Bool // the head didn't come in time
	left  atomic.Bool // the client ended the connection before its head was complete
	over  sync.Once

	refused atomic.Int64 // shm.Counter of what net/http answered by itself; 0: it didn't
}

type knockKey struct{}

func withKnock(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, knockKey{}, c)
}

func knockOf(r *http.Request) *knock { return r.Context().Value(knockKey{}).(*knock) }

// Read notes why there is no more.
func (k *knock) Read(b []byte) (int, error) {
	n, err := k.Conn.Read(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		k.late.Store(true)
	case err != nil:
		k.left.Store(true)
	}
	return n, err
}

// Write notes what net/http answers to a head that it doesn't take.
func (k *knock) Write(b []byte) (int, error) {
	if !k.heard.Load() {
		why := shm.HandshakesFailedBadRequest
		if bytes.HasPrefix(b, []byte("HTTP/1.1 431 ")) {
			why = shm.HandshakesFailedTooLarge
		}
		k.refused.CompareAndSwap(0, int64(why))
	}
	return k.Conn.Write(b)
}

// Close ends the connection, and its being pending.
func (k *knock) Close() error {
	k.settle()
	return k.Conn.Close()
}

// settle ends the connection's being pending.
func (k *knock) settle() {
	k.over.Do(func() {
		k.doors.pending.Add(-1)
		switch {
		case k.heard.Load():
		case k.left.Load():
			k.doors.block.Add(shm.HandshakesFailedIO, 1)
		case k.refused.Load() != 0:
			k.doors.block.Add(shm.Counter(k.refused.Load()), 1)
		case k.late.Load():
			k.doors.block.Add(shm.HandshakesFailedDeadline, 1)
		default:
			k.doors.block.Add(shm.HandshakesFailedIO, 1)
		}
	})
}

// failure is the counter of an upgrade that failed.
func failure(err error) shm.Counter {
	var handshake websocket.HandshakeError
	switch {
	case errors.As(err, &handshake):
		return shm.HandshakesFailedBadRequest
	case strings.Contains(err.Error(), "before handshake is complete"): // gorilla has no value for it
		return shm.HandshakesFailedEarlyBytes
	}
	return shm.HandshakesFailedIO
}
