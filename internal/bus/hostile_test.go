package bus

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

const (
	bodyAt   = lengthBytes + kindBytes
	recordAt = bodyAt + advanceBytes
)

func put32(at int, v uint32) func([]byte) []byte {
	return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[at:], v); return b }
}

func put64(at int, v int64) func([]byte) []byte {
	return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[at:], uint64(v)); return b }
}

func put16(at int, v uint16) func([]byte) []byte {
	return func(b []byte) []byte { binary.LittleEndian.PutUint16(b[at:], v); return b }
}

// grow appends a byte and owns up to it in the length.
func grow(b []byte) []byte {
	b = append(b, 0)
	binary.LittleEndian.PutUint32(b, uint32(len(b)-lengthBytes))
	return b
}

func shrink(b []byte) []byte {
	b = b[:len(b)-1]
	binary.LittleEndian.PutUint32(b, uint32(len(b)-lengthBytes))
	return b
}

func TestHostileInputIsAnError(t *testing.T) {
	advance := AppendAdvance(nil, &event.Advance{Prev: 4, To: 9, Records: []event.Record{
		{Offset: 6, Channel: []byte("a.b"), Frame: []byte{0x81, 1, 'x'}},
		{Offset: 8, Channel: []byte("a.b"), Frame: []byte{0x81, 1, 'y'}},
	}})
	second := recordAt + recordBytes + 6
	seek := AppendSeek(nil, event.Seek{Positioned: true})
	lost := AppendLost(nil, event.Lost{Prev: 4, To: 9})
	hello := AppendHello(nil, 1, 2)
	for name, c := range map[string]struct {
		wire []byte
		harm func([]byte) []byte
	}{
		"length 0":             {advance, put32(0, 0)},
		"length of 4 GiB":      {advance, put32(0, math.MaxUint32)},
		"length above the max": {advance, put32(0, MaxMessageBytes)},
		"kind 0":               {advance, func(b []byte) []byte { b[4] = 0; return b }},
		"kind 9":               {advance, func(b []byte) []byte { b[4] = 9; return b }},
		"hello without magic":  {hello, put32(bodyAt, 1)},
		"hello's slot":         {hello, put16(bodyAt+6, event.MaxSlots)},
		"hello's generation":   {hello, put32(bodyAt+8, 1<<24)},
		"hello too long":       {hello, grow},
		"hello too short":      {hello, shrink},
		"seek too long":        {seek, grow},
		"seek too short":       {seek, shrink},
		"seek's partition":     {seek, put32(bodyAt, MaxPartitions)},
		"seek positioned 2":    {seek, func(b []byte) []byte { b[bodyAt+12] = 2; return b }},
		"seek below none":      {seek, put64(bodyAt+13, -2)},
		"lost too long":        {lost, grow},
		"lost backwards":       {lost, put64(bodyAt+20, 3)},
		"lost below none":      {lost, put64(bodyAt+12, -2)},
		"lost's partition":     {lost, put32(bodyAt, math.MaxUint32)},
		"adv too short":        {advance[:bodyAt+advanceBytes], shrink},
		"adv's partition":      {advance, put32(bodyAt, MaxPartitions)},
		"adv backwards":        {advance, put64(bodyAt+20, 3)},
		"adv below none":       {advance, put64(bodyAt+12, -2)},
		"records beyond":       {advance, put32(bodyAt+32, 3)},
		"4 billion records":    {advance, put32(bodyAt+32, math.MaxUint32)},
		"fewer records":        {advance, put32(bodyAt+32, 1)},
		"no records":           {advance, put32(bodyAt+32, 0)},
		"bytes behind":         {advance, grow},
		"a byte missing":       {advance, shrink},
		"no channel":           {advance, put16(recordAt+20, 0)},
		"channel too long":     {advance, put16(recordAt+20, event.ChannelMax+1)},
		"frame too short":      {advance, put32(recordAt+22, 1)},
		"frame of 4 GiB":       {advance, put32(recordAt+22, math.MaxUint32)},
		"frame beyond":         {advance, put32(recordAt+22, 4000)},
		"offset at prev":       {advance, put64(recordAt, 4)},
		"offset above to":      {advance, put64(second, 10)},
		"offset twice":         {advance, put64(second, 6)},
		"offsets falling":      {advance, put64(second, 5)},
	} {
		t.Run(name, func(t *testing.T) {
			wire := c.harm(append([]byte(nil), c.wire...))
			var d Decoder
			m, _, err := d.Next(wire)
			if !errors.Is(err, ErrMalformed) || m.Kind != KindNone {
				t.Errorf("got %s, %v", m.Kind, err)
			}
		})
	}
}

func TestBadLengthIsRefusedWithTheHead(t *testing.T) {
	for name, head := range map[string][]byte{
		"length alone":  {0xff, 0xff, 0xff, 0xff},
		"kind's length": {200, 0, 0, 0, byte(KindSeek)},
		"no such kind":  {200, 0, 0, 0, 77},
	} {
		var d Decoder
		if _, _, err := d.Next(head); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: waits for more: %v", name, err)
		}
	}
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestClaimedNumbersAllocateNothing(t *testing.T) {
	wire := AppendAdvance(nil, &event.Advance{Prev: 4, To: 9})
	// As large a message as may be, of zeros, that claims as many records as fit.
	wire = append(wire, make([]byte, MaxFrameBytes)...)
	binary.LittleEndian.PutUint32(wire, uint32(len(wire)-lengthBytes))
	binary.LittleEndian.PutUint32(wire[bodyAt+32:], MaxFrameBytes/(recordBytes+frameMin))
	var err error
	n := allocated(func() {
		var d Decoder
		_, _, err = d.Next(wire)
	})
	if !errors.Is(err, ErrMalformed) || n > 64<<10 {
		t.Errorf("allocated %d bytes, %v", n, err)
	}
}

func FuzzDecoder(f *testing.F) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 20 {
		_, wire := someMessage(r)
		_, next := someMessage(r)
		f.Add(append(wire, next...))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var d Decoder
		for rest := in; ; {
			m, after, err := d.Next(rest)
			if err != nil || m.Kind == KindNone {
				return
			}
			// What was understood is said again in the same bytes, but for the
			// fields that an unpositioned SEEK leaves open.
			used := rest[:len(rest)-len(after)]
			if again := encode(m); string(again) != string(used) && (m.Kind != KindSeek || m.Seek.Positioned) {
				t.Fatalf("%s: %x became %x", m.Kind, used, again)
			}
			if 2*cap(d.advance.Records) > len(in)+64 {
				t.Fatalf("room for %d records from %d bytes", cap(d.advance.Records), len(in))
			}
			rest = after
		}
	})
}

func encode(m Message) []byte {
	switch m.Kind {
	case KindHello:
		return AppendHello(nil, m.Hello.Slot, m.Hello.Generation)
	case KindAdvance:
		return AppendAdvance(nil, m.Advance)
	case KindSeek:
		return AppendSeek(nil, m.Seek)
	case KindLost:
		return AppendLost(nil, m.Lost)
	case KindWant:
		return AppendWant(nil, m.Want)
	case KindPast:
		return AppendPast(nil, m.Past)
	case KindPastEnd:
		return AppendPastEnd(nil, m.PastEnd)
	}
	return nil
}

// A PAST has the form of an ADV, and no use for its leader epoch.
func TestPastHasNoLeaderEpoch(t *testing.T) {
	in := AppendPast(nil, &event.Past{Partition: 1, Era: 2, Number: 3, Prev: 4, To: 5})
	var d Decoder
	if m, rest, err := d.Next(in); err != nil || m.Kind != KindPast || len(rest) != 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	in = appendBatch(nil, KindPast, &event.Advance{Partition: 1, Era: 2, Term: 3, Prev: 4, To: 5, ToEpoch: 6})
	if _, _, err := d.Next(in); err == nil {
		t.Error("taken")
	}
}
