package supervisor

import "time"

// settling holds back a decision until what it depends on has been quiet. When
// a broker goes away or returns, the workers notice one after the other, and
// acting on each would move every partition to and fro.
type settling struct {
	quiet time.Duration // since the last change
	limit time.Duration // since the first one, however restless it is

	first, last time.Time // zero: nothing changed
}

// changed notes a change.
func (s *settling) changed(now time.Time) {
	if s.first.IsZero() {
		s.first = now
	}
	s.last = now
}

// due tells, once, that it is time to decide.
func (s *settling) due(now time.Time) bool {
	if s.first.IsZero() || now.Sub(s.last) < s.quiet && now.Sub(s.first) < s.limit {
		return false
	}
	s.first = time.Time{}
	return true
}
