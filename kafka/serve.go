package kafka

import (
	"context"
	"fmt"
	"slices"

	"github.com/odin-ws/odin/internal/event"
)

// unreadableAfter fetches of a batch that can't be decoded are enough: the
// network isn't to blame.
const unreadableAfter = 3

// service is who takes what is fetched.
type service struct {
	ctx  context.Context
	into func(Fetched)
	over func()
}

func (v *service) ended() bool { return v == nil || v.ctx.Err() != nil }

// Serve hands over what is fetched until ctx ends, or the Source is closed: what
// one broker sent at once in one call of into for each partition and leader
// epoch, or several if that is much, and then one of over. Both are called by the
// goroutines that fetch, one at a time, so that nobody has to be woken for it;
// while into waits, or nobody serves, nothing more is fetched, and nothing is
// lost. A second Serve waits for the end of the first. It returns the context's
// error or ErrClosed, when neither is called any more.
func (s *Source) Serve(ctx context.Context, into func(Fetched), over func()) error {
	v := &service{ctx, into, over}
	if !s.begin(v) {
		return s.ended(ctx)
	}
	for !v.ended() && s.ctx.Err() == nil {
		select {
		case <-s.faulty:
			s.handing.Lock()
			s.handFaults(into)
			over()
			s.handing.Unlock()
		case <-ctx.Done():
		case <-s.ctx.Done():
		}
	}
	s.handing.Lock()
	defer s.handing.Unlock()
	s.service = nil
	s.changed.Broadcast()
	return s.ended(ctx)
}

// begin waits until nobody else serves. False: ctx ended before.
func (s *Source) begin(v *service) bool {
	defer context.AfterFunc(v.ctx, s.tellAll)()
	s.handing.Lock()
	defer s.handing.Unlock()
	for s.service != nil && !v.ended() && s.ctx.Err() == nil {
		s.changed.Wait()
	}
	if v.ended() || s.ctx.Err() != nil {
		return false
	}
	s.service = v
	s.changed.Broadcast()
	return true
}

func (s *Source) ended(ctx context.Context) error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// tellAll wakes who waits for a service to begin or to end.
func (s *Source) tellAll() {
	s.handing.Lock()
	defer s.handing.Unlock()
	s.changed.Broadcast()
}

// serve hands an answer to whoever serves, and waits for that. False: the Source
// is closed.
func (s *Source) serve(a *answer) bool {
	s.handing.Lock()
	defer s.handing.Unlock()
	for s.service.ended() && s.ctx.Err() == nil {
		s.changed.Wait()
	}
	if s.ctx.Err() != nil {
		return false
	}
	s.dec.unzip.bound(s.decompressedMax())
	for i := range a.chunks {
		s.hand(&a.chunks[i], s.service.into)
	}
	s.service.over()
	return true
}

// hand decodes a chunk and hands it over.
func (s *Source) hand(c *chunk, into func(Fetched)) {
	h := &handing{s: s, c: c, into: into, next: c.from, aborted: newAborted(c.aborted)}
	if !s.current(c) {
		return
	}
	if c.from != c.part.told+1 { // can't be; and if it is, no gap may come of it
		s.undecodable(c, c.from, fmt.Errorf("%w: %d fetched after %d", errBatch, c.from, c.part.told))
		return
	}
	h.epoch = c.part.toldEpoch
	for rest := c.data; len(rest) > 0; {
		head, batch, left, ok, err := cut(rest)
		if err == nil && !ok {
			err = errBatch // can't be: scan took whole ones only
		}
		if err == nil {
			rest = left
			ok, err = h.batch(head, batch)
		}
		if err != nil {
			h.flush()
			s.undecodable(c, head.last+1, err)
			return
		}
		if !ok {
			return
		}
	}
	h.flush()
}

// handing is the way of one chunk into the callback.
type handing struct {
	s       *Source
	c       *chunk
	into    func(Fetched)
	aborted aborted
	next    int64 // all below is encoded or passed over
	epoch   int32 // of next-1
	flushed bool
}

// batch encodes one batch. False: the assignment is over.
func (h *handing) batch(head header, batch []byte) (ok bool, err error) {
	c, e := h.c, &h.s.enc
	if head.last < h.next {
		return true, nil
	}
	if head.epoch != h.epoch && h.next > c.part.told+1 && !h.flush() {
		return false, nil
	}
	records, err := h.s.dec.visible(c.part.Partition, head, batch, h.next, h.aborted)
	if err != nil {
		return false, err
	}
	h.epoch = head.epoch
	for _, r := range records {
		if e.full() && !h.flush() {
			return false, nil
		}
		e.add(h.s.dec, c.part.Partition, head, r)
		h.next = r.Offset + 1
	}
	h.next = head.last + 1
	return true, nil
}

// flush hands over what is encoded. False: the assignment is over.
func (h *handing) flush() bool {
	s, a, e := h.s, h.c.part, &h.s.enc
	defer e.reset()
	if h.flushed && h.next == a.told+1 {
		return true
	}
	f, ok := s.advance(h.c, h.next-1, h.epoch)
	if !ok {
		return false
	}
	h.flushed = true
	f.Records, f.Skipped = e.records, e.skipped
	h.into(f)
	return true
}

// current tells whether a chunk still belongs to an assignment.
func (s *Source) current(c *chunk) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parts[c.part.Partition] == c.part && c.turn == c.part.turn && s.ctx.Err() == nil {
		return true
	}
	s.stats.stale.Add(1)
	return false
}

// advance moves on what was told of a partition, unless its assignment is
// over.
func (s *Source) advance(c *chunk, to int64, epoch int32) (f Fetched, ok bool) {
	if !s.current(c) {
		return f, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := c.part
	f.Advance = a.advance(to, epoch)
	f.Stable, f.High, f.LogStart = c.bounds.stable, c.bounds.high, c.bounds.start
	if to > a.told {
		a.broken = 0
	}
	a.told, a.toldEpoch = to, epoch
	return f, true
}

func (a *part) advance(to int64, epoch int32) event.Advance {
	return event.Advance{
		Partition: a.tag.Index, Era: a.tag.Era, Term: a.tag.Term,
		Prev: a.told, To: to, ToEpoch: epoch,
	}
}

// undecodable goes back to what was handed over, to fetch the rest anew.
func (s *Source) undecodable(c *chunk, behind int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parts[c.part.Partition] == c.part && c.turn == c.part.turn {
		c.part.back()
		s.unreadable(c.part, behind, err)
	}
}

// unreadable fetches a broken batch again, or gives up.
func (s *Source) unreadable(a *part, behind int64, err error) {
	s.stats.errors.Add(1)
	if a.broken++; a.broken >= unreadableAfter {
		s.raise(a, Fault{Kind: Unreadable, Offset: max(behind, a.next+1), Epoch: event.NoEpoch, Err: err})
		return
	}
	a.wait(err)
	s.fetchers[a.leader].wakeUp()
}

// handFaults tells the faults of partitions whose data was all handed over.
func (s *Source) handFaults(into func(Fetched)) {
	for {
		a := s.takeFault()
		if a == nil {
			return
		}
		into(a.faulted())
	}
}

func (s *Source) takeFault() *part {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(a *part) bool { return s.parts[a.Partition] != a })
	i := slices.IndexFunc(s.faults, func(a *part) bool { return !a.pending })
	if i < 0 {
		return nil
	}
	a := s.faults[i]
	s.faults = slices.Delete(s.faults, i, i+1)
	return a
}

func (a *part) faulted() Fetched {
	return Fetched{
		Advance: a.advance(a.told, a.toldEpoch), Fault: a.fault,
		Stable: a.bounds.stable, High: a.bounds.high, LogStart: a.bounds.start,
	}
}
