package worker

import (
	"slices"
	"time"

	"github.com/odin-ws/odin/internal/control"
)

// answerSubscribed answers which patterns the sessions subscribe to.
func (p *process) answerSubscribed(q *control.Channels, a *control.Answer) error {
	if q == nil {
		q = &control.Channels{}
	}
	if err := q.Check(); err != nil {
		return err
	}
	asked := q.Selection()
	s := &subscribed{walk: walk{budget: portion}}
	largest, alive := control.NewFirst(control.PatternCountsMax, control.CompareCounts), &progress{a, time.Now()}
	var total control.ChannelsTotal
	for more := true; more; {
		if !p.inLoop(func(p *process) { more = s.some(p) }) {
			return errEnds
		}
		for _, c := range s.found {
			if asked.Has([]byte(c.Pattern)) {
				largest.Add(c)
				total.Patterns++
				total.Subscriptions += c.Sessions
			}
		}
		if err := alive.show(control.ChannelsItem{}); err != nil {
			return err
		}
	}
	return tellCounts(a, largest.List(), total)
}

// subscribed goes over the lists, from the last to the first.
type subscribed struct {
	walk
	lists int // when it began
	found []control.PatternCount
}

func (s *subscribed) some(p *process) (more bool) {
	if s.at == 0 {
		s.lists = p.hub.Lists()
	}
	s.found = s.found[:0]
	return s.portion(p, uint64(s.lists), func(i uint64) {
		if at := s.lists - 1 - int(i); at < p.hub.Lists() {
			l := p.hub.List(at)
			s.found = append(s.found, control.PatternCount{Pattern: l.Pattern(), Sessions: len(l.Members)})
		}
	})
}

func tellCounts(a *control.Answer, counts []control.PatternCount, total control.ChannelsTotal) error {
	if total.Patterns > len(counts) {
		total.Least = counts[len(counts)-1].Sessions
	}
	met := map[string]bool{} // one that moved meanwhile was met twice
	counts = slices.DeleteFunc(counts, func(c control.PatternCount) bool {
		again := met[c.Pattern]
		met[c.Pattern] = true
		return again
	})
	for some := range slices.Chunk(counts, control.CountsMax) {
		if err := a.Item(control.ChannelsItem{Counts: some}); err != nil {
			return err
		}
	}
	return a.Item(control.ChannelsItem{Total: &total})
}
