package wire

import (
	"strconv"
	"time"
)

// Bounds of a request that no configuration moves.
const (
	IDMax       = 64    // bytes of a request's id
	ClientIDMax = 128   // bytes of a reconnect's client_id
	LastMax     = 10000 // a larger `last` counts as this
	TopicsMax   = 64    // topics of a cursor
	OffsetsMax  = 4096  // partitions of a cursor, all topics together
	EpochMax    = 128   // bytes of a cursor's epoch
	TopicMax    = 249   // bytes of a topic's name: Kafka's bound

	// ErrorsMax errors within ErrorsWindow close with 1008.
	ErrorsMax    = 20
	ErrorsWindow = 60 * time.Second

	// PingInterval is how often the server pings, PongGrace how late the
	// answer may be.
	PingInterval = 25 * time.Second
	PongGrace    = 10 * time.Second

	// DrainInputTime and DrainInputBytes bound how long input is discarded
	// behind a close frame of the server, so that the frame arrives.
	DrainInputTime  = 2 * time.Second
	DrainInputBytes = 4 << 20
)

// Limits are the bounds of one request.
type Limits struct {
	// Channels is the most channels that ParseRequest hands over of one
	// request; how many more there were is in Request.Omitted. Those beyond a
	// session's max_channels are the caller's to reject one by one.
	Channels int
}

// Default limits of protocol.md's section 5.
const (
	RequestBytesMax = 256 << 10
	ChannelsMax     = 1000
)

// DefaultLimits lets ten times a session's channels through, so that each of
// a plausible request's channels gets its own rejection.
func DefaultLimits() Limits { return Limits{Channels: 10 * ChannelsMax} }

// Bound documents one limit that a client can meet.
type Bound struct {
	Name   string
	Value  string
	Beyond string // what happens beyond it
}

// Bounds is every limit that a client can meet on its connection. Those that
// the greeting announces, or that are an operator's to set, have their
// default here.
func Bounds() []Bound {
	number := strconv.Itoa
	return []Bound{
		{"bytes of a request (`max_request_bytes`, default)", number(RequestBytesMax), "closed with 1009"},
		{"channels of a session (`max_channels`, default)", number(ChannelsMax), "`too_many_channels`"},
		{"bytes of `id`", number(IDMax), "`bad_request`"},
		{"bytes of `client_id`", number(ClientIDMax), "`bad_request`"},
		{"records a channel for `last`", number(LastMax), "taken as this"},
		{"topics of a cursor", number(TopicsMax), "`bad_request`"},
		{"offsets of a cursor, all topics together", number(OffsetsMax), "`bad_request`"},
		{"bytes of an `epoch`", number(EpochMax), "`bad_request`"},
		{"nesting of arrays and objects, in a request", number(ValueDepthMax), "`bad_json`"},
		{"nesting of arrays and objects, in a record's value", number(ValueDepthMax), "sent as base64"},
		{"payload of a ping, pong or close", number(controlMax), "closed with 1002"},
		{"errors within " + seconds(ErrorsWindow), number(ErrorsMax), "closed with 1008"},
		{"delay of the pong to a server's ping, sent every " + seconds(PingInterval), seconds(PongGrace), "closed"},
	}
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) + " s" }
