package wire

import "encoding/binary"

const (
	finBit      = 0x80
	rsv1Bit     = 0x40 // of a message's first frame: it is compressed (RFC 7692 section 6)
	reservedBit = 0x30
	maskBit     = 0x80
	length16    = 126 // the length follows in 16 bits
	length64    = 127 // the length follows in 64 bits
	keySize     = 4

	// headerMax is the longest header of a client: 2 bytes, 8 of length, 4 of
	// masking key.
	headerMax = 2 + 8 + keySize

	// controlMax is the longest payload of a control frame (RFC 6455 5.5).
	controlMax = 125
)

// RestMax bounds what Reader.Next leaves unconsumed when it wants more input:
// one byte less than the longest control frame.
const RestMax = 2 + keySize + controlMax - 1

// header is the head of one frame of a client.
type header struct {
	fin      bool
	deflated bool // the message that it begins is compressed
	op       Opcode
	key      uint32 // little endian, so that byte 0 masks the first byte
	size     uint64 // of the payload
}

// parseHeader reads the head of a frame. It judges each byte as soon as it is
// there, so that the verdict doesn't depend on how the input was cut. n is
// the header's length, 0: more input is needed. inMessage tells whether a
// fragmented message is open, inflates whether messages may be compressed.
func parseHeader(buf []byte, inMessage, inflates bool) (h header, n int, err *CloseError) {
	if len(buf) == 0 {
		return h, 0, nil
	}
	h.fin, h.deflated, h.op = buf[0]&finBit != 0, buf[0]&rsv1Bit != 0, Opcode(buf[0]&0x0f)
	if err := checkFirst(buf[0], h, inMessage, inflates); err != nil {
		return h, 0, err
	}
	if len(buf) < 2 {
		return h, 0, nil
	}
	if err := checkSecond(buf[1], h); err != nil {
		return h, 0, err
	}
	n, err = h.readSize(buf)
	if n == 0 || err != nil {
		return h, 0, err
	}
	if len(buf) < n+keySize {
		return h, 0, nil
	}
	h.key = binary.LittleEndian.Uint32(buf[n:])
	return h, n + keySize, nil
}

// checkFirst judges the byte of FIN, the reserved bits and the opcode.
func checkFirst(b byte, h header, inMessage, inflates bool) *CloseError {
	switch {
	case b&reservedBit != 0, h.deflated && !inflates:
		return breach("a reserved bit is set, but no extension was negotiated")
	case h.deflated && (h.op == Continuation || h.op.control()):
		return breach("only the first frame of a message may be marked as compressed")
	case h.op.reserved():
		return breach("reserved opcode")
	case h.op.control() && !h.fin:
		return breach("a control frame must not be fragmented")
	case h.op == Continuation && !inMessage:
		return breach("a continuation frame without a message to continue")
	case inMessage && !h.op.control() && h.op != Continuation:
		return breach("a new message before the fragmented one ended")
	}
	return nil
}

// checkSecond judges the byte of MASK and the short length.
func checkSecond(b byte, h header) *CloseError {
	short := b &^ maskBit
	switch {
	case b&maskBit == 0:
		return breach("a client's frame must be masked")
	case h.op.control() && short > controlMax:
		return breach("a control frame has at most 125 bytes")
	case h.op == Close && short == 1:
		return breach("a close frame's code has two bytes")
	}
	return nil
}

// readSize reads the payload's length in whichever of the three forms it has
// and returns where it ends in buf, 0: more input is needed.
func (h *header) readSize(buf []byte) (n int, err *CloseError) {
	switch short := buf[1] &^ maskBit; short {
	default:
		h.size = uint64(short)
		return 2, nil
	case length16:
		return h.readSize16(buf)
	case length64:
		return h.readSize64(buf)
	}
}

func (h *header) readSize16(buf []byte) (n int, err *CloseError) {
	if len(buf) < 4 {
		return 0, nil
	}
	h.size = uint64(binary.BigEndian.Uint16(buf[2:]))
	if h.size < length16 {
		return 0, breach("a length below 126 must be sent in 7 bits")
	}
	return 4, nil
}

func (h *header) readSize64(buf []byte) (n int, err *CloseError) {
	if len(buf) < 10 {
		return 0, nil
	}
	h.size = binary.BigEndian.Uint64(buf[2:])
	if h.size>>63 != 0 {
		return 0, breach("a 64-bit length must have its highest bit clear")
	}
	if h.size <= 0xffff {
		return 0, breach("a length below 65536 must be sent in 7 or 16 bits")
	}
	return 10, nil
}

// breach is the end of a connection whose client breaks RFC 6455.
func breach(message string) *CloseError {
	return &CloseError{Code: CloseProtocolError, Message: message}
}
