package wire

import (
	"encoding/binary"
	"time"

	"github.com/odin-ws/odin/internal/deflate"
)

// AppendFrame appends one whole message as the server sends it: final and
// unmasked. A control frame's payload is at most 125 bytes: what is longer is
// cut.
func AppendFrame(dst []byte, op Opcode, payload []byte) []byte {
	if op.control() && len(payload) > controlMax {
		payload = payload[:controlMax]
	}
	return append(appendHeader(dst, op, len(payload)), payload...)
}

// appendHeader appends the head of an unmasked, final frame.
func appendHeader(dst []byte, op Opcode, size int) []byte {
	dst = append(dst, finBit|byte(op))
	switch {
	case size < length16:
		return append(dst, byte(size))
	case size <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, length16), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(dst, length64), uint64(size))
}

// headerSize is the length of the head of an unmasked frame.
func headerSize(size int) int {
	switch {
	case size < length16:
		return 2
	case size <= 0xffff:
		return 4
	}
	return 10
}

// beginText appends the head of a text frame whose size is guessed; endText
// puts it right.
func beginText(dst []byte, guess int) (_ []byte, body int) {
	dst = appendHeader(dst, Text, guess)
	return dst, len(dst)
}

// endText ends the frame that beginText began: the payload stands from body
// on.
func endText(dst []byte, body, guess int) []byte { return endFrame(dst, Text, body, guess) }

// endFrame puts the head of a frame right whose size was guessed. The payload,
// from body on, is moved only if the guess calls for another form of length.
func endFrame(dst []byte, op Opcode, body, guess int) []byte {
	size := len(dst) - body
	if size == guess {
		return dst
	}
	start := body - headerSize(guess)
	if move := headerSize(size) - headerSize(guess); move != 0 {
		if move > 0 {
			dst = append(dst, make([]byte, move)...)
		}
		copy(dst[body+move:], dst[body:body+size])
		dst = dst[:body+move+size]
	}
	appendHeader(dst[:start], op, size)
	return dst
}

// AppendDeflated appends the compressed form of a whole frame of a text or
// binary message, for the sessions that agreed on it (RFC 7692). False: it
// would be no smaller, and dst is as it was.
func AppendDeflated(dst, frame []byte, c *deflate.Compressor) (_ []byte, ok bool) {
	start := len(dst)
	head, size := frameSizes(frame)
	op := Opcode(frame[0] & 0x0f)
	dst = appendHeader(dst, op, size)
	body := len(dst)
	dst, ok = c.Append(dst, frame[head:])
	if ok {
		dst = endFrame(dst, op, body, size)
	}
	if !ok || len(dst)-start >= len(frame) {
		return dst[:start], false
	}
	dst[start] |= rsv1Bit
	return dst, true
}

// Deflated tells whether a frame begins a compressed message.
func Deflated(frame []byte) bool { return frame[0]&rsv1Bit != 0 }

// AppendClose appends a close frame. Its reason is the JSON of the protocol:
// {"code":reason}, with retry_min_ms and retry_max_ms unless retryMax is zero
// (don't reconnect). reason is a name in printable ASCII; any other byte
// becomes '?', and what a control frame has no room for is cut.
func AppendClose(dst []byte, code CloseCode, reason string, retryMin, retryMax time.Duration) []byte {
	start := len(dst)
	dst = append(dst, finBit|byte(Close), 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	dst = append(dst, `{"code":"`...)
	for _, b := range []byte(reason[:min(len(reason), closeReasonMax)]) {
		if !plain(b) {
			b = '?'
		}
		dst = append(dst, b)
	}
	dst = append(dst, '"')
	if retryMax > 0 {
		dst = appendKeyInt(dst, `,"retry_min_ms":`, retryMillis(retryMin))
		dst = appendKeyInt(dst, `,"retry_max_ms":`, retryMillis(retryMax))
	}
	dst = append(dst, '}')
	dst[start+1] = byte(len(dst) - start - 2)
	return dst
}

const (
	retryDigits    = 9
	retryMillisMax = 999_999_999 // 11 days

	// closeReasonMax leaves room in a control frame for the code, the words of
	// the JSON and two numbers.
	closeReasonMax = controlMax - 2 - len(`{"code":"","retry_min_ms":,"retry_max_ms":}`) - 2*retryDigits
)

func retryMillis(d time.Duration) int64 { return min(max(d.Milliseconds(), 0), retryMillisMax) }

// AppendCloseCode appends a close frame with Odin's usual reason and retry
// window for the code.
func AppendCloseCode(dst []byte, code CloseCode) []byte {
	m, ok := code.Meaning()
	if !ok || len(m.Reasons) == 0 {
		return appendCloseBare(dst, code)
	}
	return AppendClose(dst, code, m.Reasons[0], m.RetryMin, m.RetryMax)
}

// AppendCloseReply appends the answer to a client's close frame, whose
// payload Reader has checked: its own code, as RFC 6455 section 5.5.1 advises.
func AppendCloseReply(dst, payload []byte) []byte {
	code, _ := ParseClose(payload)
	return appendCloseBare(dst, code)
}

// appendCloseBare appends a close frame without a reason, and for the codes
// that must not travel without a code.
func appendCloseBare(dst []byte, code CloseCode) []byte {
	if !code.valid() {
		return append(dst, finBit|byte(Close), 0)
	}
	dst = append(dst, finBit|byte(Close), 2)
	return binary.BigEndian.AppendUint16(dst, uint16(code))
}
