package check

import (
	"maps"
	"slices"

	odin "github.com/odin-ws/odin/clients/go"
)

// step moves a stream's place in a partition to an offset: all that is wanted
// up to it has to have been sent or told.
type step struct {
	place  *place
	part   *part
	pos    odin.Pos
	to     int64
	record *Event // that was sent from there; nil: a cursor says so
	class  Class  // of what is missing
}

// trial is a step on one of the lives that a stream may be in.
type trial struct {
	line
	told   map[uint32]uint64
	faults []Fault
}

func (w *walk) move(p *place, pos odin.Pos, to int64, e *Event, class Class) {
	s := step{p, w.part(p, pos.Partition), pos, to, e, class}
	w.try(&s, s.part.lines)
	w.take(&s)
}

// take keeps the lives that fit; where none does, the one that fits best is
// what the stream is held against.
func (w *walk) take(s *step) {
	kept := w.trials
	if w.fits() {
		kept = slices.DeleteFunc(kept, func(t trial) bool { return t.faults != nil })
	} else {
		best := slices.MinFunc(kept, func(a, b trial) int { return len(a.faults) - len(b.faults) })
		kept = append(kept[:0], best)
		w.faults = append(w.faults, w.explained(s, best)...)
	}
	s.part.lines = s.part.lines[:0]
	for _, t := range kept {
		s.part.lines = append(s.part.lines, t.line)
	}
	s.part.told = kept[0].told
	s.part.pos, s.part.vague = max(s.part.pos, s.to), false
}

// try makes a step on each of the lines.
func (w *walk) try(s *step, lines []line) {
	w.trials = w.trials[:0]
	for _, l := range lines {
		w.trials = append(w.trials, w.on(s, l))
	}
}

// fits tells whether the step can be made on any of the lines tried.
func (w *walk) fits() bool {
	return slices.ContainsFunc(w.trials, func(t trial) bool { return t.faults == nil })
}

func (w *walk) on(s *step, l line) trial {
	t := trial{line: l, told: s.part.told}
	i, to := s.place.incarnation, s.to
	if len(i.cutsOf(s.pos.Partition)) > 0 {
		t.told = maps.Clone(t.told)
	}
	if s.record != nil {
		to--
	}
	entries := i.entries(s.pos.Partition, l.life)
	if s.part.vague {
		t.next = behind(entries, to)
	}
	w.pass(s, &t, entries, to)
	if s.record != nil {
		w.meet(s, &t, entries)
	}
	if t.faults == nil && !i.had(s.pos.Partition, l.life, s.to, w.now()) {
		t.faults = append(t.faults, w.faulty(s.class, s.pos, "is not of the log that was sent before, which was cut"))
	}
	return t
}

// pass wants all up to an offset to have been told.
func (w *walk) pass(s *step, t *trial, entries []Entry, to int64) {
	for ; t.next < len(entries) && entries[t.next].Offset <= to; t.next++ {
		e := entries[t.next]
		switch {
		case !w.wanted[e.Channel]:
		case t.told[e.Channel] > 0:
			t.told[e.Channel]--
		default:
			missing := s.pos
			missing.Offset = e.Offset
			t.faults = append(t.faults, w.faulty(s.class, missing, "of %s was neither sent nor announced, and the stream is at %d", w.names.Channels[e.Channel], to))
		}
	}
}

// meet wants the record to be the next one.
func (w *walk) meet(s *step, t *trial, entries []Entry) {
	e := s.record
	if t.next == len(entries) || entries[t.next].Offset != e.Offset {
		t.faults = append(t.faults, w.faulty(Phantom, s.pos, "was never committed"))
		return
	}
	t.faults = append(t.faults, w.differs(s.pos, e, entries[t.next])...)
	if n := t.told[e.Channel]; n > 0 {
		t.faults = append(t.faults, w.faulty(Misannounced, s.pos, "%d more of %s were announced as dropped than are missing", n, w.names.Channels[e.Channel]))
		delete(t.told, e.Channel)
	}
	t.next++
}

func (w *walk) differs(pos odin.Pos, e *Event, entry Entry) []Fault {
	switch {
	case entry.Channel != e.Channel:
		return []Fault{w.faulty(Phantom, pos, "came as %s, but is %s", w.names.Channels[e.Channel], w.names.Channels[entry.Channel])}
	case entry.Sum != e.Sum:
		return []Fault{w.faulty(Phantom, pos, "came with another value")}
	case !w.wanted[e.Channel]:
		return []Fault{w.faulty(Phantom, pos, "is of %s, which was not asked for", w.names.Channels[e.Channel])}
	}
	return nil
}

// explained words what is wrong with a record that is of another life of the
// log: of a later one, and then a cut was passed over in silence.
func (w *walk) explained(s *step, best trial) []Fault {
	i, n := s.place.incarnation, s.pos.Partition
	if s.record == nil {
		return best.faults
	}
	for life := range len(i.cutsOf(n)) + 1 {
		entries := i.entries(n, life)
		at := behind(entries, s.to-1)
		switch {
		case life == best.life || at == len(entries) || entries[at].Offset != s.to || w.differs(s.pos, s.record, entries[at]) != nil:
		case life < best.life:
			return append(best.faults, w.faulty(Phantom, s.pos, "is of the log before it was cut at %d", i.Cuts[n][life].From))
		case s.part.pos >= i.Cuts[n][life-1].From:
			return append(best.faults, w.faulty(s.class, s.pos, "is of the log since it was cut at %d, but the stream was at %d of the one before, and nothing said so",
				i.Cuts[n][life-1].From, s.part.pos))
		}
	}
	return best.faults
}
