package bus

import (
	"encoding/binary"
	"fmt"

	"github.com/odin-ws/odin/internal/event"
)

// AppendHello appends the message that has to open every link.
func AppendHello(dst []byte, slot int, generation uint32) []byte {
	dst = appendHead(dst, KindHello, helloBytes)
	dst = binary.LittleEndian.AppendUint32(dst, magic)
	dst = binary.LittleEndian.AppendUint16(dst, Version)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(slot))
	return binary.LittleEndian.AppendUint32(dst, generation&generationMask)
}

// AppendAdvance appends a batch, whatever its size: Cut it first if it may be
// above MaxBatchBytes. A record above MaxFrameBytes or event.ChannelMax can't
// be said on a link; whoever made it has missed a check, and it panics.
func AppendAdvance(dst []byte, a *event.Advance) []byte { return appendBatch(dst, KindAdvance, a) }

// AppendPast appends a part of the answer to a WANT; it has the form of an ADV.
func AppendPast(dst []byte, p *event.Past) []byte {
	return appendBatch(dst, KindPast, &event.Advance{
		Partition: p.Partition, Era: p.Era, Term: p.Number, Prev: p.Prev, To: p.To, ToEpoch: event.NoEpoch, Records: p.Records,
	})
}

func appendBatch(dst []byte, k Kind, a *event.Advance) []byte {
	start := len(dst)
	dst = appendHead(dst, k, 0)
	dst = appendOrigin(dst, a.Partition, a.Era, a.Term)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(a.Prev))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(a.To))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(a.ToEpoch))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(a.Records)))
	for i := range a.Records {
		dst = appendRecord(dst, &a.Records[i])
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-lengthBytes))
	return dst
}

// AppendSeek appends a receiver's wish to an owner.
func AppendSeek(dst []byte, s event.Seek) []byte {
	dst = appendHead(dst, KindSeek, seekBytes)
	dst = appendOrigin(dst, s.Partition, s.Era, s.Term)
	held, epoch := event.None, event.NoEpoch
	positioned := byte(0)
	if s.Positioned {
		positioned, held, epoch = 1, s.Held, s.HeldEpoch
	}
	dst = append(dst, positioned)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(held))
	return binary.LittleEndian.AppendUint32(dst, uint32(epoch))
}

// AppendLost appends an owner's word that a range can't be had any more.
func AppendLost(dst []byte, l event.Lost) []byte {
	dst = appendHead(dst, KindLost, lostBytes)
	dst = appendOrigin(dst, l.Partition, l.Era, l.Term)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(l.Prev))
	return binary.LittleEndian.AppendUint64(dst, uint64(l.To))
}

// AppendWant appends a question for what lies below the asker's history.
func AppendWant(dst []byte, w event.Want) []byte {
	dst = appendHead(dst, KindWant, wantBytes)
	dst = appendOrigin(dst, w.Partition, w.Era, w.Number)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(w.From))
	return binary.LittleEndian.AppendUint64(dst, uint64(w.To))
}

// AppendPastEnd appends the end of the answer to a WANT.
func AppendPastEnd(dst []byte, p event.PastEnd) []byte {
	dst = appendHead(dst, KindPastEnd, pastBytes)
	dst = appendOrigin(dst, p.Partition, p.Era, p.Number)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.To))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.LogStart))
	return append(dst, p.Why)
}

func appendHead(dst []byte, k Kind, body int) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(kindBytes+body))
	return append(dst, byte(k))
}

// appendOrigin writes the three words that every message about a partition
// begins with.
func appendOrigin(dst []byte, partition int, era, term uint32) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(partition))
	dst = binary.LittleEndian.AppendUint32(dst, era)
	return binary.LittleEndian.AppendUint32(dst, term)
}

func appendRecord(dst []byte, r *event.Record) []byte {
	if len(r.Channel) > event.ChannelMax || len(r.Frame) > MaxFrameBytes {
		panic(fmt.Sprintf("bus: record %d has a channel of %d and a frame of %d bytes", r.Offset, len(r.Channel), len(r.Frame)))
	}
	var head [recordBytes]byte
	binary.LittleEndian.PutUint64(head[0:], uint64(r.Offset))
	binary.LittleEndian.PutUint32(head[8:], uint32(r.Epoch))
	binary.LittleEndian.PutUint64(head[12:], uint64(r.Time))
	binary.LittleEndian.PutUint16(head[20:], uint16(len(r.Channel)))
	binary.LittleEndian.PutUint32(head[22:], uint32(len(r.Frame)))
	dst = append(dst, head[:]...)
	dst = append(dst, r.Channel...)
	return append(dst, r.Frame...)
}
