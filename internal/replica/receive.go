package replica

import "github.com/odin-ws/odin/internal/event"

// Polled takes what this worker's source fetched: an ADV to oneself, tagged
// with the term and era of its Fetch (rules 2 and 8). The frames are copied.
func (r *Replica) Polled(fx []Effect, a *event.Advance) []Effect {
	if drop, c := r.foreign(Tag{a.Term, a.Era}); drop {
		return count(fx, c, 1)
	}
	if r.lineage.stopped {
		return count(fx, DropMissed, 1)
	}
	r.pass(a)
	return r.take(fx, a)
}

// foreign tells whether what a source answers was asked under another term or
// era, or is not wanted any more.
func (r *Replica) foreign(t Tag) (bool, Counter) {
	switch {
	case !r.Owns() || t.Term != r.owner.Term:
		return true, DropStaleTerm
	case t.Era != r.era.Number:
		return true, DropOtherEra
	case !r.positioned:
		return true, DropUnsought
	}
	return false, 0
}

// Advanced takes an ADV that was read from the link to peer (rule 8). The
// frames are copied.
func (r *Replica) Advanced(fx []Effect, peer int, a *event.Advance) []Effect {
	if drop, c := r.unwanted(peer, Tag{a.Term, a.Era}); drop {
		return count(fx, c, 1)
	}
	return r.take(fx, a)
}

// LostFrom takes a LOST that was read from the link to peer (rule 10).
func (r *Replica) LostFrom(fx []Effect, peer int, l event.Lost) []Effect {
	if drop, c := r.unwanted(peer, Tag{l.Term, l.Era}); drop {
		return count(fx, c, 1)
	}
	switch {
	case l.To < l.Prev:
		return count(fx, DropMalformed, 1)
	case !r.positioned:
		r.position(l.To, event.NoEpoch)
		return fx
	case r.losing:
		return r.miss(fx)
	case l.To <= r.held:
		return count(fx, DropDuplicate, 1)
	case l.Prev > r.held:
		return r.gap(fx)
	}
	return r.lose(fx, l.To)
}

// unwanted tells whether a message is not the answer to the present SEEK.
func (r *Replica) unwanted(peer int, t Tag) (bool, Counter) {
	switch {
	case r.Owns() || peer != r.owner.Slot || t.Term != r.owner.Term:
		return true, DropStaleTerm
	case t.Era != r.era.Number:
		return true, DropOtherEra
	case !r.sought:
		return true, DropUnsought
	}
	return false, 0
}

// take is rule 8, for polls and messages alike.
func (r *Replica) take(fx []Effect, a *event.Advance) []Effect {
	switch {
	case a.To < a.Prev:
		return count(fx, DropMalformed, 1)
	case r.losing:
		return r.miss(fx)
	case !r.positioned:
		r.position(a.Prev, a.ToEpoch)
	case a.To <= r.held:
		return count(fx, DropDuplicate, 1)
	case a.Prev > r.held:
		return r.gap(fx)
	}
	r.again = false
	fx = r.keep(fx, a)
	r.held, r.epoch = a.To, a.ToEpoch
	return r.wakeAll(fx)
}

// keep appends the records above what is held.
func (r *Replica) keep(fx []Effect, a *event.Advance) []Effect {
	last, malformed := r.held, uint64(0)
	for i := range a.Records {
		rec := &a.Records[i]
		if rec.Offset <= r.held && rec.Offset > a.Prev {
			continue
		}
		if rec.Offset <= last || rec.Offset > a.To {
			malformed++
			continue
		}
		last = rec.Offset
		r.store.put(r.window, rec)
	}
	if malformed > 0 {
		return count(fx, DropMalformed, malformed)
	}
	return fx
}

// gap: something begins above what is held. That can't be, so it is counted
// as a defect; then what is missing is asked for again, once, and what comes
// before the answer was sent too early to know.
func (r *Replica) gap(fx []Effect) []Effect {
	if r.again {
		return count(fx, DropMissed, 1)
	}
	fx = count(fx, Gap, 1)
	r.again = true
	if r.Owns() {
		return r.fetch(fx)
	}
	return r.seek(fx)
}

func (r *Replica) miss(fx []Effect) []Effect {
	r.missed = true
	return count(fx, DropMissed, 1)
}
