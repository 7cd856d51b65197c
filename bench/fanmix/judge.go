package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// judge holds every session against the ledger.
func (r *running) judge(owed []account) {
	var published [][]position
	for _, s := range r.crowd.sessions {
		if s.kind == normal {
			r.report.judgeNormal(s, owed[s.number])
			continue
		}
		if published == nil {
			published = r.publisher.ledger.byChannel(r.plan.channels)
		}
		v, err := s.story.check(published)
		r.report.judgeSlow(s, v, err)
	}
	r.report.TotalDeliveries = r.crowd.deliveries
}

// judgeNormal wants all that is owed. On a machine that is busy with other things
// a session that reads at once may be too slow all the same: then the policy may
// act, and say so.
func (r *report) judgeNormal(s *session, owed account) {
	if s.stage == over {
		if r.Slow != nil && r.policy == "close" && s.code == 4000 {
			r.Slow.OthersClosed++
			return // what it got before was in order
		}
		r.Closed++
		r.complain("a session ended: %v", s.fault)
	}
	told := s.got.records + s.left
	if r.Slow != nil {
		r.Slow.OthersDropped += s.left
		r.Slow.Announced += s.left
	}
	switch {
	case s.left > 0 && r.Slow == nil:
		r.Gaps++
		r.complain("a session was too slow for %d records", s.left)
	case told > owed.records:
		r.Dups += told - owed.records
		r.complain("a session got %d records of %d", told, owed.records)
	case told < owed.records:
		r.Missing += owed.records - told
		r.complain("a session got %d records of %d", told, owed.records)
	case s.left == 0 && s.got.sum != owed.sum:
		r.Gaps++
		r.complain("a session got as many records as it is owed, but others")
	}
}

func (r *report) judgeSlow(s *session, v verdict, err error) {
	sl := r.Slow
	sl.Records += v.records
	sl.Announced += v.announced
	sl.Notices += v.notices
	if err != nil {
		sl.Unannounced++
		r.complain("a slow session (kind %d, %d messages, %v, caught up: %v, code %d, end: %v): %v", s.kind, len(s.story.log), s.lived, s.story.to != nil, s.code, s.fault, err)
	}
	switch {
	case s.story.to != nil:
		sl.CaughtUp++
	case r.policy == "close" && s.code == 4000:
		sl.Closed4000++
	case r.policy == "close" && s.stage == over && (errors.Is(s.fault, unix.ECONNRESET) || errors.Is(s.fault, unix.EPIPE) || errors.Is(s.fault, errEnded)):
		sl.Aborted++
	default:
		sl.Lost++
		r.complain("a slow session (kind %d) ended after %v and %d messages: %v", s.kind, s.lived, len(s.story.log), s.fault)
	}
}
