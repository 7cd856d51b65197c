package bus

import "fmt"

// inboxBytes is a link's usual input buffer: one batch and the head of the next.
const inboxBytes = MaxBatchBytes + 4<<10

// Inbox is the receiving end of a link: bytes go in, messages come out. The
// zero value is ready. It belongs to the loop that reads the link.
//
// Its buffer grows only while the bytes of a larger message really arrive, and
// falls back to its usual size behind it.
type Inbox struct {
	decoder    Decoder
	buf        []byte
	start, end int // what is buffered: buf[start:end]
	hello      bool
}

// Space is where the next read goes; it is never empty. It invalidates what
// Next returned.
func (b *Inbox) Space() []byte {
	held := b.buf[b.start:b.end]
	switch {
	case len(held) == 0 && cap(b.buf) != inboxBytes:
		b.buf = make([]byte, inboxBytes)
	case len(held) == len(b.buf):
		larger := make([]byte, min(2*len(b.buf), MaxMessageBytes))
		copy(larger, held)
		b.buf = larger
	case b.start > 0:
		copy(b.buf, held)
	}
	b.start, b.end = 0, len(held)
	return b.buf[b.end:]
}

// Filled says that the first n bytes of the last Space have been read into.
func (b *Inbox) Filled(n int) { b.end += n }

// Buffered is the number of bytes received and not yet taken by Next.
func (b *Inbox) Buffered() int { return b.end - b.start }

// Next takes the next message, KindNone if it is not all there. The first
// message must be a HELLO, and no other may be. Records of an ADV are valid
// until the next Space, the ADV itself until the next call.
func (b *Inbox) Next() (Message, error) {
	m, rest, err := b.decoder.Next(b.buf[b.start:b.end])
	if err != nil || m.Kind == KindNone {
		return Message{}, err
	}
	if (m.Kind == KindHello) == b.hello {
		return Message{}, fmt.Errorf("%w: %s out of turn", ErrMalformed, m.Kind)
	}
	b.hello = true
	b.start = b.end - len(rest)
	return m, nil
}
