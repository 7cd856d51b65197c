package replica

import "github.com/odin-ws/odin/internal/event"

// Range is the answer to a ReadRange.
type Range struct {
	Tag
	From     int64 // as it was asked
	To       int64 // how far it got: at most as it was asked
	ToEpoch  int32 // leader epoch of To, event.NoEpoch if unknown
	LogStart int64 // if above From: what lies below it is gone, Records begin there

	// All visible, placeable records of [From, To]. The Replica keeps them
	// until they are relayed.
	Records []event.Record

	// Err is final: the range can't be had, and is given up (LOST). What may
	// pass is tried again by the worker, not told.
	Err error
}

// readRange asks for what the waiting links miss below the history, all of
// them at once.
func (r *Replica) readRange(fx []Effect) []Effect {
	if r.reading {
		return fx
	}
	from := int64(-1)
	for i := range r.links {
		if l := &r.links[i]; l.wants && (from < 0 || l.sentTo+1 < from) {
			from = l.sentTo + 1
		}
	}
	if from < 0 {
		return fx
	}
	r.reading, r.readTo = true, r.window.from-1
	return append(fx, Effect{
		Kind: ReadRange, From: from, To: r.readTo, Term: r.owner.Term, Era: r.era.Number,
	})
}

// RangeRead takes the answer to a ReadRange. It is relayed, whole, to all
// links that waited for it and begin within it.
func (r *Replica) RangeRead(fx []Effect, a Range) []Effect {
	if drop, c := r.foreign(a.Tag); drop {
		return count(fx, c, 1)
	}
	if !r.reading {
		return count(fx, DropUnsought, 1)
	}
	r.reading = false
	r.logStart = max(r.logStart, a.LogStart)
	failed := a.Err != nil || a.To < a.From && a.LogStart <= a.From
	if failed {
		fx = count(fx, RangeFailed, 1)
	}
	s := &span{from: max(a.From, a.LogStart), to: a.To, epoch: a.ToEpoch, records: a.Records}
	for peer := range r.links {
		l := &r.links[peer]
		if !l.wants {
			continue
		}
		next := l.sentTo + 1
		switch {
		case failed && next >= a.From && next <= r.readTo:
			l.failed = r.readTo
		case next >= a.From && next <= a.To:
			l.span = s
		case next >= r.logStart && next < r.window.from:
			continue
		}
		l.wants = false
		fx = r.wake(fx, peer)
	}
	return r.readRange(fx)
}

func (r *Replica) fromSpan(l *link, maxBytes int) Batch {
	s, size, from := l.span, 0, 0
	for from < len(s.records) && s.records[from].Offset <= l.sentTo {
		from++
	}
	for end := from; end < len(s.records); end++ {
		if size += len(s.records[end].Frame); size > maxBytes && end > from {
			last := &s.records[end-1]
			return r.advance(l, last.Offset, last.Epoch, s.records[from:end])
		}
	}
	l.span = nil
	return r.advance(l, s.to, s.epoch, s.records[from:])
}
