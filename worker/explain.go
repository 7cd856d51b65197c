package worker

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/replica"
)

// answerExplain answers what this worker knows of a channel or pattern. Of what
// is neither it has only the routes to tell.
func (p *process) answerExplain(channel string, a *control.Answer) error {
	if err := p.tellRoutes(a); err != nil {
		return err
	}
	if _, _, err := event.SplitPattern([]byte(channel)); err != nil {
		return nil //nolint:nilerr // who asks says so, with the routes at hand
	}
	x := &control.Explanation{Patterns: []control.PatternCount{}, Found: []control.FoundRecord{}, Similar: []string{}}
	if !p.explainSessions(channel, x) {
		return errEnds
	}
	s := &search{budget: portion, pattern: []byte(channel), asked: (&control.Channels{Within: []string{channel}}).Selection(), x: x}
	alive := &progress{a, time.Now()}
	for more := true; more; {
		if !p.inLoop(func(p *process) { more = s.some(p) }) {
			return errEnds
		}
		if err := alive.show(control.ExplainItem{}); err != nil {
			return err
		}
	}
	slices.SortFunc(x.Found, func(a, b control.FoundRecord) int { return cmp.Compare(b.TimeMS, a.TimeMS) })
	x.Found = x.Found[:min(len(x.Found), control.FoundMax)]
	return a.Item(control.ExplainItem{Explanation: x})
}

// tellRoutes needs no loop: routes never change.
func (p *process) tellRoutes(a *control.Answer) error {
	var routes []control.RouteText
	for _, r := range p.routes.Routes() {
		routes = append(routes, control.RouteText{
			Topic: r.Topic, Channel: r.Channel(), Event: r.Event, Keyed: r.Keyed(), Slow: r.Slow.String(), Class: r.Class.String(),
		})
	}
	for some := range slices.Chunk(routes, control.RoutesMax) {
		if err := a.Item(control.ExplainItem{Routes: some}); err != nil {
			return err
		}
	}
	return nil
}

// explainSessions counts who gets all records of a channel. The lists are
// copied, 8 bytes a subscription, and compared beside the loop.
func (p *process) explainSessions(channel string, x *control.Explanation) bool {
	var lists [][]hub.Member
	ok := p.inLoop(func(p *process) {
		for _, l := range p.hub.Covering(nil, []byte(channel)) {
			lists = append(lists, slices.Clone(l.Members))
			x.Patterns = append(x.Patterns, control.PatternCount{Pattern: l.Pattern(), Sessions: len(l.Members)})
		}
	})
	met := map[uint32]bool{}
	for _, members := range lists {
		for _, m := range members {
			met[m.Session] = true
		}
	}
	x.Sessions = len(met)
	behind := walk{budget: portion}
	for more := true; ok && more; {
		ok = p.inLoop(func(p *process) {
			more = behind.portion(p, uint64(len(p.lagging)), func(i uint64) {
				if met[p.lagging[i]] {
					x.Behind++
				}
			})
		})
	}
	return ok
}

// search looks for the newest records of a channel, a portion at a time: through
// the history of each partition of its topics, from the newest on.
type search struct {
	budget  time.Duration
	pattern []byte
	asked   *control.Selection
	x       *control.Explanation

	begun      bool
	partitions []*partition // those that are left
	below      int64        // offset, in the first of them
}

func (s *search) some(p *process) (more bool) {
	if !s.begun {
		s.begun, s.below = true, math.MaxInt64
		s.partitions = p.feeding(s.pattern)
	}
	for began := p.clock(); len(s.partitions) > 0 && s.x.Searched < control.SearchedMax; {
		if s.lookOn() {
			s.partitions, s.below = s.partitions[1:], math.MaxInt64
		}
		if p.clock()-began > int64(s.budget) {
			break
		}
	}
	s.x.Complete = len(s.partitions) == 0
	return !s.x.Complete && s.x.Searched < control.SearchedMax
}

// lookOn looks at a few more records of the first partition, and tells whether
// it is done.
func (s *search) lookOn() (done bool) {
	n := 0
	for e := range s.partitions[0].replica.Newest(s.below) {
		if n++; n > 64 {
			return false
		}
		s.below = e.Offset
		s.x.Searched++
		if s.x.OldestMS == 0 || e.Time < s.x.OldestMS {
			s.x.OldestMS = e.Time
		}
		if s.asked.Has(e.Channel) {
			s.found(e)
			return true
		}
		s.compare(e.Channel)
	}
	return true
}

func (s *search) found(e replica.Entry) {
	name := s.partitions[0].name
	s.x.Found = append(s.x.Found, control.FoundRecord{
		Channel: string(e.Channel), Topic: name.Topic, Partition: name.Number, Offset: e.Offset, TimeMS: e.Time, Bytes: int(e.Ref.Len),
	})
}

// compare notes channels that were probably meant.
func (s *search) compare(channel []byte) {
	if len(s.x.Similar) < control.SimilarMax && bytes.EqualFold(channel, s.pattern) && !slices.Contains(s.x.Similar, string(channel)) {
		s.x.Similar = append(s.x.Similar, string(channel))
	}
}

// feeding is the partitions whose records a pattern can match.
func (p *process) feeding(pattern []byte) (all []*partition) {
	bits := p.topicsOf(pattern)
	for i := range p.topics {
		if bits&(1<<i) == 0 {
			continue
		}
		for _, pt := range p.topics[i].parts {
			if pt != nil {
				all = append(all, pt)
			}
		}
	}
	return all
}
