package replica

import (
	"math"

	"github.com/odin-ws/odin/internal/event"
)

// lineage is what an owner knows, in its term and era, of the leader epochs
// that it has passed (rule 12). A worker that is gone, or was frozen, may have
// held, and given to sessions, what a truncation has removed before this owner
// came to it: its published position tells, and the brokers are asked.
type lineage struct {
	met     int32     // the furthest epoch that something was compared for
	passed  []reached // the epochs left behind, ascending, and how far each went
	vouched []reached // compared since with the log, and found in it: of each epoch the furthest
	asking  reached
	under   bool // asking is not answered yet
	stopped bool // and nothing is fetched meanwhile
}

// anyEpoch stands for the leader epoch of what is held where that isn't known: it
// may be above that of all that was published.
const anyEpoch = math.MaxInt32

// reached is an offset, and the leader epoch of its record.
type reached struct {
	held  int64
	epoch int32
}

// lineageMax bounds how many epochs are remembered as passed. What is forgotten is
// asked again.
const lineageMax = 16

// vouchedMax bounds what was found in the log: as much as there can be in doubt at
// once, what each slot has published and what it asked with, and a position of those
// who are gone. With less room the owner would ask for ever, and fetch nothing
// meanwhile.
const vouchedMax = 2*event.MaxSlots + 1

// Meets tells whether a poll is of a leader epoch above that of what is held:
// then Met comes before Polled.
func (r *Replica) Meets(a *event.Advance) bool {
	foreign, _ := r.foreign(Tag{a.Term, a.Era})
	return !foreign && a.ToEpoch > r.epoch && !r.lineage.stopped
}

// Met holds what all workers published, the dead included, against a leader
// epoch that this owner has met and taken nothing of. If the log may lack some
// of it, fetching stops until that was compared.
func (r *Replica) Met(fx []Effect, epoch int32, all []Published) []Effect {
	before := len(fx)
	if epoch > r.lineage.met {
		r.lineage.met, r.lineage.vouched = epoch, nil // this one may have cut the log again
	}
	if fx = r.suspect(fx, epoch, all); len(fx) == before && !r.lineage.under {
		return fx
	}
	r.lineage.stopped = true
	return append(fx, Effect{Kind: StopFetch})
}

// Heard is Met for what is published later: a worker that was frozen may come
// with what a truncation has removed. So may those of before the start, where the
// one who looked first was answered by a leader that was deposed and didn't know.
// An owner has it called every 100 ms.
func (r *Replica) Heard(fx []Effect, all []Published) []Effect {
	if !r.Owns() || !r.positioned {
		return fx
	}
	if r.epoch == event.NoEpoch {
		return r.suspect(fx, anyEpoch, all)
	}
	return r.suspect(fx, r.epoch, all)
}

// suspect has the furthest of what is in doubt compared, of what was published and
// of what others asked with: all positions of an era are of one log, so if that is
// in it, so are the others.
func (r *Replica) suspect(fx []Effect, epoch int32, all []Published) []Effect {
	l := &r.lineage
	if l.under {
		return fx
	}
	for _, p := range all {
		if p.Era == r.era.Number {
			r.weigh(reached{p.Held, p.Epoch}, epoch)
		}
	}
	for i := range r.links {
		if s := &r.links[i]; s.asked == askedFrom && !s.sure {
			r.weigh(s.sought, epoch)
		}
	}
	if !l.under {
		return fx
	}
	if epoch == anyEpoch {
		epoch = l.asking.epoch
	}
	return append(fx, Effect{
		Kind: Compare, From: l.asking.held, Epoch: l.asking.epoch, To: int64(epoch), Term: r.owner.Term, Era: r.era.Number,
	})
}

// weigh has a position compared if it is in doubt, and the furthest of those.
func (r *Replica) weigh(at reached, epoch int32) {
	l := &r.lineage
	if at.epoch == event.NoEpoch || at.epoch >= epoch || !r.doubts(at) {
		return
	}
	if !l.under || at.beyond(l.asking) {
		l.under, l.asking = true, at
	}
}

func (a reached) beyond(b reached) bool {
	return a.epoch > b.epoch || a.epoch == b.epoch && a.held > b.held
}

// doubts tells whether the log that this owner reads may lack a position of an
// earlier leader epoch than the one that it has met.
func (r *Replica) doubts(at reached) bool {
	for _, v := range r.lineage.vouched {
		if at.epoch == v.epoch && at.held <= v.held {
			return false
		}
	}
	switch {
	case r.epoch == event.NoEpoch: // nor is it known that what this owner holds is in the log
		return true
	case at.epoch >= r.epoch:
		return at.held > r.held
	}
	for i := len(r.lineage.passed) - 1; i >= 0; i-- {
		if p := r.lineage.passed[i]; p.epoch <= at.epoch {
			return at.held > p.held
		}
	}
	return true
}

// pass notes that the owner goes on into a later leader epoch.
func (r *Replica) pass(a *event.Advance) {
	if r.epoch != event.NoEpoch && a.ToEpoch > r.epoch && a.Prev <= r.held && a.To > r.held {
		r.lineage.passed = remember(r.lineage.passed, reached{r.held, r.epoch}, lineageMax)
	}
}

// vouch notes that a position was found in the log, and with it those below.
func (l *lineage) vouch(at reached) {
	for i := range l.vouched {
		if v := &l.vouched[i]; v.epoch == at.epoch {
			v.held = max(v.held, at.held)
			return
		}
	}
	l.vouched = remember(l.vouched, at, vouchedMax)
}

func remember(list []reached, at reached, most int) []reached {
	if len(list) == most {
		list = append(list[:0], list[1:]...)
	}
	return append(list, at)
}

// Comparison is the answer to a Compare.
type Comparison struct {
	Tag
	Parted bool  // the log is another one
	End    int64 // from here on, if so
	Epoch  int32 // leader epoch of End-1, event.NoEpoch if unknown
}

// Compared takes the answer to a Compare (rule 12).
func (r *Replica) Compared(fx []Effect, c Comparison) []Effect {
	if drop, why := r.foreign(c.Tag); drop {
		return count(fx, why, 1)
	}
	l := &r.lineage
	if !l.under {
		return count(fx, DropUnsought, 1)
	}
	l.under = false
	if c.Parted {
		return r.Truncated(fx, c.Tag, c.End, c.Epoch)
	}
	l.vouch(l.asking)
	if !l.stopped {
		return r.wakeAll(r.suspect(fx, r.epoch, nil))
	}
	// What was fetched before the stop may still come, and begins too high.
	l.stopped, r.again = false, true
	return r.fetch(fx)
}
