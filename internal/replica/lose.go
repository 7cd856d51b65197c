package replica

import "github.com/odin-ws/odin/internal/event"

// TrimmedTo tells that the log begins at logStart, above what this worker's
// source was to fetch next: all up to there is lost (rule 10).
func (r *Replica) TrimmedTo(fx []Effect, t Tag, logStart int64) []Effect {
	if drop, c := r.foreign(t); drop {
		return count(fx, c, 1)
	}
	switch {
	case r.losing:
		return r.miss(fx)
	case logStart-1 <= r.held:
		// Not lost, held: but the source has stopped and waits to be told.
		return r.fetch(count(fx, DropDuplicate, 1))
	}
	return r.lose(fx, logStart-1)
}

// Truncated tells that the log ended at end, at or below what is held, with
// the given leader epoch of end-1 (rule 12).
func (r *Replica) Truncated(fx []Effect, t Tag, end int64, epoch int32) []Effect {
	return r.propose(fx, t, event.Era{Number: r.era.Number + 1, From: end, Topic: r.era.Topic, Epoch: epoch})
}

// Recreated tells that the topic was deleted and made anew (rule 12).
func (r *Replica) Recreated(fx []Effect, t Tag, id event.TopicID) []Effect {
	return r.propose(fx, t, event.Era{Number: r.era.Number + 1, Topic: id, Epoch: event.NoEpoch})
}

func (r *Replica) propose(fx []Effect, t Tag, e event.Era) []Effect {
	if drop, c := r.foreign(t); drop {
		return count(fx, c, 1)
	}
	return append(fx, Effect{Kind: ProposeEra, NewEra: e})
}

// lose gives up all up to an offset, once all that is held was applied.
func (r *Replica) lose(fx []Effect, to int64) []Effect {
	r.losing, r.lostTo, r.missed = true, to, false
	if r.applied == r.held {
		return r.lost(fx)
	}
	return append(fx, Effect{Kind: Drain})
}

func (r *Replica) lost(fx []Effect) []Effect {
	fx = count(fx, LostRanges, 1)
	fx = count(fx, LostOffsets, uint64(r.lostTo-r.held))
	missed := r.missed
	r.losing, r.missed, r.again = false, false, false
	r.jump(r.lostTo, event.NoEpoch)
	fx = append(fx, Effect{Kind: Reset, Reason: Trimmed, Lost: true, To: r.held})
	if r.Owns() {
		r.logStart = max(r.logStart, r.held+1)
		return r.wakeAll(r.fetch(fx))
	}
	if missed {
		r.again = true
		return r.seek(fx)
	}
	return fx
}
