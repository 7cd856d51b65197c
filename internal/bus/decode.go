package bus

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/odin-ws/odin/internal/event"
)

// Errors of a link; each is wrapped with what was wrong. None can be mended:
// the link has to be remade.
var (
	ErrMalformed = errors.New("bus: malformed message")
	ErrVersion   = errors.New("bus: sibling speaks another version")
)

// generationMask keeps the bits of a generation that an owner word has.
const generationMask = 1<<24 - 1

// Decoder takes messages from a link's input. The zero value is ready. It
// keeps one Advance and its slice of records and uses them again, so that in
// the steady state nothing is allocated.
type Decoder struct {
	advance event.Advance
	past    event.Past
}

// Next takes one message from the front of buf and returns what is left. With
// less than a whole message it returns Kind KindNone and all of buf: present it
// again with more bytes behind it. The records of an ADV alias buf; the ADV
// itself is the decoder's and valid until the next call.
func (d *Decoder) Next(buf []byte) (m Message, rest []byte, err error) {
	size, err := messageSize(buf)
	if err != nil {
		return Message{}, buf, err
	}
	if size == 0 || size > len(buf) {
		return Message{}, buf, nil
	}
	kind, body := Kind(buf[lengthBytes]), buf[lengthBytes+kindBytes:size:size]
	switch kind {
	case KindHello:
		m.Hello, err = decodeHello(body)
	case KindAdvance:
		m.Advance, err = d.decodeAdvance(body)
	case KindSeek:
		m.Seek, err = decodeSeek(body)
	case KindLost:
		m.Lost, err = decodeLost(body)
	case KindWant:
		m.Want, err = decodeWant(body)
	case KindPast:
		m.Past, err = d.decodePast(body)
	case KindPastEnd:
		m.PastEnd, err = decodePastEnd(body)
	}
	if err != nil {
		return Message{}, buf, fmt.Errorf("%w (%s of %d bytes)", err, kind, size)
	}
	m.Kind = kind
	return m, buf[size:], nil
}

// messageSize is the size of the message that buf begins with, 0 as long as
// its head is not there. A length that its kind can't have is refused at once,
// before anybody waits or makes room for it.
func messageSize(buf []byte) (int, error) {
	if len(buf) < lengthBytes {
		return 0, nil
	}
	length := binary.LittleEndian.Uint32(buf)
	if length < kindBytes || length > MaxMessageBytes-lengthBytes {
		return 0, malformed("a length of %d", length)
	}
	if len(buf) < lengthBytes+kindBytes {
		return 0, nil
	}
	kind := Kind(buf[lengthBytes])
	body := int(length) - kindBytes
	least, most, known := bodyBounds(kind)
	if !known {
		return 0, malformed("an unknown kind %d", kind)
	}
	if body < least || body > most {
		return 0, malformed("%s with a body of %d", kind, body)
	}
	return lengthBytes + int(length), nil
}

func bodyBounds(k Kind) (least, most int, known bool) {
	switch k {
	case KindHello:
		return helloBytes, helloBytes, true
	case KindAdvance, KindPast:
		return advanceBytes, MaxMessageBytes - lengthBytes - kindBytes, true
	case KindSeek:
		return seekBytes, seekBytes, true
	case KindLost:
		return lostBytes, lostBytes, true
	case KindWant:
		return wantBytes, wantBytes, true
	case KindPastEnd:
		return pastBytes, pastBytes, true
	}
	return 0, 0, false
}

func decodeHello(b []byte) (Hello, error) {
	if got := binary.LittleEndian.Uint32(b); got != magic {
		return Hello{}, malformed("no magic, %#x", got)
	}
	h := Hello{
		Version:    int(binary.LittleEndian.Uint16(b[4:])),
		Slot:       int(binary.LittleEndian.Uint16(b[6:])),
		Generation: binary.LittleEndian.Uint32(b[8:]),
	}
	if h.Version != Version {
		return Hello{}, fmt.Errorf("%w: %d instead of %d", ErrVersion, h.Version, Version)
	}
	if h.Slot >= event.MaxSlots || h.Generation > generationMask {
		return Hello{}, malformed("slot %d, generation %d", h.Slot, h.Generation)
	}
	return h, nil
}

func decodeSeek(b []byte) (event.Seek, error) {
	var s event.Seek
	var err error
	if s.Partition, s.Era, s.Term, err = decodeOrigin(b); err != nil {
		return event.Seek{}, err
	}
	if b[12] > 1 {
		return event.Seek{}, malformed("positioned is %d", b[12])
	}
	s.Positioned = b[12] == 1
	s.Held = int64(binary.LittleEndian.Uint64(b[13:]))
	s.HeldEpoch = int32(binary.LittleEndian.Uint32(b[21:]))
	if s.Held < event.None {
		return event.Seek{}, malformed("held is %d", s.Held)
	}
	return s, nil
}

func decodeLost(b []byte) (event.Lost, error) {
	var l event.Lost
	var err error
	if l.Partition, l.Era, l.Term, err = decodeOrigin(b); err != nil {
		return event.Lost{}, err
	}
	l.Prev, l.To, err = decodeSpan(b[12:])
	return l, err
}

func decodeWant(b []byte) (event.Want, error) {
	var w event.Want
	var err error
	if w.Partition, w.Era, w.Number, err = decodeOrigin(b); err != nil {
		return event.Want{}, err
	}
	w.From, w.To = int64(binary.LittleEndian.Uint64(b[12:])), int64(binary.LittleEndian.Uint64(b[20:]))
	if w.From < 0 || w.To < w.From {
		return event.Want{}, malformed("offsets [%d, %d]", w.From, w.To)
	}
	return w, nil
}

func (d *Decoder) decodePast(b []byte) (*event.Past, error) {
	a, err := d.decodeAdvance(b)
	if err != nil {
		return nil, err
	}
	if a.ToEpoch != event.NoEpoch {
		return nil, malformed("a past with the leader epoch %d", a.ToEpoch)
	}
	d.past = event.Past{Partition: a.Partition, Era: a.Era, Number: a.Term, Prev: a.Prev, To: a.To, Records: a.Records}
	return &d.past, nil
}

func decodePastEnd(b []byte) (event.PastEnd, error) {
	var p event.PastEnd
	var err error
	if p.Partition, p.Era, p.Number, err = decodeOrigin(b); err != nil {
		return event.PastEnd{}, err
	}
	p.To, p.LogStart, p.Why = int64(binary.LittleEndian.Uint64(b[12:])), int64(binary.LittleEndian.Uint64(b[20:])), b[28]
	if p.To < event.None || p.LogStart < event.None {
		return event.PastEnd{}, malformed("up to %d, the log from %d", p.To, p.LogStart)
	}
	return p, nil
}

func decodeOrigin(b []byte) (partition int, era, term uint32, err error) {
	p := binary.LittleEndian.Uint32(b)
	if p >= MaxPartitions {
		return 0, 0, 0, malformed("partition %d", p)
	}
	return int(p), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]), nil
}

// decodeSpan reads the offsets (prev, to], which may be empty.
func decodeSpan(b []byte) (prev, to int64, err error) {
	prev = int64(binary.LittleEndian.Uint64(b))
	to = int64(binary.LittleEndian.Uint64(b[8:]))
	if prev < event.None || to < prev {
		return 0, 0, malformed("offsets (%d, %d]", prev, to)
	}
	return prev, to, nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}
