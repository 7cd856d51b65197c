package wire

import (
	"errors"
	"unicode/utf8"

	"github.com/odin-ws/odin/internal/deflate"
)

// Reader assembles the messages of one client (RFC 6455 section 5). The zero
// value is ready. Between messages it holds nothing, so an idle session pays
// for one pointer.
//
// After an error the connection is lost: Next must not be called again.
type Reader struct {
	open *assembly // nil between messages
}

// Next takes the input that is not consumed yet and returns one message, or
// one control frame, and what is left behind it; call it again until Op is
// Continuation. Then more input is needed: present rest (at most RestMax
// bytes) again with the new bytes behind it.
//
// It unmasks in place. A message that lies whole in buf is returned as a part
// of buf, without allocation; one that doesn't is collected in the Reader,
// whose memory grows with what has arrived and never with what was announced.
// max is the largest message in bytes: beyond it the error is 1009, decided
// by the header alone. Text and the reasons of close frames are valid UTF-8;
// text is checked as it arrives.
//
// z inflates compressed messages once they are whole (nil: none was agreed
// on); max bounds them before and after, and the Payload is valid until z is
// used again. One z serves the Readers of many sessions.
func (r *Reader) Next(buf []byte, max int, z *deflate.Inflater) (m Message, rest []byte, err *CloseError) {
	if r.open != nil && r.open.handed {
		r.open = nil
	}
	for {
		if r.open != nil && r.open.inFrame {
			if buf, err = r.open.take(buf); err != nil || r.open.inFrame {
				return Message{}, buf, err
			}
			if r.open.fin {
				m, err = r.hand(max, z)
				return m, buf, err
			}
		}
		h, n, err := parseHeader(buf, r.open != nil, z != nil)
		if err == nil {
			err = r.checkSize(h, max)
		}
		if n == 0 || err != nil {
			return Message{}, buf, err
		}
		body := buf[n:]
		whole := h.size <= uint64(len(body))
		switch {
		case h.op.control():
			if !whole {
				return Message{}, buf, nil
			}
			return inPlace(h, body, max, z)
		case whole && h.fin && r.open == nil:
			return inPlace(h, body, max, z)
		}
		r.begin(h, len(body))
		buf = body
	}
}

// Need is how many bytes are wanted before Next can do more: those missing of
// the frame in hand, or of the next header. rest is what Next left.
func (r *Reader) Need(rest []byte) int {
	if r.open != nil && r.open.inFrame {
		return int(r.open.left)
	}
	if h, n, err := parseHeader(rest, r.open != nil, true); n > 0 && err == nil {
		return n + int(h.size) - len(rest)
	}
	if len(rest) < 2+keySize {
		return 2 + keySize - len(rest)
	}
	return headerMax - len(rest)
}

// Buffered is how many bytes of memory the Reader holds for a message that is
// not complete, or was returned by the last call of Next.
func (r *Reader) Buffered() int {
	if r.open == nil {
		return 0
	}
	return cap(r.open.data)
}

// checkSize decides 1009. A header whose length isn't known yet has size 0.
func (r *Reader) checkSize(h header, max int) *CloseError {
	if h.op.control() {
		return nil
	}
	have := 0
	if r.open != nil {
		have = len(r.open.data)
	}
	if uint64(have)+h.size > uint64(max) { // no overflow: the highest bit is clear
		return errTooLarge()
	}
	return nil
}

// begin turns to the payload of a data frame that can't be used in place.
func (r *Reader) begin(h header, arrived int) {
	if r.open == nil {
		r.open = &assembly{op: h.op, deflated: h.deflated}
	}
	r.open.start(h, arrived)
}

// hand returns the message that was collected. One that was compressed is
// somewhere else now.
func (r *Reader) hand(max int, z *deflate.Inflater) (Message, *CloseError) {
	if a := r.open; a.deflated {
		r.open = nil
		return inflated(a.op, a.data, max, z)
	}
	return r.open.hand(), nil
}

// inflated returns a message that was compressed.
func inflated(op Opcode, payload []byte, max int, z *deflate.Inflater) (Message, *CloseError) {
	payload, err := z.Inflate(payload, max)
	switch {
	case errors.Is(err, deflate.ErrTooLarge):
		return Message{}, errTooLarge()
	case err != nil:
		return Message{}, breach(err.Error())
	case op == Text && !utf8.Valid(payload):
		return Message{}, errNotUTF8()
	}
	return Message{Op: op, Deflated: true, Payload: payload}, nil
}

// inPlace returns a frame that is a whole message at the head of body.
func inPlace(h header, body []byte, max int, z *deflate.Inflater) (Message, []byte, *CloseError) {
	payload, rest := body[:h.size:h.size], body[h.size:]
	unmask(payload, h.key)
	if h.deflated {
		m, err := inflated(h.op, payload, max, z)
		return m, rest, err
	}
	if h.op == Text && !utf8.Valid(payload) {
		return Message{}, rest, errNotUTF8()
	}
	if h.op == Close {
		if err := checkClose(payload); err != nil {
			return Message{}, rest, err
		}
	}
	return Message{Op: h.op, Payload: payload}, rest, nil
}

func errTooLarge() *CloseError {
	return &CloseError{Code: CloseTooBig, Message: "the message is larger than max_request_bytes"}
}

func errNotUTF8() *CloseError {
	return &CloseError{Code: CloseInvalidData, Message: "text must be valid UTF-8"}
}
