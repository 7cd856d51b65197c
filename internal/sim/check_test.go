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
	seen int64            // from here on it heard all when it was new
}

// check is made after each step of a worker.
func (w *world) check(l *local) {
	p, s := l.replica.Position(), &l.stream
	if !p.Positioned || p == s.last && s.on {
		return
	}
	if !s.on {
		*s = stream{on: true, at: p.Applied, era: p.Era, last: p, seen: p.From}
	}
	w.checkPosition(l, p)
	s.last = p
	w.checkHistory(l, p)
	w.checkKept(l)
}

// checkPosition is I2 and I3.
func (w *world) checkPosition(l *local, p replica.Position) {
	s := &l.stream
	if p.Era < s.last.Era || p.Era == s.last.Era && (p.Held < s.last.Held || p.Applied < s.last.Applied || p.From < s.last.From) {
		w.fail("I2", "worker %d falls from %+v to %+v", l.slot(), s.last, p)
	}
	if p.Applied > p.Held || p.From > p.Applied+1 {
		w.fail("I3", "worker %d is at %+v", l.slot(), p)
	}
	if p.Applied != s.at || p.Era != s.era {
		w.fail("I4", "worker %d is at %+v, its sessions were given all up to %d of era %d", l.slot(), p, s.at, s.era)
	}
	if e := l.version().epochBefore(p.Held + 1); p.Epoch != event.NoEpoch && p.Epoch != e && !l.doubt().past(p.Held) {
		w.fail("leader epoch", "worker %d is at %+v, but %d has %d", l.slot(), p, p.Held, e)
	}
}

// checkHistory is I1.
func (w *world) checkHistory(l *local, p replica.Position) {
	k := l.worker
	var to int64
	var ok bool
	k.entries, to, ok = l.replica.Read(k.entries[:0], p.From-1, 1<<30, 1<<30)
	if !ok || to != p.Held {
		w.fail("I1", "worker %d covers %+v, but gives %d, %t", l.slot(), p, to, ok)
		return
	}
	w.compare("I1", l, k.entries, p.From-1, p.Held)
}

// compare holds entries against the truth: all that was visible in (above, to]
// and nothing else, in order.
func (w *world) compare(rule string, l *local, got []replica.Entry, above, to int64) {
	v := l.version()
	next := above + 1
	for i := range got {
		g := &got[i]
		if g.Offset < next || g.Offset > to {
			w.fail(rule, "worker %d: %d is out of order in (%d, %d]", l.slot(), g.Offset, above, to)
			return
		}
		for ; next < g.Offset; next++ {
			w.wantHole(rule, l, v, next)
		}
		next++
		w.compareEntry(rule, l, v, g)
	}
	for ; next <= to; next++ {
		w.wantHole(rule, l, v, next)
	}
}

func (w *world) wantHole(rule string, l *local, v *version, o int64) {
	if l.doubt().past(o) {
		return
	}
	if o < 0 || o >= v.end() {
		w.fail(rule, "worker %d covers %d, the log ended at %d", l.slot(), o, v.end())
	} else if e := v.entries[o]; e.content != 0 && !e.compacted {
		w.fail(rule, "worker %d lacks %d", l.slot(), o)
	}
}

func (w *world) compareEntry(rule string, l *local, v *version, g *replica.Entry) {
	content := contentOf(l.worker.store.Bytes(g.Ref))
	if u := l.doubt(); u.has(g.Offset, content) {
		return
	}
	if g.Offset >= v.end() {
		w.fail(rule, "worker %d has %d, the log ended at %d", l.slot(), g.Offset, v.end())
		return
	}
	if content == 0 || content != v.entries[g.Offset].content {
		w.fail(rule, "worker %d has content %d at %d, not %d", l.slot(), content, g.Offset, v.entries[g.Offset].content)
	}
	if !bytes.Equal(g.Channel, channelOf(g.Offset)) || g.Time != g.Offset {
		w.fail(rule, "worker %d has channel %q and time %d at %d", l.slot(), g.Channel, g.Time, g.Offset)
	}
}

// version is the log that the partition's era is of, as far as anybody knows.
func (l *local) version() *version {
	if era := l.replica.Position().Era; int(era) < len(l.part.eras) {
		return l.part.version(era)
	}
	return l.part.kafka.now()
}

// doubt is the other log that the partition's era may be about, or nil.
func (l *local) doubt() *version { return l.part.doubt(l.versionIndex()) }

// deliver is I4, and that a stream has no gap.
func (l *local) deliver(got []replica.Entry, to int64) {
	if l.worker.frozen || !l.worker.alive {
		panic("sim: a worker acts that can't")
	}
	l.world().compare("I4", l, got, l.stream.at, to)
	l.stream.at = to
	for i := range got {
		l.kept[got[i].Offset%keptRefs] = kept{got[i].Ref, contentOf(l.worker.store.Bytes(got[i].Ref))}
	}
}

// checkKept: a frame is what it was, or gone, whatever was evicted meanwhile.
func (w *world) checkKept(l *local) {
	for _, f := range l.kept {
		if f.content == 0 {
			continue
		}
		frame := l.worker.store.Bytes(f.ref)
		if gone := f.ref.Chunk < l.worker.store.OldestChunk(); gone != (frame == nil) || !gone && contentOf(frame) != f.content {
			w.fail("frame", "worker %d: %v is %d, was %d; the oldest chunk is %d", l.slot(), f.ref, contentOf(frame), f.content, l.worker.store.OldestChunk())
		}
	}
}

// reset moves a stream as the reset that its sessions were sent says.
func (w *world) reset(l *local, f *replica.Effect) {
	p, s := l.replica.Position(), &l.stream
	w.resets[f.Reason]++
	switch f.Reason {
	case replica.Trimmed:
		w.checkLost(l, f.To)
	case replica.Epoch:
		if f.To != l.part.era.From-1 && w.broken != localEras {
			w.fail("rule 11", "worker %d: reset to %d, the era begins at %d", l.slot(), f.To, l.part.era.From)
		}
		if !f.Lost {
			w.outlasted++
			s.era = p.Era
			return
		}
	}
	s.at, s.era, s.seen = f.To, p.Era, f.To+1
}

// checkProven is rule 17: without an id, or an epoch, only what was heard when it
// was new proves that all can be given.
func (w *world) checkProven(r *replay) {
	for i := range r.parts {
		q := &r.parts[i]
		l := q.local
		if q.now || !r.legacy && l.worker.topics[l.part.topic] != (event.TopicID{}) {
			continue
		}
		if q.claim.Offset+1 < l.stream.seen || !l.stream.on || r.legacy && l.replica.Position().Era > 0 {
			w.fail("rule 17", "worker %d proves %d of %d by the log", l.slot(), q.claim.Offset, l.part.index)
		}
	}
}

// checkLost is rule 10.
func (w *world) checkLost(l *local, to int64) {
	s := &l.stream
	if to <= s.at && s.on {
		w.fail("rule 10", "worker %d: LOST goes back from %d to %d", l.slot(), s.at, to)
	}
	if s.on && s.at != s.last.Held {
		w.fail("rule 10", "worker %d: LOST to %d before all up to %d was applied", l.slot(), to, s.last.Held)
	}
	if start := max(l.version().start, l.part.kafka.now().start); to >= start && to > l.part.gone {
		w.fail("rule 10", "worker %d: LOST to %d, the log begins at %d", l.slot(), to, start)
	}
}

// counted: what no clean schedule may bring.
func (w *world) counted(l *local, f *replica.Effect) {
	w.counters[f.Counter] += int(f.N)
	l.missed = l.missed || f.Counter == replica.Gap || f.Counter == replica.DropMissed
	switch f.Counter {
	case replica.Gap:
		if !w.plan.dirty {
			w.fail("rule 8", "worker %d has a gap", l.slot())
		}
	case replica.DropMalformed:
		w.fail("rule 8", "worker %d was given a malformed batch", l.slot())
	}
}

// arrived is progress: with all faults mended, every worker and every client is
// at the end.
func (w *world) arrived() {
	for _, p := range w.parts[:w.table] {
		if p.resolve(); !p.current() {
			w.fail("progress", "nobody noticed that the log of %d was cut at %d", p.index, p.kafka.now().from)
		}
	}
	for _, k := range w.workers {
		for _, l := range k.locals {
			if k.alive {
				w.arrivedIn(l)
			}
		}
	}
	for _, c := range w.clients {
		c.arrived()
	}
}

func (w *world) arrivedIn(l *local) {
	p, end := l.replica.Position(), l.part.kafka.now().end()
	want := replica.Position{
		Era: l.part.era.Number, Held: end - 1, Applied: end - 1, Positioned: true, From: p.From, Epoch: p.Epoch,
	}
	if p != want {
		w.fail("progress", "worker %d stays at %+v of %d, the end is %+v", l.slot(), p, l.part.index, want)
	}
	if !l.follows(l.part.kafka.now()) {
		w.fail("progress", "worker %d keeps what the log of %d has lost", l.slot(), l.part.index)
	}
}
