package sim

import (
	"bytes"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

// stream is what sessions of a worker were given, known without asking the
// Replica.
type stream struct {
	on   bool
	at   int64 // all up to here was given, or announced as lost
	era  uint32
	last replica.Position // as it was at the check before
}

// check is made after each step of a worker.
func (w *world) check(k *worker) {
	p, s := k.replica.Position(), &k.stream
	if !p.Positioned || p == s.last && s.on {
		return
	}
	if !s.on {
		*s = stream{on: true, at: p.Applied, era: p.Era, last: p}
	}
	w.checkPosition(k, p)
	s.last = p
	w.checkHistory(k, p)
	w.checkKept(k)
}

// checkPosition is I2 and I3.
func (w *world) checkPosition(k *worker, p replica.Position) {
	s := &k.stream
	if p.Era < s.last.Era || p.Era == s.last.Era && (p.Held < s.last.Held || p.Applied < s.last.Applied || p.From < s.last.From) {
		w.fail("I2", "worker %d falls from %+v to %+v", k.slot, s.last, p)
	}
	if p.Applied > p.Held || p.From > p.Applied+1 {
		w.fail("I3", "worker %d is at %+v", k.slot, p)
	}
	if p.Applied != s.at || p.Era != s.era {
		w.fail("I4", "worker %d is at %+v, its sessions were given all up to %d of era %d", k.slot, p, s.at, s.era)
	}
	if e := w.kafka.versions[w.eras[p.Era]].epochBefore(p.Held + 1); p.Epoch != event.NoEpoch && p.Epoch != e {
		w.fail("leader epoch", "worker %d is at %+v, but %d has %d", k.slot, p, p.Held, e)
	}
}

// checkHistory is I1.
func (w *world) checkHistory(k *worker, p replica.Position) {
	var to int64
	var ok bool
	k.entries, to, ok = k.replica.Read(k.entries[:0], p.From-1, 1<<30, 1<<30)
	if !ok || to != p.Held {
		w.fail("I1", "worker %d covers %+v, but gives %d, %t", k.slot, p, to, ok)
		return
	}
	w.compare("I1", k, k.entries, p.From-1, p.Held)
}

// compare holds entries against the truth: all that was visible in (above, to]
// and nothing else, in order.
func (w *world) compare(rule string, k *worker, got []replica.Entry, above, to int64) {
	v := w.kafka.versions[w.eras[k.replica.Position().Era]]
	next := above + 1
	for i := range got {
		g := &got[i]
		if g.Offset < next || g.Offset > to {
			w.fail(rule, "worker %d: %d is out of order in (%d, %d]", k.slot, g.Offset, above, to)
			return
		}
		for ; next < g.Offset; next++ {
			w.wantHole(rule, k, v, next)
		}
		next++
		w.compareEntry(rule, k, v, g)
	}
	for ; next <= to; next++ {
		w.wantHole(rule, k, v, next)
	}
}

func (w *world) wantHole(rule string, k *worker, v *version, o int64) {
	if o < 0 || o >= v.end() {
		w.fail(rule, "worker %d covers %d, the log ended at %d", k.slot, o, v.end())
	} else if e := v.entries[o]; e.content != 0 && !e.compacted {
		w.fail(rule, "worker %d lacks %d", k.slot, o)
	}
}

func (w *world) compareEntry(rule string, k *worker, v *version, g *replica.Entry) {
	if g.Offset >= v.end() {
		w.fail(rule, "worker %d has %d, the log ended at %d", k.slot, g.Offset, v.end())
		return
	}
	if content := contentOf(k.store.Bytes(g.Ref)); content == 0 || content != v.entries[g.Offset].content {
		w.fail(rule, "worker %d has content %d at %d, not %d", k.slot, content, g.Offset, v.entries[g.Offset].content)
	}
	if !bytes.Equal(g.Channel, channelOf(g.Offset)) || g.Time != g.Offset {
		w.fail(rule, "worker %d has channel %q and time %d at %d", k.slot, g.Channel, g.Time, g.Offset)
	}
}

// deliver is I4, and that a stream has no gap.
func (w *world) deliver(k *worker, got []replica.Entry, to int64) {
	if k.frozen || !k.alive {
		panic("sim: a worker acts that can't")
	}
	w.compare("I4", k, got, k.stream.at, to)
	k.stream.at = to
	for i := range got {
		k.kept[got[i].Offset%keptRefs] = kept{got[i].Ref, contentOf(k.store.Bytes(got[i].Ref))}
	}
}

// checkKept: a frame is what it was, or gone, whatever was evicted meanwhile.
func (w *world) checkKept(k *worker) {
	for _, f := range k.kept {
		if f.content == 0 {
			continue
		}
		frame := k.store.Bytes(f.ref)
		if gone := f.ref.Chunk < k.store.OldestChunk(); gone != (frame == nil) || !gone && contentOf(frame) != f.content {
			w.fail("frame", "worker %d: %v is %d, was %d; the oldest chunk is %d", k.slot, f.ref, contentOf(frame), f.content, k.store.OldestChunk())
		}
	}
}

// reset moves a stream as the reset that its sessions were sent says.
func (w *world) reset(k *worker, f *replica.Effect) {
	p, s := k.replica.Position(), &k.stream
	w.resets[f.Reason]++
	switch f.Reason {
	case replica.Trimmed:
		v := w.kafka.versions[w.eras[p.Era]]
		if f.To <= s.at && s.on {
			w.fail("rule 10", "worker %d: LOST goes back from %d to %d", k.slot, s.at, f.To)
		}
		if s.on && s.at != s.last.Held {
			w.fail("rule 10", "worker %d: LOST to %d before all up to %d was applied", k.slot, f.To, s.last.Held)
		}
		if start := max(v.start, w.kafka.now().start); f.To >= start && f.To > w.gone {
			w.fail("rule 10", "worker %d: LOST to %d, the log begins at %d", k.slot, f.To, start)
		}
	case replica.Epoch:
		if f.To != w.era.From-1 {
			w.fail("rule 11", "worker %d: reset to %d, the era begins at %d", k.slot, f.To, w.era.From)
		}
		if !f.Lost {
			w.kept++
			s.era = p.Era
			return
		}
	}
	s.at, s.era = f.To, p.Era
}

// counted: what no clean schedule may bring.
func (w *world) counted(k *worker, f *replica.Effect) {
	w.counters[f.Counter] += int(f.N)
	switch f.Counter {
	case replica.Gap:
		if !w.plan.dirty {
			w.fail("rule 8", "worker %d has a gap", k.slot)
		}
	case replica.DropMalformed:
		w.fail("rule 8", "worker %d was given a malformed batch", k.slot)
	}
}

// arrived is progress: with all faults mended, every worker is at the end.
func (w *world) arrived() {
	v := w.kafka.now()
	if w.eras[w.era.Number] != len(w.kafka.versions)-1 {
		w.fail("progress", "nobody noticed that the log was cut at %d", v.from)
	}
	for _, k := range w.workers {
		if !k.alive {
			continue
		}
		p := k.replica.Position()
		want := replica.Position{
			Era: w.era.Number, Held: v.end() - 1, Applied: v.end() - 1, Positioned: true, From: p.From, Epoch: p.Epoch,
		}
		if p != want {
			w.fail("progress", "worker %d stays at %+v, the end is %+v", k.slot, p, want)
		}
	}
}
