package replica

import (
	"fmt"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// self is the slot of the Replica under test.
const self = 0

// rig drives a Replica and keeps what it gave, as text.
type rig struct {
	*Replica
	t   *testing.T
	fx  []Effect
	out []string
}

func newRig(t *testing.T, c Config, l Limits) *rig {
	t.Helper()
	c.Slot, c.Generation = self, 7
	return &rig{Replica: New(c, NewStore(l)), t: t}
}

// fresh is a Replica that holds nothing; its partition begins at 10.
func fresh(t *testing.T) *rig { return newRig(t, Config{Base: 10}, Limits{}) }

// known is one that holds nothing yet of a partition that begins at 10.
func known(t *testing.T) *rig { return newRig(t, Config{Base: 10, FromBase: true}, Limits{}) }

func (g *rig) did(fx []Effect) *rig {
	for i := range fx {
		g.out = append(g.out, describe(&fx[i]))
	}
	g.fx = fx[:0]
	return g
}

func (g *rig) owner(term uint32, slot int) *rig {
	return g.did(g.OwnerChanged(g.fx[:0], event.Owner{Term: term, Slot: slot, Generation: 7}))
}

func (g *rig) enter(number uint32, from int64) *rig {
	return g.did(g.EraChanged(g.fx[:0], event.Era{Number: number, From: from, Epoch: 3}))
}

func (g *rig) up(peer int) *rig   { return g.did(g.LinkUp(g.fx[:0], peer)) }
func (g *rig) down(peer int) *rig { return g.did(g.LinkDown(g.fx[:0], peer)) }

func batch(term, era uint32, prev, to int64, offsets ...int64) *event.Advance {
	return &event.Advance{Term: term, Era: era, Prev: prev, To: to, ToEpoch: 1, Records: records(offsets...)}
}

func records(offsets ...int64) (out []event.Record) {
	for _, o := range offsets {
		out = append(out, event.Record{
			Offset: o, Epoch: 1, Time: 1000 + o, Channel: []byte("s.e"), Frame: fmt.Appendf(nil, "<%d s.e>", o),
		})
	}
	return out
}

func (g *rig) poll(term, era uint32, prev, to int64, offsets ...int64) *rig {
	return g.did(g.Polled(g.fx[:0], batch(term, era, prev, to, offsets...)))
}

func (g *rig) adv(peer int, term, era uint32, prev, to int64, offsets ...int64) *rig {
	return g.did(g.Advanced(g.fx[:0], peer, batch(term, era, prev, to, offsets...)))
}

func (g *rig) lost(peer int, term, era uint32, prev, to int64) *rig {
	return g.did(g.LostFrom(g.fx[:0], peer, event.Lost{Term: term, Era: era, Prev: prev, To: to}))
}

func (g *rig) trimmed(term, era uint32, start int64) *rig {
	return g.did(g.TrimmedTo(g.fx[:0], Tag{term, era}, start))
}

// seek with held below -1 is that of a fresh worker.
func (g *rig) seek(peer int, term, era uint32, held int64) *rig {
	return g.did(g.Sought(g.fx[:0], peer, event.Seek{Term: term, Era: era, Held: held, HeldEpoch: 1, Positioned: held >= -1}))
}

func (g *rig) published(all ...Published) *rig { return g.did(g.PeerPublished(g.fx[:0], all)) }

// relay takes what is to be relayed to a peer, up to the end.
func (g *rig) relay(peer, maxBytes int) *rig {
	for {
		b, fx := g.Next(g.fx[:0], peer, maxBytes)
		g.did(fx)
		if b.None() {
			return g
		}
		g.out = append(g.out, describeBatch(peer, b))
	}
}

func (g *rig) ranged(a Range) *rig { return g.did(g.RangeRead(g.fx[:0], a)) }

// apply gives sessions all that is pending.
func (g *rig) apply() *rig {
	entries, to := g.Pending(nil, 1<<20, 1<<30)
	for _, e := range entries {
		g.out = append(g.out, fmt.Sprintf("session %d %s %s", e.Offset, e.Channel, g.store.Bytes(e.Ref)))
	}
	return g.did(g.Applied(g.fx[:0], to))
}

// want compares what was given since the last want, one effect a line.
func (g *rig) want(lines ...string) *rig {
	g.t.Helper()
	if got, want := strings.Join(g.out, "\n"), strings.Join(lines, "\n"); got != want {
		g.t.Errorf("got\n%s\nwant\n%s", indent(got), indent(want))
	}
	g.out = nil
	return g
}

// forget drops what was given.
func (g *rig) forget() *rig {
	g.out = nil
	return g
}

// at compares the position: from, applied, held.
func (g *rig) at(from, applied, held int64) *rig {
	g.t.Helper()
	p := g.Position()
	if p.From != from || p.Applied != applied || p.Held != held || !p.Positioned {
		g.t.Errorf("at %+v, want from %d applied %d held %d", p, from, applied, held)
	}
	return g
}

// holds compares the whole history.
func (g *rig) holds(offsets ...int64) *rig {
	g.t.Helper()
	entries, to, ok := g.Read(nil, g.Position().From-1, 1<<20, 1<<30)
	if !ok || to != g.Position().Held {
		g.t.Errorf("read to %d, %t; at %+v", to, ok, g.Position())
	}
	var got []int64
	for _, e := range entries {
		got = append(got, e.Offset)
		if want := fmt.Sprintf("<%d s.e>", e.Offset); string(g.store.Bytes(e.Ref)) != want || e.Time != 1000+e.Offset {
			g.t.Errorf("%d has frame %q and time %d", e.Offset, g.store.Bytes(e.Ref), e.Time)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(offsets) {
		g.t.Errorf("holds %v, want %v", got, offsets)
	}
	return g
}

func indent(s string) string { return "\t" + strings.ReplaceAll(s, "\n", "\n\t") }

func describe(f *Effect) string {
	switch f.Kind {
	case Fetch:
		return fmt.Sprintf("fetch %d le %d term %d era %d", f.From, f.Epoch, f.Term, f.Era)
	case StopFetch:
		return "stop"
	case SendSeek:
		if !f.Seek.Positioned {
			return fmt.Sprintf("seek %d term %d era %d fresh", f.Peer, f.Seek.Term, f.Seek.Era)
		}
		return fmt.Sprintf("seek %d term %d era %d held %d le %d", f.Peer, f.Seek.Term, f.Seek.Era, f.Seek.Held, f.Seek.HeldEpoch)
	case Wake:
		return fmt.Sprintf("wake %d", f.Peer)
	case AskPublished:
		return "ask"
	case ReadRange:
		return fmt.Sprintf("range %d %d term %d era %d", f.From, f.To, f.Term, f.Era)
	case ProposeEra:
		return fmt.Sprintf("propose %d from %d le %d topic %x", f.NewEra.Number, f.NewEra.From, f.NewEra.Epoch, f.NewEra.Topic[0])
	case Compare:
		return fmt.Sprintf("compare %d le %d met %d term %d era %d", f.From, f.Epoch, f.To, f.Term, f.Era)
	case Drain:
		return "drain"
	case Reset:
		return fmt.Sprintf("reset %v lost %t to %d", f.Reason, f.Lost, f.To)
	}
	return fmt.Sprintf("count %v %d", f.Counter, f.N)
}

func describeBatch(peer int, b Batch) string {
	if l := b.Lost; l != nil {
		return fmt.Sprintf("LOST %d term %d era %d (%d,%d]", peer, l.Term, l.Era, l.Prev, l.To)
	}
	a := b.Advance
	s := fmt.Sprintf("ADV %d term %d era %d (%d,%d] le %d", peer, a.Term, a.Era, a.Prev, a.To, a.ToEpoch)
	for _, r := range a.Records {
		s += fmt.Sprintf(" %d", r.Offset)
		if want := fmt.Sprintf("<%d s.e>", r.Offset); string(r.Frame) != want || string(r.Channel) != "s.e" {
			s += fmt.Sprintf("?%s?%s", r.Channel, r.Frame)
		}
	}
	return s
}
