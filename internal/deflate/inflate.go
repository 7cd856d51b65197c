package deflate

import (
	"errors"
	"io"
	"slices"

	"github.com/klauspost/compress/flate"
)

// What ends a connection.
var (
	ErrTooLarge = errors.New("the message inflates to more than is allowed")
	ErrCorrupt  = errors.New("the message's compressed data is not valid")
)

// Inflater makes the payloads of compressed messages whole. The zero value is
// ready. From its first message on it holds about 90 KB, and what the last
// message inflated to, if that was small.
type Inflater struct {
	in   source
	r    io.Reader
	kept []byte // where small messages are inflated to
}

// keptMax is how many bytes an Inflater keeps to be used again.
const keptMax = 64 << 10

// Inflate gives what a message's payload was before it was compressed. The
// result is valid until the next call and belongs to its user until then. It
// has at most max bytes, or the error is ErrTooLarge: what is beyond is not
// even inflated.
func (i *Inflater) Inflate(payload []byte, max int) ([]byte, error) {
	i.in = source{payload: payload, tail: tail}
	defer func() { i.in = source{} }()
	out := i.kept[:0]
	for more := true; more; {
		i.begin()
		var err error
		if out, err = i.blocks(out, max); err != nil {
			return nil, err
		}
		more = !i.in.ended()
	}
	if cap(out) <= keptMax {
		i.kept = out[:0]
	}
	return out, nil
}

// begin starts at a block that looks back on nothing.
func (i *Inflater) begin() {
	if i.r == nil {
		i.r = flate.NewReader(&i.in)
		return
	}
	// It fails for a dictionary that is none; there is none.
	_ = i.r.(flate.Resetter).Reset(&i.in, nil)
}

// blocks inflates up to the end of a block that says to be the last.
func (i *Inflater) blocks(out []byte, max int) ([]byte, error) {
	for {
		if len(out) == cap(out) {
			out = slices.Grow(out, min(len(out)+512, max+1-len(out)))
		}
		n, err := i.r.Read(out[len(out):min(cap(out), max+1)])
		out = out[:len(out)+n]
		switch {
		case len(out) > max:
			return nil, ErrTooLarge
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, ErrCorrupt
		}
	}
}

// tail stands behind each payload: the end of the empty block that was not
// sent (RFC 7692 section 7.2.2), and an empty block that says to be the last,
// so that there is an end to find.
const tail = flushed + "\x01\x00\x00\xff\xff"

// source is a payload and its tail. It gives a byte at a time, so that
// nothing is read beyond the end of a block.
type source struct {
	payload []byte
	tail    string
}

// ended tells whether all was read, at the end of a last block. A client may
// mark blocks of its own as last (section 7.2.3.4): behind each of them, other
// data may begin, at the next byte. Behind one that ends the payload there
// should be an empty block for the tail to complete; one that forgot it is
// understood all the same.
func (s *source) ended() bool {
	return len(s.payload) == 0 && (s.tail == "" || s.tail == tail)
}

func (s *source) ReadByte() (b byte, err error) {
	switch {
	case len(s.payload) > 0:
		b, s.payload = s.payload[0], s.payload[1:]
	case len(s.tail) > 0:
		b, s.tail = s.tail[0], s.tail[1:]
	default:
		return 0, io.EOF
	}
	return b, nil
}

func (s *source) Read(p []byte) (n int, err error) {
	n = copy(p, s.payload)
	s.payload = s.payload[n:]
	m := copy(p[n:], s.tail)
	s.tail = s.tail[m:]
	if n+m == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n + m, nil
}
