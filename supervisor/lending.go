package supervisor

import "time"

// lending decides who accepts on each slot's listener. A listening socket goes
// on getting its share of the connects whether or not anybody accepts, so one
// whose own worker is dead, in back-off, suspect or long in starting is lent
// to a ready sibling, and taken back before its own worker gets it.
//
// It is pure: views in, orders out.
type lending struct {
	after  time.Duration // not ready for so long: lend
	answer time.Duration // how long a borrower may take to give back
	loans  []loan
}

// loan is the state of one slot's listener.
type loan struct {
	owner    uint32    // generation of the slot's own worker that was given it, 0: none
	unserved time.Time // since when its own worker has not accepted, zero: it does

	to         int // borrower, nobody if not lent
	generation uint32
	recalled   time.Time // when it was asked back, zero: it was not
}

// order is one thing to tell a worker about the listener of slot.
type order struct {
	slot int
	to   int
	take bool // unlisten instead of listener
}

func newLending(slots int, after, answer time.Duration) *lending {
	l := &lending{after: after, answer: answer, loans: make([]loan, slots)}
	for i := range l.loans {
		l.loans[i].to = nobody
	}
	return l
}

// step brings the loans up to date with the workers.
func (l *lending) step(now time.Time, views []view) (orders []order) {
	for slot := range l.loans {
		orders = append(orders, l.settle(slot, now, views)...)
	}
	return orders
}

// returned takes note that a borrower has given a listener back.
func (l *lending) returned(slot, from int, generation uint32) {
	if slot < 0 || slot >= len(l.loans) {
		return
	}
	loan := &l.loans[slot]
	if loan.to == from && loan.generation == generation && !loan.recalled.IsZero() {
		loan.end()
	}
}

func (o *loan) end() { o.to, o.recalled = nobody, time.Time{} }

func (l *lending) settle(slot int, now time.Time, views []view) (orders []order) {
	loan, own := &l.loans[slot], views[slot]
	if loan.to != nobody && !l.borrowed(loan, now, views) {
		if views[loan.to].alive && views[loan.to].generation == loan.generation && loan.recalled.IsZero() {
			orders = append(orders, order{slot: slot, to: loan.to, take: true}) // it is suspect: should it thaw
		}
		loan.end()
	}
	if own.sound() && own.ready {
		loan.unserved = time.Time{}
		return append(orders, l.home(slot, now, own)...)
	}
	return append(orders, l.away(slot, now, views)...)
}

// borrowed tells whether the loan still stands. What a borrower took with it
// to the grave is free; one that does not answer the recall does no harm by
// accepting on.
func (l *lending) borrowed(loan *loan, now time.Time, views []view) bool {
	v := views[loan.to]
	overdue := !loan.recalled.IsZero() && now.Sub(loan.recalled) >= l.answer
	return v.sound() && v.ready && v.generation == loan.generation && !overdue
}

// home brings the listener to its own worker, which is ready.
func (l *lending) home(slot int, now time.Time, own view) []order {
	loan := &l.loans[slot]
	switch {
	case loan.to != nobody && loan.recalled.IsZero():
		loan.recalled = now
		return []order{{slot: slot, to: loan.to, take: true}}
	case loan.to == nobody && loan.owner != own.generation:
		loan.owner = own.generation
		return []order{{slot: slot, to: slot}}
	}
	return nil
}

// away finds somebody to accept while the slot's own worker does not. If there
// is nobody the worker gets its listener at once, to use when it is ready.
func (l *lending) away(slot int, now time.Time, views []view) []order {
	loan, own := &l.loans[slot], views[slot]
	if loan.unserved.IsZero() {
		loan.unserved = now
	}
	if loan.to != nobody {
		return nil
	}
	patience := l.after
	if !own.sound() {
		patience = 0
	}
	if to := l.borrower(slot, views); to != nobody && now.Sub(loan.unserved) >= patience {
		loan.to, loan.generation = to, views[to].generation
		return []order{{slot: slot, to: to}}
	}
	if own.alive && loan.owner != own.generation {
		loan.owner = own.generation
		return []order{{slot: slot, to: slot}}
	}
	return nil
}

// borrower is the ready sibling that serves the fewest others.
func (l *lending) borrower(slot int, views []view) int {
	best, least := nobody, 0
	for i, v := range views {
		if i == slot || !v.sound() || !v.ready {
			continue
		}
		if n := l.serves(i); best == nobody || n < least {
			best, least = i, n
		}
	}
	return best
}

func (l *lending) serves(to int) (n int) {
	for i := range l.loans {
		if l.loans[i].to == to {
			n++
		}
	}
	return n
}
