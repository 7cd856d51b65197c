package worker

import (
	"cmp"
	"math"
	"slices"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
)

// found is one of the newest records of a channel.
type found struct {
	channel string
	ref     replica.Ref
}

// latestLooks bounds the records that one request for the newest looks at.
const latestLooks = 16 << 10

// latest finds the newest records of a request's channels, at most so many of
// each, in the order of their arrival here. What the session is given already
// by an earlier subscription has none.
func (p *process) latest(s *session, req *wire.Request) []found {
	if req.Last <= 0 {
		return nil
	}
	l := latest{process: p, session: s, most: req.Last, looks: latestLooks, found: p.found[:0]}
	patterns := l.patterns(req.Channels)
	for i := range p.topics {
		if channels, all := p.topics[i].channelsOf(patterns); all {
			l.scan(&p.topics[i])
		} else {
			l.find(&p.topics[i], channels)
		}
	}
	p.found = l.found
	return l.newest(p.config.Limits.OwedBytesMax/2 - s.queue.Bytes)
}

// latest is one search for the newest records.
type latest struct {
	process *process
	session *session
	most    int // of a channel
	looks   int // that are left
	found   []found
}

// patterns gives those that the session may have and is not given yet.
func (l *latest) patterns(channels [][]byte) (patterns [][]byte) {
	p, s := l.process, l.session
	for _, c := range channels {
		if _, ok := p.judge(c, s.subs.Count()+len(patterns), false); ok && !p.gets(s, c) {
			patterns = append(patterns, c)
		}
	}
	return patterns
}

// gets tells whether a session is given all that a pattern stands for.
func (p *process) gets(s *session, pattern []byte) bool {
	p.lists = p.hub.Covering(p.lists[:0], pattern)
	return s.subs.In(s.index, p.lists)
}

// find looks along the chains of some channels of a topic.
func (l *latest) find(t *topic, channels [][]byte) {
	p, s := l.process, l.session
	for _, c := range channels {
		if p.gets(s, c) {
			continue
		}
		for _, pt := range t.parts {
			if pt == nil || l.looks <= 0 {
				continue
			}
			if had := l.findIn(pt.replica.History(), c, l.most, math.MaxInt64); had < l.most && p.hasPast(pt) {
				l.findIn(pt.past.History(), c, l.most, pt.replica.Position().From)
			}
		}
	}
}

// findIn takes what one history has of a channel below an offset, and tells how
// many records that is.
func (l *latest) findIn(h replica.History, channel []byte, most int, below int64) (had int) {
	p := l.process
	var looked int
	p.places, looked = h.Newest(p.places[:0], channel, most, l.looks)
	l.looks -= 1 + looked
	for _, place := range p.places {
		if e, ok := h.At(place); ok && e.Offset < below {
			l.take(h, place)
			had++
		}
	}
	return had
}

// hasPast tells whether the past joins the history.
func (p *process) hasPast(pt *partition) bool { return pt.past.Joins(p.pastNow(pt)) }

// scan looks at all records of a topic, from the newest on.
func (l *latest) scan(t *topic) {
	counts := map[string]int{}
	for _, pt := range t.parts {
		if pt == nil {
			continue
		}
		clear(counts)
		l.scanIn(pt.replica.History(), math.MaxInt64, counts)
		if l.process.hasPast(pt) {
			l.scanIn(pt.past.History(), pt.replica.Position().From, counts)
		}
	}
}

func (l *latest) scanIn(h replica.History, below int64, counts map[string]int) {
	first, place := h.Above(event.None)
	for ; place != first && l.looks > 0; l.looks-- {
		place--
		e, ok := h.At(place)
		if !ok {
			return
		}
		if e.Offset >= below {
			continue
		}
		n, met := counts[string(e.Channel)]
		if !met && l.process.gets(l.session, e.Channel) {
			n = l.most // the session is given it already
		}
		if counts[string(e.Channel)] = n + 1; n < l.most {
			l.take(h, place)
		}
	}
}

func (l *latest) take(h replica.History, place replica.Place) {
	if e, ok := h.At(place); ok {
		l.found = append(l.found, found{string(e.Channel), e.Ref})
	}
}

// newest is what of all that was found is sent: of each channel so many, over
// all its partitions, and of all together so many bytes.
func (l *latest) newest(room int) []found {
	slices.SortFunc(l.found, func(a, b found) int {
		if a.ref.Past() != b.ref.Past() {
			return cmp.Compare(a.ref.Chunk, b.ref.Chunk) // the past's are numbered above all others
		}
		return cmp.Or(cmp.Compare(b.ref.Chunk, a.ref.Chunk), cmp.Compare(b.ref.Off, a.ref.Off))
	})
	counts := map[string]int{}
	kept := l.found[:0]
	for _, f := range l.found {
		if counts[f.channel]++; counts[f.channel] > l.most {
			continue
		}
		if room -= int(f.ref.Len); room < 0 {
			break
		}
		kept = append(kept, f)
	}
	slices.Reverse(kept)
	return kept
}

// attachLatest sends them, behind the answer that announces them.
func (p *process) attachLatest(s *session, latest []found) {
	if s.stage != open || len(latest) == 0 {
		return
	}
	for i := range latest {
		p.writer.lend(&s.queue)
		s.queue.Attach(hub.Piece(latest[i].ref))
	}
	p.touch(s)
}
