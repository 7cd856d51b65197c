package bus

import "github.com/odin-ws/odin/internal/event"

// Version is the form of all messages but HELLO.
const Version = 2

// Limits of a message. A batch is cut at MaxBatchBytes; a single record may be
// larger, so that a frame of any size that is relayed at all fits.
const (
	MaxBatchBytes   = 256 << 10
	MaxFrameBytes   = 64 << 20 // the most that limits.record_bytes_max may say
	MaxPartitions   = 4096
	MaxMessageBytes = lengthBytes + kindBytes + advanceBytes + recordBytes + event.ChannelMax + MaxFrameBytes
)

// Sizes of the fixed parts on the wire.
const (
	lengthBytes  = 4
	kindBytes    = 1
	helloBytes   = 4 + 2 + 2 + 4
	advanceBytes = 4 + 4 + 4 + 8 + 8 + 4 + 4
	recordBytes  = 8 + 4 + 8 + 2 + 4
	seekBytes    = 4 + 4 + 4 + 1 + 8 + 4
	lostBytes    = 4 + 4 + 4 + 8 + 8
	wantBytes    = 4 + 4 + 4 + 8 + 8
	pastBytes    = 4 + 4 + 4 + 8 + 8 + 1
)

// frameMin is the smallest WebSocket frame: a header without payload.
const frameMin = 2

// magic opens every HELLO: "ODIN".
const magic = 'O' | 'D'<<8 | 'I'<<16 | 'N'<<24

// Kind tells a message's type. The zero Kind is no message: more input is
// needed.
type Kind uint8

// The kinds, by their number on the wire.
const (
	KindNone Kind = iota
	KindHello
	KindAdvance
	KindSeek
	KindLost
	KindWant
	KindPast
	KindPastEnd
)

// String gives the name that the design and the logs use.
func (k Kind) String() string {
	switch k {
	case KindNone:
		return "none"
	case KindHello:
		return "HELLO"
	case KindAdvance:
		return "ADV"
	case KindSeek:
		return "SEEK"
	case KindLost:
		return "LOST"
	case KindWant:
		return "WANT"
	case KindPast:
		return "PAST"
	case KindPastEnd:
		return "PAST END"
	}
	return "unknown"
}

// Hello introduces the incarnation of a worker at a link's other end.
type Hello struct {
	Slot       int    // 0 to event.MaxSlots-1
	Generation uint32 // 24 bits, as in an owner word
	Version    int    // of the messages that follow
}

// Message is one decoded message; the field that Kind names is set.
type Message struct {
	Kind    Kind
	Hello   Hello
	Advance *event.Advance // the decoder's own, valid until its next call; Records alias the input
	Seek    event.Seek
	Lost    event.Lost
	Want    event.Want
	Past    *event.Past // like Advance
	PastEnd event.PastEnd
}
