package bus

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// someAdvance makes an advance that keeps rule 8, from a seed.
func someAdvance(r *rand.Rand, records int) event.Advance {
	a := event.Advance{
		Partition: r.IntN(MaxPartitions), Era: r.Uint32(), Term: r.Uint32(),
		Prev: r.Int64N(1<<40) - 1, ToEpoch: int32(r.IntN(100)) - 1,
	}
	offset := a.Prev
	for range records {
		offset += 1 + r.Int64N(3)
		a.Records = append(a.Records, event.Record{
			Offset: offset, Epoch: int32(r.IntN(100)) - 1, Time: r.Int64() - math.MaxInt64/2,
			Channel: someBytes(r, 1+r.IntN(event.ChannelMax)),
			Frame:   someBytes(r, frameMin+r.IntN(300)),
		})
	}
	a.To = offset + r.Int64N(3)
	return a
}

func someBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// someMessage makes any message and its encoding.
func someMessage(r *rand.Rand) (Message, []byte) {
	switch r.IntN(7) {
	case 0:
		h := Hello{Slot: r.IntN(event.MaxSlots), Generation: r.Uint32() & generationMask, Version: Version}
		return Message{Kind: KindHello, Hello: h}, AppendHello(nil, h.Slot, h.Generation)
	case 1:
		s := event.Seek{Partition: r.IntN(MaxPartitions), Era: r.Uint32(), Term: r.Uint32(), Held: event.None, HeldEpoch: event.NoEpoch}
		if r.IntN(2) == 0 {
			s.Positioned, s.Held, s.HeldEpoch = true, r.Int64()-1, int32(r.Uint32())
		}
		return Message{Kind: KindSeek, Seek: s}, AppendSeek(nil, s)
	case 2:
		prev := r.Int64N(1<<50) - 1
		l := event.Lost{Partition: r.IntN(MaxPartitions), Era: r.Uint32(), Term: r.Uint32(), Prev: prev, To: prev + r.Int64N(1<<40)}
		return Message{Kind: KindLost, Lost: l}, AppendLost(nil, l)
	}
	a := someAdvance(r, r.IntN(20))
	from := r.Int64N(1 << 50)
	switch r.IntN(4) {
	case 0:
		w := event.Want{Partition: a.Partition, Era: a.Era, Number: a.Term, From: from, To: from + r.Int64N(1<<40)}
		return Message{Kind: KindWant, Want: w}, AppendWant(nil, w)
	case 1:
		p := event.Past{Partition: a.Partition, Era: a.Era, Number: a.Term, Prev: a.Prev, To: a.To, Records: a.Records}
		return Message{Kind: KindPast, Past: &p}, AppendPast(nil, &p)
	case 2:
		e := event.PastEnd{Partition: a.Partition, Era: a.Era, Number: a.Term, To: from - 1, LogStart: r.Int64N(1<<40) - 1, Why: byte(r.Uint32())}
		return Message{Kind: KindPastEnd, PastEnd: e}, AppendPastEnd(nil, e)
	}
	return Message{Kind: KindAdvance, Advance: &a}, AppendAdvance(nil, &a)
}

func same(a, b Message) bool {
	if a.Kind != b.Kind || a.Hello != b.Hello || a.Seek != b.Seek || a.Lost != b.Lost || a.Want != b.Want || a.PastEnd != b.PastEnd {
		return false
	}
	if a.Past != nil && b.Past != nil {
		x, y := *a.Past, *b.Past
		equal := slices.EqualFunc(x.Records, y.Records, func(a, b event.Record) bool { return reflect.DeepEqual(a, b) })
		x.Records, y.Records = nil, nil
		return equal && reflect.DeepEqual(x, y)
	}
	if a.Advance == nil || b.Advance == nil {
		return a.Advance == b.Advance
	}
	x, y := *a.Advance, *b.Advance
	if len(x.Records) != len(y.Records) {
		return false
	}
	for i := range x.Records {
		if !reflect.DeepEqual(x.Records[i], y.Records[i]) {
			return false
		}
	}
	x.Records, y.Records = nil, nil
	return reflect.DeepEqual(x, y)
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d Decoder
	for i := range 2000 {
		want, wire := someMessage(r)
		got, rest, err := d.Next(append(wire, "next"...))
		if err != nil || string(rest) != "next" || !same(got, want) {
			t.Fatalf("message %d: got %+v, rest %q, err %v; want %+v", i, got, rest, err, want)
		}
	}
}

func TestEveryPrefixNeedsMore(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var d Decoder
	for range 60 {
		_, wire := someMessage(r)
		for n := range wire {
			m, rest, err := d.Next(wire[:n:n])
			if err != nil || m.Kind != KindNone || len(rest) != n {
				t.Fatalf("%d of %d bytes: kind %s, rest %d, err %v", n, len(wire), m.Kind, len(rest), err)
			}
		}
	}
}

func TestRecordsAliasTheInputAndStayApart(t *testing.T) {
	a := someAdvance(rand.New(rand.NewPCG(5, 6)), 2)
	wire := AppendAdvance(nil, &a)
	var d Decoder
	m, _, err := d.Next(wire)
	if err != nil {
		t.Fatal(err)
	}
	first := m.Advance.Records[0]
	at := bytes.Index(wire, first.Frame)
	wire[at]++
	if first.Frame[0] != wire[at] {
		t.Error("the frame was copied")
	}
	_ = append(first.Channel, 'x')
	if first.Frame[0] != wire[at] {
		t.Error("appending to a channel wrote into the frame")
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	a := someAdvance(rand.New(rand.NewPCG(7, 8)), 200)
	wire := AppendSeek(AppendAdvance(nil, &a), event.Seek{})
	out := make([]byte, 0, len(wire))
	var d Decoder
	n := testing.AllocsPerRun(100, func() {
		out = AppendAdvance(out[:0], &a)
		m, rest, err := d.Next(wire)
		if err != nil || len(m.Advance.Records) != 200 {
			t.Fatal(err)
		}
		if m, _, err = d.Next(rest); err != nil || m.Kind != KindSeek {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for an ADV and a SEEK", n)
	}
}

func TestSeekWithoutPositionSaysNothingElse(t *testing.T) {
	wire := AppendSeek(nil, event.Seek{Partition: 3, Held: 77, HeldEpoch: 8})
	var d Decoder
	m, _, err := d.Next(wire)
	want := event.Seek{Partition: 3, Held: event.None, HeldEpoch: event.NoEpoch}
	if err != nil || m.Seek != want {
		t.Errorf("got %+v, %v", m.Seek, err)
	}
}

func TestAppendAdvanceRefusesWhatNoLinkCarries(t *testing.T) {
	for name, r := range map[string]event.Record{
		"channel": {Channel: make([]byte, event.ChannelMax+1), Frame: []byte{0x81, 0}},
		"frame":   {Channel: []byte("a.b"), Frame: make([]byte, MaxFrameBytes+1)},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was encoded")
				}
			}()
			AppendAdvance(nil, &event.Advance{Records: []event.Record{r}})
		})
	}
}

func TestAnotherVersionIsToldApart(t *testing.T) {
	wire := AppendHello(nil, 1, 2)
	wire[lengthBytes+kindBytes+4]++
	var d Decoder
	if _, _, err := d.Next(wire); !errors.Is(err, ErrVersion) {
		t.Errorf("got %v", err)
	}
}
