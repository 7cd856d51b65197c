package replica

import "github.com/odin-ws/odin/internal/event"

// Sought takes a SEEK that was read from the link to peer (rule 7).
func (r *Replica) Sought(fx []Effect, peer int, s event.Seek) []Effect {
	l := r.linkOf(peer)
	if l == nil || !r.Owns() || s.Term != r.owner.Term || s.Era != r.era.Number {
		return count(fx, SeekIgnored, 1)
	}
	*l = link{up: true, asked: askedFresh, failed: event.None, sure: !s.Positioned}
	if s.Positioned {
		l.asked, l.sentTo, l.sought = askedFrom, s.Held, reached{s.Held, s.HeldEpoch}
		if r.positioned {
			fx = r.suspect(fx, r.epoch, nil)
		}
	}
	return r.wake(fx, peer)
}

// Batch is something to relay: an ADV, or a LOST, or nothing.
type Batch struct {
	Advance *event.Advance
	Lost    *event.Lost

	// Repeated: it is the last batch that Next gave, for another link of the
	// same Replica. What was encoded from that can be sent again.
	Repeated bool
}

// None tells that there is nothing to relay.
func (b Batch) None() bool { return b.Advance == nil && b.Lost == nil }

// Next gives what comes next on the link to peer, as if it was sent: an ADV
// with frames of at most maxBytes (or with one record), cut at a record or at
// Held. It aliases the Store and is valid until the next call of any Replica
// of the Store, or its Evict. Nothing: the end was reached, the link has to
// wait for a range, or this worker does not own the partition by the word that
// OwnerChanged was given, which has to be read just before (rule 2).
func (r *Replica) Next(fx []Effect, peer, maxBytes int) (Batch, []Effect) {
	l := r.linkOf(peer)
	if l == nil {
		return Batch{}, fx
	}
	if !r.due(l) {
		l.awake = false
		return Batch{}, fx
	}
	next := l.sentTo + 1
	switch {
	case l.asked == askedFresh:
		l.asked, l.sentTo = askedFrom, r.held
		return r.advance(l, r.held, r.epoch, nil), fx
	case next >= r.window.from:
		l.span = nil
		return r.fromHistory(l, maxBytes), fx
	case next <= l.failed:
		return r.giveUp(l, min(l.failed, r.window.from-1)), fx
	case next < r.logStart:
		return r.giveUp(l, min(r.logStart, r.window.from)-1), fx
	case l.span != nil && l.span.to >= next:
		return r.fromSpan(l, maxBytes), fx
	}
	l.span, l.wants, l.awake = nil, true, false
	return Batch{}, r.readRange(fx)
}

// due tells whether there is, or could be, something to relay.
func (r *Replica) due(l *link) bool {
	if !r.Owns() || !r.positioned || l.wants {
		return false
	}
	return l.asked == askedFresh || l.asked == askedFrom && l.sentTo < r.held && r.trusts(l)
}

// trusts tells whether the log has what the peer held when it asked. If that is
// in doubt nothing is relayed behind it: the peer would hold two logs, and what it
// publishes then would no longer tell.
func (r *Replica) trusts(l *link) bool {
	l.sure = l.sure || l.sought.epoch >= r.epoch || l.sought.epoch == event.NoEpoch || !r.doubts(l.sought)
	return l.sure
}

func (r *Replica) wake(fx []Effect, peer int) []Effect {
	l := &r.links[peer]
	if l.awake || !r.due(l) {
		return fx
	}
	l.awake = true
	return append(fx, Effect{Kind: Wake, Peer: peer})
}

func (r *Replica) wakeAll(fx []Effect) []Effect {
	if !r.Owns() {
		return fx
	}
	for peer := range r.links {
		fx = r.wake(fx, peer)
	}
	return fx
}

// advance makes the ADV of (l.sentTo, to].
func (r *Replica) advance(l *link, to int64, epoch int32, records []event.Record) Batch {
	a := &r.store.relay.advance
	*a = event.Advance{
		Partition: r.config.Partition, Era: r.era.Number, Term: r.owner.Term,
		Prev: l.sentTo, To: to, ToEpoch: epoch, Records: records,
	}
	l.sentTo = to
	r.store.relay.last = relayed{}
	return Batch{Advance: a}
}

func (r *Replica) giveUp(l *link, to int64) Batch {
	b := &r.store.relay.lost
	*b = event.Lost{
		Partition: r.config.Partition, Era: r.era.Number, Term: r.owner.Term, Prev: l.sentTo, To: to,
	}
	l.sentTo = to
	r.store.relay.last = relayed{}
	return Batch{Lost: b}
}

func (r *Replica) fromHistory(l *link, maxBytes int) Batch {
	w, s := r.window, r.store
	key := relayed{r, l.sentTo, r.held, r.owner.Term, r.era.Number, maxBytes}
	if key == s.relay.last {
		l.sentTo = s.relay.advance.To
		return Batch{Advance: &s.relay.advance, Repeated: true}
	}
	records, size := s.relay.records[:0], 0
	to, epoch := r.held, r.epoch
	for i := w.after(l.sentTo); i < w.len; i++ {
		e := w.at(i)
		if size += int(e.ref.Len); size > maxBytes && len(records) > 0 {
			last := &records[len(records)-1]
			to, epoch = last.Offset, last.Epoch
			break
		}
		records = append(records, event.Record{
			Offset: e.offset, Epoch: e.epoch, Time: e.time, Channel: s.channel(e), Frame: s.frame(e),
		})
	}
	s.relay.records = records
	b := r.advance(l, to, epoch, records)
	s.relay.last = key
	return b
}
