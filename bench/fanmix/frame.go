package main

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The handshake's key is constant, and so is the answer that proves that the
// server computed it (the pair of RFC 6455, 1.3).
const (
	handshakeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	handshakeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa
)

// Close codes behind which a client comes back.
const (
	closeRestarting = 1012 // a replay that couldn't go on is closed so, too
	closeOverloaded = 1013
)

// frameMax is more than any frame that Odin sends.
const frameMax = 16 << 20

// clientFrame makes a masked frame; the mask is all zeros, which is as good as any
// and leaves the payload as it is.
func clientFrame(op byte, payload []byte) []byte {
	b := []byte{0x80 | op}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// deflatedBit marks a compressed message.
const deflatedBit = 0x40

// cutFrame takes the first frame off b; size is 0 when it isn't whole yet. op has
// the deflatedBit beside it.
func cutFrame(b []byte) (op byte, payload []byte, size int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	if b[0]&^(deflatedBit|0xf) != 0x80 || b[1]&0x80 != 0 {
		return 0, nil, 0, fmt.Errorf("a frame begins with %x", b[:2])
	}
	head, n := 2, uint64(b[1])
	switch {
	case n == 126 && len(b) >= 4:
		head, n = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case n == 127 && len(b) >= 10:
		head, n = 10, binary.BigEndian.Uint64(b[2:])
	case n >= 126:
		return 0, nil, 0, nil
	}
	if n > frameMax {
		return 0, nil, 0, fmt.Errorf("a frame of %d bytes", n)
	}
	if uint64(len(b)-head) < n {
		return 0, nil, 0, nil
	}
	return b[0] & (deflatedBit | 0xf), b[head : head+int(n)], head + int(n), nil
}

var errNotRecord = errors.New("a record that is not what was agreed")
