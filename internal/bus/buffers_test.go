package bus

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// feed hands wire to an inbox in pieces of at most step bytes and returns the
// kinds that came out.
func feed(t *testing.T, in *Inbox, wire []byte, step func() int, each func(Message)) error {
	t.Helper()
	for len(wire) > 0 {
		space := in.Space()
		if len(space) == 0 {
			t.Fatal("no space")
		}
		n := min(step(), len(space), len(wire))
		copy(space, wire[:n])
		in.Filled(n)
		wire = wire[n:]
		for {
			m, err := in.Next()
			if err != nil {
				return err
			}
			if m.Kind == KindNone {
				break
			}
			each(m)
		}
	}
	return nil
}

func TestInboxFromPieces(t *testing.T) {
	for name, most := range map[string]int{"a byte at a time": 1, "pieces": 5000, "all at once": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(15, 16))
			wire, want := AppendHello(nil, 1, 1), []Message{{Kind: KindHello, Hello: Hello{1, 1, Version}}}
			for range 100 {
				m, one := someMessage(r)
				if m.Kind == KindHello {
					continue
				}
				wire, want = append(wire, one...), append(want, m)
			}
			var in Inbox
			err := feed(t, &in, wire, func() int { return 1 + r.IntN(most) }, func(m Message) {
				if !same(m, want[0]) {
					t.Fatalf("got %+v, want %+v", m, want[0])
				}
				want = want[1:]
			})
			if err != nil || len(want) != 0 || in.Buffered() != 0 {
				t.Errorf("%d messages missing, %d bytes left, %v", len(want), in.Buffered(), err)
			}
		})
	}
}

func TestInboxGrowsForOneLargeRecordAndFallsBack(t *testing.T) {
	large := event.Advance{Prev: -1, To: 0, Records: []event.Record{{Channel: []byte("a.b"), Frame: make([]byte, MaxFrameBytes)}}}
	wire := AppendAdvance(AppendHello(nil, 0, 1), &large)
	var in Inbox
	got := 0
	if err := feed(t, &in, wire, func() int { return 1 << 30 }, func(Message) { got++ }); err != nil || got != 2 {
		t.Fatalf("%d messages, %v", got, err)
	}
	if len(in.Space()) != inboxBytes {
		t.Errorf("a space of %d is kept", len(in.Space()))
	}
}

func TestInboxMakesNoRoomForAClaim(t *testing.T) {
	wire := AppendHello(nil, 0, 1)
	wire = append(wire, 0, 0, 0, 4, byte(KindAdvance)) // 64 MiB are to follow
	var in Inbox
	n := allocated(func() {
		if err := feed(t, &in, wire, func() int { return 1 }, func(Message) {}); err != nil {
			t.Fatal(err)
		}
	})
	if n > 2*inboxBytes {
		t.Errorf("allocated %d bytes", n)
	}
}

func TestInboxWantsOneHelloFirst(t *testing.T) {
	for name, wire := range map[string][]byte{
		"none": AppendSeek(nil, event.Seek{}),
		"two":  AppendHello(AppendHello(nil, 0, 1), 0, 1),
	} {
		var in Inbox
		err := feed(t, &in, wire, func() int { return 1 << 30 }, func(Message) {})
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOutboxToInbox writes as much as a reluctant kernel takes.
func TestOutboxToInbox(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	var out Outbox
	var in Inbox
	out.PutHello(3, 4)
	sent, got := 1, 0
	drain := func(most int) {
		n := min(most, out.Len())
		if err := feed(t, &in, out.Pending()[:n], func() int { return 1 << 30 }, func(Message) { got++ }); err != nil {
			t.Fatal(err)
		}
		out.Wrote(n)
	}
	for range 3000 {
		switch a := someAdvance(r, r.IntN(30)); {
		case Size(&a) <= out.Room():
			out.PutAdvance(&a)
			sent++
		case r.IntN(2) == 0:
			out.PutSeek(event.Seek{Positioned: true, Held: 5})
			out.PutLost(event.Lost{Prev: 5, To: 8})
			sent += 2
		}
		drain(r.IntN(9000))
		if cap(out.buf) > 4*MaxBatchBytes {
			t.Fatalf("the outbox has grown to %d", cap(out.buf))
		}
	}
	drain(out.Len())
	if got != sent || out.Len() != 0 || out.Room() != MaxBatchBytes {
		t.Errorf("%d of %d messages, %d bytes left", got, sent, out.Len())
	}
}

func TestOutboxGivesAStretchedBufferBack(t *testing.T) {
	var out Outbox
	out.PutAdvance(&event.Advance{Records: []event.Record{{Channel: []byte("a.b"), Frame: make([]byte, MaxFrameBytes)}}})
	if out.Room() > 0 {
		t.Error("room behind a record of 64 MiB")
	}
	out.Wrote(out.Len())
	if cap(out.buf) != 0 {
		t.Errorf("%d bytes are kept", cap(out.buf))
	}
}

func TestKindsHaveNames(t *testing.T) {
	for k, want := range map[Kind]string{KindNone: "none", KindHello: "HELLO", KindAdvance: "ADV", KindSeek: "SEEK", KindLost: "LOST", KindWant: "WANT", KindPast: "PAST", KindPastEnd: "PAST END", 77: "unknown"} {
		if k.String() != want {
			t.Errorf("kind %d is %s", k, k)
		}
	}
}
