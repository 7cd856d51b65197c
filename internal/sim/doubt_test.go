package sim

import (
	"slices"

	"github.com/odin-ws/odin/internal/event"
)

// A log may lose what a worker holds and has not published yet. Until that was
// noticed, an era is about two logs: the one that it began with, and the one that
// is read by now. What lies above the cut may be of either, and every session is
// to be told of it in the end.

// takeUnpublished has a worker take what has come of a partition, and stand
// still before it can publish that.
func (w *world) takeUnpublished(p *part, k *worker, x uint32) {
	if !w.plan.unheard || k.frozen || !k.alive || k.staged != nil || k.doing.do != doNothing {
		return
	}
	for n := x >> 8 % 4; n > 0 && k.doing.do == doNothing && w.failure == nil; n-- {
		w.acts = k.actions(w.acts[:0])
		i := slices.IndexFunc(w.acts, func(a action) bool { return a.part == p.index && (a.do == doPoll || a.do == doMessage) })
		if i < 0 {
			return
		}
		w.note("%d takes %s of %d", k.slot, w.acts[i].do, p.index)
		k.step(w.acts[i], x)
		x = mix(x)
	}
}

// giveUnpublished has a worker give its sessions what it has not published yet, as
// far as it would by itself.
func (w *world) giveUnpublished(p *part, k *worker, x uint32) {
	if !w.plan.hasty || k.frozen || !k.alive || k.staged != nil || k.doing.do != doNothing || !k.unpublished() {
		return
	}
	for _, l := range k.locals {
		if l.part == p && l.replica.Waiting() {
			l.apply(x)
			w.check(l)
		}
	}
	for n := len(k.sessions); n > 0 && w.failure == nil; n-- {
		w.acts = k.sessionActions(w.acts[:0])
		i := slices.IndexFunc(w.acts, func(a action) bool { return a.do == doWrite })
		if i < 0 {
			return
		}
		k.step(w.acts[i], 1<<5)
	}
}

// lastTurn has a worker that stood still end its turn (apply, publish, write) and
// die: nobody hears of it but by what it has published.
func (w *world) lastTurn(k *worker) {
	if !k.alive || !k.unpublished() {
		return
	}
	for _, l := range k.locals {
		for l.replica.Waiting() && w.failure == nil {
			l.apply(0)
			w.check(l)
		}
		if l.part.unpublished(l) {
			l.part.publish(l, 1<<22)
		}
	}
	for i := len(k.sessions) - 1; i >= 0; i-- {
		k.write(k.sessions[i], 1<<20)
	}
	w.kill(k)
}

// doubt is the other version that an era may be about, or nil.
func (p *part) doubt(version int) *version {
	if all := p.kafka.versions; p.world.plan.unheard && version+1 < len(all) && all[version+1].topic == all[version].topic {
		return all[version+1]
	}
	return nil
}

// has tells whether an offset holds some content.
func (v *version) has(offset int64, content uint64) bool {
	return v != nil && offset < v.end() && content != 0 && v.entries[offset].content == content
}

// past tells whether what lies at an offset is in doubt.
func (v *version) past(offset int64) bool { return v != nil && offset >= v.from }

// resolve ends the doubt where nobody is left whom it concerns: then the era is
// about the log as it is, and always was, for all that anybody knows.
func (p *part) resolve() {
	last, era := len(p.kafka.versions)-1, p.era.Number
	if p.current() || p.doubt(p.eras[era]) == nil || p.concerned() {
		return
	}
	for _, c := range p.world.clients {
		if b := c.belief(p.index); b.version == p.eras[era] {
			b.version = last
		}
	}
	if p.renamed == nil {
		p.renamed = map[int]int{}
	}
	p.renamed[p.eras[era]], p.eras[era] = last, last
	p.world.resolved++
}

// as is what a version is by now, that may have been resolved since.
func (p *part) as(version int) int {
	for {
		next, ok := p.renamed[version]
		if !ok {
			return version
		}
		version = next
	}
}

// concerned tells whether anybody holds, has published or was given what the log
// has lost.
func (p *part) concerned() bool {
	v := p.kafka.now()
	for _, q := range p.positions() {
		if q.Era == p.era.Number && q.Held >= v.from && q.Epoch != v.epochBefore(q.Held+1) {
			return true
		}
	}
	for _, k := range p.world.workers {
		if k.alive && len(k.locals) > p.index && !k.locals[p.index].follows(v) {
			return true
		}
	}
	for _, c := range p.world.clients {
		if c.belief(p.index).removed {
			return true
		}
	}
	return p.relayed(v)
}

// relayed tells whether what the log has lost is still on its way to somebody.
func (p *part) relayed(v *version) bool {
	lost := func(m message) bool {
		a := &m.advance
		return m.kind == kindAdvance && m.part == p.index && a.Era == p.era.Number && a.To >= v.from && a.ToEpoch != v.epochBefore(a.To+1)
	}
	for _, k := range p.world.workers {
		for peer := range k.ends {
			e := &k.ends[peer]
			if k.alive && (slices.ContainsFunc(e.inbox, lost) || e.link != nil && slices.ContainsFunc(e.link.queues[way(k.slot, peer)], lost)) {
				return true
			}
		}
	}
	return false
}

// follows tells whether all that a worker holds is of a version.
func (l *local) follows(v *version) bool {
	p := l.replica.Position()
	if !p.Positioned {
		return true
	}
	if p.Held >= v.end() || p.Held >= v.from && p.Epoch != event.NoEpoch && p.Epoch != v.epochBefore(p.Held+1) {
		return false
	}
	entries, _, _ := l.replica.Read(nil, p.From-1, 1<<30, 1<<30)
	for i := range entries {
		if e := &entries[i]; !v.has(e.Offset, contentOf(l.worker.store.Bytes(e.Ref))) {
			return false
		}
	}
	return true
}
