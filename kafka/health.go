package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// patience is how long something may fail or be silent before Health tells:
// an election takes less.
const patience = 2 * time.Second

// reasonsMax bounds what Health tells of.
const reasonsMax = 3

var errNotYet = errors.New("no metadata yet")

// trouble is a row of failures that hasn't ended.
type trouble struct {
	err   error
	since time.Time
	times int
}

func (t *trouble) set(err error) {
	if t.err == nil {
		t.since = time.Now()
	}
	t.err = err
	t.times++
}

func (t *trouble) lasts(now time.Time) bool {
	return t.err != nil && now.Sub(t.since) >= patience
}

// Health tells whether all that is assigned can be read and, if not, why, in
// words for operators: addresses and topics may be in it, never a secret. A
// failure counts once it lasts for two seconds. A partition that rests after
// a fault, and a caller that doesn't poll, are no matter of health.
func (s *Source) Health() (healthy bool, reason string) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false, "closed"
	}
	var reasons []string
	if s.topics == nil || s.metadata.lasts(now) {
		reasons = append(reasons, fmt.Sprintf("metadata: %v", s.metadata.err))
	}
	reasons = append(reasons, s.sickBrokers(now)...)
	reasons = append(reasons, s.sickParts(now)...)
	if len(reasons) == 0 {
		return true, ""
	}
	if more := len(reasons) - reasonsMax; more > 0 {
		reasons = append(reasons[:reasonsMax], fmt.Sprintf("and %d more", more))
	}
	return false, strings.Join(reasons, "; ")
}

// Reaches tells whether all brokers answer that are said to lead what is assigned,
// whatever they say of it. If so, no other Source can do better with it than this
// one: what Health tells of partitions without a leader, or of a topic that is
// gone, is the same for all.
func (s *Source) Reaches() bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil || s.topics == nil || s.metadata.lasts(now) {
		return false
	}
	for _, f := range s.fetchers {
		if f.sickness(now) != "" && slices.ContainsFunc(f.parts, s.isLed) {
			return false
		}
	}
	return true
}

// isLed tells whether the brokers still name the leader that a partition is
// fetched from.
func (s *Source) isLed(a *part) bool {
	l, ok := s.topics[a.Topic].parts[a.Number]
	return ok && l.broker == a.leader
}

func (s *Source) sickBrokers(now time.Time) (reasons []string) {
	for id, f := range s.fetchers {
		if why := f.sickness(now); why != "" {
			reasons = append(reasons, fmt.Sprintf("broker %d: %s", id, why))
		}
	}
	slices.Sort(reasons)
	return reasons
}

// sickness is how a broker has failed, or been silent, for long.
func (f *fetcher) sickness(now time.Time) string {
	switch {
	case f.trouble.lasts(now):
		return f.trouble.err.Error()
	case !f.sent.IsZero() && now.Sub(f.sent) >= fetchWait+patience:
		return fmt.Sprintf("no answer for %v", now.Sub(f.sent).Round(time.Second))
	}
	return ""
}

func (s *Source) sickParts(now time.Time) (reasons []string) {
	for p, a := range s.parts {
		if a.trouble.lasts(now) && !a.rests() {
			reasons = append(reasons, fmt.Sprintf("%v: %v", p, a.trouble.err))
		}
	}
	slices.Sort(reasons)
	return reasons
}
