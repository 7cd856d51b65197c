package worker

import (
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/route"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// fate is what a route allows to be done with its records when a session is
// owed too much.
func fate(r route.Route) hub.Fate {
	switch {
	case r.Slow == route.SlowClose || r.Class == route.Critical:
		return hub.Keep
	case r.Slow == route.SlowConflate:
		return hub.Conflate
	case r.Class == route.High:
		return hub.DropHigh
	}
	return hub.DropNormal
}

// fates are the routes' by topic; nil: all are to be kept.
func fates(routes []route.Route) map[string]hub.Fate {
	var all map[string]hub.Fate
	for _, r := range routes {
		if f := fate(r); f != hub.Keep {
			if all == nil {
				all = make(map[string]hub.Fate)
			}
			all[r.Topic] = f
		}
	}
	return all
}

// doom is a session that is to be closed once the lists stand still.
type doom struct {
	token uint64
	fault string // the id of one; "": it is too slow
}

// owedTooMuch acts on a session whose socket is full and whose queue is larger
// than its bound: records are dropped if their routes allow it, or the session
// is doomed. No list changes: a closed session leaves them behind the
// iteration.
func (p *process) owedTooMuch(s *session) {
	if p.fates != nil && p.shed(s) {
		return
	}
	s.doomed = true
	p.doomed = append(p.doomed, doom{token: s.token()})
}

// shed drops records of a session's queue. At half of the bound there is room
// for a while, and above three quarters hardly any: whoever can't be helped
// that far is closed, or each further record would cost a look at the whole
// queue.
func (p *process) shed(s *session) bool {
	owed := p.config.Limits.OwedBytesMax
	sh := hub.Shedding{
		Target: owed / 2, Limit: owed / 4 * 3,
		Look:  func(piece hub.Piece) []byte { return p.writer.bytes(&s.queue, piece) },
		Plain: func(piece hub.Piece) []byte { return p.store.Plain(replica.Ref(piece)) },
		Judge: func(topic []byte) hub.Fate { return p.fates[string(topic)] },
	}
	ok := s.queue.Shed(&sh)
	p.countAnswers(s)
	s.dropped += uint32(sh.Dropped + sh.Conflated)
	p.block.Add(shm.SlowDrops, sh.Dropped)
	p.block.Add(shm.SlowConflations, sh.Conflated)
	p.block.Add(shm.Gaps, sh.Notices)
	return ok
}

func (p *process) closeDoomed() {
	for _, d := range p.doomed {
		if s := p.sessions.find(d.token); s != nil {
			s.doomed = false
			p.meetDoom(s, d.fault)
		}
	}
	p.doomed = p.doomed[:0]
}

func (p *process) meetDoom(s *session, fault string) {
	if fault != "" {
		p.endFaulty(s, fault)
		return
	}
	p.tooSlow(s)
}

// tooSlow closes a session that can't be helped by dropping records.
func (p *process) tooSlow(s *session) {
	if s.stage != open {
		return
	}
	defer p.contain(s)
	p.block.Add(shm.SlowCloses, 1)
	p.closeWith(s, wire.CloseSlowConsumer)
}
