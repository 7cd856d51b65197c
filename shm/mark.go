package shm

import "github.com/odin-ws/odin/internal/event"

// Mark is the last record of a partition that somebody held, in an era.
type Mark struct {
	Era   uint32
	Epoch int32 // leader epoch of Held
	Held  int64
}

// NoMark is the Mark of a partition of which nobody held anything that can be compared.
var NoMark = Mark{Epoch: event.NoEpoch, Held: event.None}

// Beyond tells which is further: a log is read on in the order of its leader epochs.
func (m Mark) Beyond(n Mark) bool {
	switch {
	case m.Era != n.Era:
		return m.Era > n.Era
	case m.Epoch != n.Epoch:
		return m.Epoch > n.Epoch
	}
	return m.Held > n.Held
}

// Mark is what a position proves of the log; not ok: nothing.
func (p Position) Mark() (m Mark, ok bool) {
	return Mark{p.Era, p.Epoch, p.Held}, p.Positioned && p.Epoch != event.NoEpoch && p.Held >= 0
}

// Bury keeps, by the supervisor, the furthest of what workers of a slot have
// published that is gone, before the next one publishes in its place.
func (s *Segment) Bury(slot int) {
	s.mustWrite()
	for i := range s.Partitions() {
		pos, _ := s.Slot(slot).Position(i)
		m, ok := pos.Mark()
		if before, some := s.Furthest(i); !ok || some && !m.Beyond(before) {
			continue
		}
		s.storeMark(s.partition(i)+partitionMark, m)
	}
}

func (s *Segment) storeMark(at int, m Mark) {
	s.mem.store(at, 0) // readers see none meanwhile, and it concerns nobody yet
	s.mem.store(at+word, uint64(m.Held))
	s.mem.store(at, uint64(m.Era)<<32|uint64(uint32(m.Epoch)+1))
}

// Reached is the furthest that any worker has published of partition i, living or
// dead, of this start or before it.
func (s *Segment) Reached(i int) (m Mark, ok bool) {
	m, ok = s.Kept(i)
	if dead, some := s.Furthest(i); some && (!ok || dead.Beyond(m)) {
		m, ok = dead, true
	}
	for slot := range s.list {
		pos, _ := s.list[slot].Position(i)
		if mark, some := pos.Mark(); some && (!ok || mark.Beyond(m)) {
			m, ok = mark, true
		}
	}
	return m, ok
}

// Furthest is what Bury has kept of partition i.
func (s *Segment) Furthest(i int) (m Mark, ok bool) {
	return s.loadMark(s.partition(i) + partitionMark)
}

// Kept is the furthest record of partition i that anybody held before this start.
func (s *Segment) Kept(i int) (m Mark, ok bool) { return s.loadMark(s.partition(i) + partitionKept) }

func (s *Segment) loadMark(at int) (m Mark, ok bool) {
	for range readTriesMax {
		w := s.mem.load(at)
		m = Mark{Era: uint32(w >> 32), Epoch: int32(uint32(w) - 1), Held: int64(s.mem.load(at + word))}
		if s.mem.load(at) == w {
			return m, w != 0
		}
	}
	return NoMark, false
}
