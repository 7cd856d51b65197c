package kafka

import "time"

// plan is what a fetcher does next. Its lists are good until the next one.
type plan struct {
	over            bool
	flight          uint64
	doubtful, fetch []*part
	bytes           int32         // at most to be fetched
	in              time.Duration // nothing to do until then; 0: until woken
}

func (f *fetcher) plan() (p plan) {
	s, now := f.s, time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(f.parts) == 0 {
		delete(s.fetchers, f.id)
		return plan{over: true}
	}
	f.due, f.doubtful = f.due[:0], f.doubtful[:0]
	for _, a := range f.parts {
		due, in := a.due(now)
		switch {
		case !due:
			p.in = sooner(p.in, in)
		case a.doubtful():
			f.doubtful = append(f.doubtful, a)
		default:
			f.due = append(f.due, a)
		}
	}
	p.doubtful, p.fetch = f.doubtful, f.due
	if len(p.doubtful) > 0 || len(p.fetch) == 0 {
		return p
	}
	f.sends(now)
	s.flights++
	p.flight = s.flights
	for _, a := range p.fetch {
		a.flight = p.flight
	}
	p.bytes = s.share()
	return p
}

// sooner is the smaller of two waits, 0 being none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// Bounds of one fetch.
const (
	shareMin     = 64 << 10
	shareMax     = 8 << 20
	partBytesMax = 1 << 20
)

// share is what one fetch may bring: every fetcher may have one that waits,
// and one is being taken.
func (s *Source) share() int32 {
	return int32(min(max(int(s.fetchedMax.Load())/(len(s.fetchers)+1), shareMin), shareMax))
}
