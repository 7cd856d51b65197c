package election

import (
	"cmp"
	"slices"

	"github.com/odin-ws/odin/internal/event"
)

// Candidate is one incarnation of a worker that may own partitions.
type Candidate struct {
	Slot       int
	Generation uint32
}

// Assign gives every partition its owner: next[i] is the word of partition i,
// equal to current[i] where nothing changes. A slot is listed at most once.
// current is not modified.
func Assign(live []Candidate, current []event.Owner) (next []event.Owner) {
	next = slices.Clone(current)
	if len(live) == 0 {
		for i := range next {
			change(&next[i], Candidate{Slot: event.Nobody})
		}
		return next
	}
	shares, orphans := holdings(live, current)
	setQuotas(shares, len(current))
	for i := range shares {
		orphans = append(orphans, shares[i].shed()...)
	}
	slices.Sort(orphans)
	deal(next, shares, orphans)
	return next
}

// share is what one candidate holds and may hold.
type share struct {
	Candidate
	held  []int // partitions, ascending
	quota int
}

// holdings sorts the partitions by who holds them; orphans have no live owner.
func holdings(live []Candidate, current []event.Owner) (shares []share, orphans []int) {
	shares = make([]share, len(live))
	for i, c := range live {
		shares[i].Candidate = c
	}
	slices.SortFunc(shares, func(a, b share) int { return cmp.Compare(a.Slot, b.Slot) })
	for p, owner := range current {
		i := slices.IndexFunc(shares, func(s share) bool {
			return owner.Term > 0 && owner.Is(s.Slot, s.Generation)
		})
		if i < 0 {
			orphans = append(orphans, p)
			continue
		}
		shares[i].held = append(shares[i].held, p)
	}
	return shares, orphans
}

// setQuotas shares n partitions out evenly. What does not divide goes to those
// who hold most: theirs need not move.
func setQuotas(shares []share, n int) {
	byHeld := make([]*share, len(shares))
	for i := range shares {
		shares[i].quota = n / len(shares)
		byHeld[i] = &shares[i]
	}
	slices.SortStableFunc(byHeld, func(a, b *share) int { return cmp.Compare(len(b.held), len(a.held)) })
	for _, s := range byHeld[:n%len(shares)] {
		s.quota++
	}
}

// shed gives up what exceeds the quota, picked evenly over what is held:
// partitions of one topic are neighbours, and giving up the last ones would
// leave a busy topic where it is.
func (s *share) shed() (given []int) {
	excess := len(s.held) - s.quota
	if excess <= 0 {
		return nil
	}
	kept := make([]int, 0, s.quota)
	for i, p := range s.held {
		if (i+1)*excess/len(s.held) > i*excess/len(s.held) {
			given = append(given, p)
		} else {
			kept = append(kept, p)
		}
	}
	s.held = kept
	return given
}

// deal hands the orphans out, each to the candidate below its quota that
// holds least, so that neighbours (partitions of one topic) are spread.
func deal(next []event.Owner, shares []share, orphans []int) {
	for _, p := range orphans {
		var to *share
		for i := range shares {
			s := &shares[i]
			if len(s.held) < s.quota && (to == nil || len(s.held) < len(to.held)) {
				to = s
			}
		}
		to.held = append(to.held, p) // never nil: the quotas add up to all partitions
		change(&next[p], to.Candidate)
	}
}

// change makes c the owner, in a new term unless it is already.
func change(o *event.Owner, c Candidate) {
	if c.Slot == event.Nobody && (o.Slot == event.Nobody || o.Term == 0) {
		return
	}
	if o.Term > 0 && o.Is(c.Slot, c.Generation) {
		return
	}
	*o = event.Owner{Term: o.Term + 1, Slot: c.Slot, Generation: c.Generation & 0xffffff}
}
