package wire

import "strconv"

// Opcode is the kind of a frame (RFC 6455 section 5.2).
type Opcode byte

// The opcodes that RFC 6455 defines; all others are reserved.
const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Close        Opcode = 0x8
	Ping         Opcode = 0x9
	Pong         Opcode = 0xA
)

// String names the opcode for logs and errors.
func (op Opcode) String() string {
	switch op {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return "reserved opcode " + strconv.Itoa(int(op))
}

func (op Opcode) control() bool { return op&0x8 != 0 }

func (op Opcode) reserved() bool { return op&0x7 > 2 }

// Message is one complete message of a client, or one control frame.
type Message struct {
	// Op is Text, Binary, Close, Ping or Pong; Continuation, the zero value,
	// means that there is none yet.
	Op Opcode
	// Deflated: it came compressed. Payload is what it inflated to.
	Deflated bool
	// Payload is unmasked; it is valid until the next call of Next and may be
	// overwritten by its user.
	Payload []byte
}
