package kafka

import "sync/atomic"

// Stats counts what a Source did since Open. None of them falls.
type Stats struct {
	Fetches uint64 // answers to fetches
	Bytes   uint64 // of batches in them, as they came over the wire
	Errors  uint64 // fetches and partitions that failed, by the network or by the broker's word
	Pauses  uint64 // answers that took longer than 100 ms to be taken: Kafka was paused
	Stale   uint64 // fetched for an assignment that had ended meanwhile, and not handed over
}

type counters struct {
	fetches, bytes, errors, pauses, stale atomic.Uint64
}

// Stats returns the counters.
func (s *Source) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.stats
	st := Stats{
		Fetches: c.fetches.Load(), Bytes: c.bytes.Load(), Errors: c.errors.Load(),
		Pauses: c.pauses.Load(), Stale: c.stale.Load(),
	}
	for _, f := range s.fetchers {
		if f.paused() { // it will count when it is over
			st.Pauses++
		}
	}
	return st
}
