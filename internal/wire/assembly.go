package wire

import "unicode/utf8"

// assembly is a message that arrives in pieces: fragments, or one frame that
// the input ends within.
type assembly struct {
	op       Opcode // Text or Binary
	deflated bool   // data is compressed
	inFrame  bool   // the payload of a frame is being read
	fin      bool   // that frame is the message's last
	handed   bool   // the message was returned; it is dropped at the next call
	key      uint32 // masks the next byte
	left     uint64 // bytes of that frame still to come
	data     []byte // unmasked
	checked  int    // data[:checked] is valid UTF-8
}

const assemblyMin = 512

// start turns to the next frame of the message, of whose payload so many
// bytes have arrived. It makes room for all of it only when at least half is
// there: what a client merely announces costs nothing.
func (a *assembly) start(h header, arrived int) {
	a.inFrame, a.fin, a.left, a.key = true, h.fin, h.size, h.key
	room := min(h.size, uint64(max(2*arrived, assemblyMin)))
	if have := cap(a.data) - len(a.data); a.data == nil && uint64(have) < room {
		a.data = make([]byte, 0, room)
	}
}

// take moves what belongs to the frame out of buf and returns what is behind
// it.
func (a *assembly) take(buf []byte) ([]byte, *CloseError) {
	n := int(min(a.left, uint64(len(buf))))
	from := len(a.data)
	a.data = append(a.data, buf[:n]...)
	a.key = unmask(a.data[from:], a.key)
	a.left -= uint64(n)
	a.inFrame = a.left > 0
	if a.op == Text && !a.deflated && !a.checkText() {
		return buf[n:], errNotUTF8()
	}
	return buf[n:], nil
}

// checkText checks what has come since the last call, all but a rune whose
// end may still arrive; a rune that no end could make valid fails at once.
func (a *assembly) checkText() bool {
	fresh := a.data[a.checked:]
	if tail := partialRune(fresh); tail > 0 && !(a.fin && a.left == 0) {
		fresh = fresh[:len(fresh)-tail]
	}
	a.checked += len(fresh)
	return utf8.Valid(fresh)
}

// partialRune is the length of the unfinished rune at the end of p, or 0.
func partialRune(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if tail := p[len(p)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

func (a *assembly) hand() Message {
	a.handed = true
	return Message{Op: a.op, Payload: a.data}
}
