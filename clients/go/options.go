package odin

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// Defaults of Options.
const (
	DefaultHeartbeat       = 30 * time.Second
	DefaultBackoffMin      = time.Second
	DefaultBackoffMax      = 30 * time.Second
	DefaultMessageBytesMax = 80 << 20 // more than the largest that any odind sends
)

// clientIDMax is what a server takes of a ClientID.
const clientIDMax = 128 // bytes

// Options of a Client. Only OnRecord is needed.
//
// Handlers are called one at a time and in order. An error from one of them
// ends Run with that error, and the cursor stays before what the handler was
// called for.
type Options struct {
	// Channels to begin with, like BTC.trade, *.trade or BTC.*.
	Channels []string
	// Cursor of an earlier client with these Channels: its stream goes on
	// from there. nil begins with what comes from now on.
	Cursor Cursor
	// Last asks for so many of the newest records that the server keeps of
	// each channel, when it is first subscribed.
	Last int
	// ClientID helps an operator to find the session; at most 128 bytes.
	ClientID string

	// OnRecord gets every record.
	OnRecord func(Record) error
	// OnGap is told of records that were dropped because this client was too
	// slow.
	OnGap func(Gap) error
	// OnReset is told when the stream's place in a topic is moved.
	OnReset func(Reset) error
	// OnRecovery is told, after a connection was lost and another was made,
	// whether all that was missed has come.
	OnRecovery func(Recovery) error
	// OnRejected is told of channels that the server doesn't take.
	OnRejected func(Rejection)
	// OnConnect is told of each connection.
	OnConnect func(Connection)
	// OnDisconnect is told when a connection has ended or could not be made.
	OnDisconnect func(Disconnection)

	// Heartbeat is how often the client asks for its place, so that the
	// cursor moves on where channels are quiet, and a dead connection is
	// noticed: after two of them and 10 s without a word. 0 is
	// DefaultHeartbeat; a negative one is none, and the server's pings count.
	Heartbeat time.Duration
	// BackoffMin and BackoffMax bound the waits before another attempt where
	// the server gives no window: random ones from 0 to BackoffMin, then to
	// twice as much each time, up to BackoffMax. 0 is the default.
	BackoffMin, BackoffMax time.Duration
	// MessageBytesMax bounds one message. 0 is DefaultMessageBytesMax.
	MessageBytesMax int64
	// Header is sent with each handshake.
	Header http.Header
	// Dialer makes the connections: TLS, proxy, timeouts. nil is one that
	// honours HTTPS_PROXY. A handshake has 10 s where it says nothing of that.
	Dialer *websocket.Dialer
}

// Connection is a connection that was made.
type Connection struct {
	Node   string // the server's name for itself
	Worker int    // which of its processes serves the session
}

// Recovery tells what became of the records between two connections.
type Recovery struct {
	// Recovered is true when every one of them has been handed over by now:
	// Replayed of them.
	Recovered bool
	Replayed  int
	// Reason says why they could not be had, or not be proven complete; the
	// stream goes on from now. "epoch": a topic was made anew or truncated.
	// "trimmed": they are gone. "limit": they are too many. "unavailable":
	// the server can't tell or have them just now. "refused": it doesn't take
	// the cursor; Message says why. "too_large": channels and cursor don't
	// fit into a request.
	Reason  string
	Message string
	// Cursor has the server's places behind the replay, or from which the
	// stream goes on. nil where the server gave none: "refused", "too_large".
	Cursor Cursor
}

// Disconnection tells why there is no connection, and what comes next.
type Disconnection struct {
	Err     error
	RetryIn time.Duration // until the next attempt
	Final   bool          // there is none: Run ends with Err
}

// check completes the options, or says what is wrong with them.
func (o *Options) check(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("odin: %w", err)
	case u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "":
		return fmt.Errorf("odin: %q is no address of an odind, like ws://127.0.0.1:3001/ws", address)
	case o.OnRecord == nil:
		return errors.New("odin: Options.OnRecord is needed")
	case o.Last < 0:
		return fmt.Errorf("odin: the last %d records, allowed: 0 or more", o.Last)
	case len(o.ClientID) > clientIDMax:
		return fmt.Errorf("odin: a ClientID of %d bytes, allowed: %d", len(o.ClientID), clientIDMax)
	}
	o.Channels = slices.Clone(o.Channels)
	o.Heartbeat = cmp.Or(o.Heartbeat, DefaultHeartbeat)
	o.BackoffMin = orDefault(o.BackoffMin, DefaultBackoffMin)
	o.BackoffMax = max(o.BackoffMin, orDefault(o.BackoffMax, DefaultBackoffMax))
	o.MessageBytesMax = orDefault(o.MessageBytesMax, DefaultMessageBytesMax)
	o.Dialer = dialer(o.Dialer)
	return o.Cursor.check()
}

// dialer completes the caller's dialer, and leaves the original alone.
func dialer(own *websocket.Dialer) *websocket.Dialer {
	d := websocket.Dialer{Proxy: http.ProxyFromEnvironment}
	if own != nil {
		d = *own
	}
	d.HandshakeTimeout = orDefault(d.HandshakeTimeout, handshakeMax)
	if len(d.Subprotocols) == 0 {
		d.Subprotocols = []string{"odin.v1"}
	}
	return &d
}

func orDefault[T time.Duration | int64](value, standard T) T {
	if value <= 0 {
		return standard
	}
	return value
}
