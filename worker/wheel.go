package worker

// wheelSize is how many ticks ahead the wheel reaches: 102 s. What is later is
// looked at then and put in again.
const wheelSize = 1024

// wheel holds the sessions' timers: one that counts per session, in the bucket
// of its tick. Setting another one leaves the old entry where it is, to be
// ignored when its tick comes.
type wheel struct {
	buckets [wheelSize][]uint64
	now     uint32 // the last tick that was run
}

// set has the session looked at after so many ticks, at least one.
func (w *wheel) set(s *session, ticks int) {
	due := w.now + uint32(min(max(ticks, 1), wheelSize-1))
	if s.due == due {
		return
	}
	s.due = due
	b := &w.buckets[due%wheelSize]
	*b = append(*b, s.token())
}

// advance runs the next tick: fire is called with the token of each session
// whose bucket it is. Entries may be stale; fire checks due.
func (w *wheel) advance(fire func(token uint64)) {
	w.now++
	b := &w.buckets[w.now%wheelSize]
	due := *b
	*b = nil
	for _, token := range due {
		fire(token)
	}
}
