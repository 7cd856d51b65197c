package worker

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
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
	if !p.explainSessions(channel, x) || !p.explainReplays(channel, x) {
		return errEnds
	}
	s := newSearch(channel, x)
	alive := &progress{a, time.Now()}
	for more := true; more; {
		if !p.inLoop(func(p *process) { more = s.some(p) }) {
			return errEnds
		}
		if err := alive.show(control.ExplainItem{}); err != nil {
			return err
		}
	}
	slices.SortFunc(x.Found, func(a, b control.FoundRecord) int {
		return cmp.Or(cmp.Compare(b.TimeMS, a.TimeMS), cmp.Compare(b.Offset, a.Offset))
	})
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

// explainReplays counts who will get them.
func (p *process) explainReplays(channel string, x *control.Explanation) bool {
	all, pattern := walk{budget: portion}, []byte(channel)
	for more := true; more; {
		ok := p.inLoop(func(p *process) {
			more = p.replaying > 0 && all.portion(p, p.sessions.places(), func(i uint64) {
				if r := p.sessions.at(uint32(i)).replay; r != nil && r.covers(pattern) {
					x.Resuming++
				}
			})
		})
		if !ok {
			return false
		}
	}
	return true
}

// search looks for the newest records of a channel, a portion at a time, in the
// history of each partition of its topics: by the index, or, if that has none
// or a pattern is looked for, through all of it from the newest on.
type search struct {
	budget  time.Duration
	pattern []byte
	asked   *control.Selection
	x       *control.Explanation

	begun      bool
	all        bool         // all records are looked at
	partitions []*partition // those that are left
	at         replica.Place
	left       int // records of the first of them that are left
	looks      int
}

func newSearch(channel string, x *control.Explanation) *search {
	return &search{
		budget: portion, pattern: []byte(channel), x: x,
		asked: (&control.Channels{Within: []string{channel}}).Selection(), all: strings.Contains(channel, "*"),
	}
}

func (s *search) some(p *process) (more bool) {
	if !s.begun {
		s.begun = true
		s.start(p)
	}
	for began := p.clock(); len(s.partitions) > 0 && s.looks < control.SearchedMax; {
		if s.lookOn() {
			s.partitions = s.partitions[1:]
			s.enter()
		}
		if p.clock()-began > int64(s.budget) {
			break
		}
	}
	if len(s.partitions) == 0 && !s.all && len(s.x.Found) == 0 {
		s.all = true // which channels are there?
		s.start(p)
	}
	s.x.Complete = len(s.partitions) == 0
	return !s.x.Complete && s.looks < control.SearchedMax
}

func (s *search) start(p *process) {
	s.x.Searched = 0
	s.partitions = p.feeding(s.pattern)
	s.enter()
}

// enter begins with the next partition.
func (s *search) enter() {
	if len(s.partitions) == 0 {
		return
	}
	h := s.partitions[0].replica.History()
	first, end := h.Above(event.None)
	s.at, s.left = end, int(end-first)
	if e, ok := h.At(first); ok && (s.x.OldestMS == 0 || e.Time < s.x.OldestMS) {
		s.x.OldestMS = e.Time
	}
}

// indexLooks is how far a channel's chain in the index is followed.
const indexLooks = 1000

// lookOn looks at a few more records of the first partition, and tells whether
// it is done.
func (s *search) lookOn() (done bool) {
	h := s.partitions[0].replica.History()
	if !s.all {
		s.looks++
		s.x.Searched += s.left
		newest, _ := h.Newest(nil, s.pattern, 1, indexLooks)
		for _, place := range newest {
			e, _ := h.At(place)
			s.found(e)
		}
		return true
	}
	for range min(s.left, 64) {
		s.at--
		s.left--
		e, ok := h.At(s.at)
		if !ok { // trimmed meanwhile, and so is all before it
			return true
		}
		s.looks++
		s.x.Searched++
		if s.asked.Has(e.Channel) {
			s.found(e)
			return true
		}
		s.compare(e.Channel)
	}
	return s.left == 0
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
