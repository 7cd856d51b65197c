package bus

import "github.com/odin-ws/odin/internal/event"

// Outbox is the sending end of a link: messages go in, bytes come out. The
// zero value is ready. It is no queue: what is owed stays in history, and the
// loop asks for the next batch only while there is Room.
type Outbox struct {
	buf  []byte
	sent int // of buf
}

// Room is how many bytes an ADV may take now for the outbox to stay within one
// batch; 0 or less: write first. All that is no
// batch of records may always be put.
func (b *Outbox) Room() int { return MaxBatchBytes - b.Len() }

// Len is the number of bytes that wait to be written.
func (b *Outbox) Len() int { return len(b.buf) - b.sent }

// Pending are the bytes to write next, valid until the next Put.
func (b *Outbox) Pending() []byte { return b.buf[b.sent:] }

// Wrote says that the first n bytes of Pending are gone. An emptied buffer that
// one large record has stretched is given back.
func (b *Outbox) Wrote(n int) {
	b.sent += n
	if b.sent < len(b.buf) {
		return
	}
	b.buf, b.sent = b.buf[:0], 0
	if cap(b.buf) > 2*MaxBatchBytes {
		b.buf = nil
	}
}

// PutHello puts the message that opens the link.
func (b *Outbox) PutHello(slot int, generation uint32) {
	b.buf = AppendHello(b.compact(), slot, generation)
}

// PutAdvance puts a batch; the caller has cut it to Room.
func (b *Outbox) PutAdvance(a *event.Advance) { b.buf = AppendAdvance(b.compact(), a) }

// PutSeek puts a wish to the owner at the other end.
func (b *Outbox) PutSeek(s event.Seek) { b.buf = AppendSeek(b.compact(), s) }

// PutLost puts the word that a range is gone.
func (b *Outbox) PutLost(l event.Lost) { b.buf = AppendLost(b.compact(), l) }

// PutWant puts a question for what lies below the history.
func (b *Outbox) PutWant(w event.Want) { b.buf = AppendWant(b.compact(), w) }

// PutPast puts a part of an answer; the caller has cut it to Room.
func (b *Outbox) PutPast(p *event.Past) { b.buf = AppendPast(b.compact(), p) }

// PutPastEnd puts the end of an answer.
func (b *Outbox) PutPastEnd(p event.PastEnd) { b.buf = AppendPastEnd(b.compact(), p) }

// compact moves what is unsent to the front once most of the buffer is sent, so
// that a link that is never quite empty doesn't grow.
func (b *Outbox) compact() []byte {
	if b.sent > 0 && b.sent >= len(b.buf)/2 {
		n := copy(b.buf, b.buf[b.sent:])
		b.buf, b.sent = b.buf[:n], 0
	}
	return b.buf
}
