package worker

import (
	"net/netip"

	"github.com/odin-ws/odin/internal/wire"
)

// closedSession is what is remembered of a session that ended: 112 bytes, and
// its ending.
type closedSession struct {
	number   uint64
	opened   int64 // monotonic ns, as all times here
	closed   int64
	pongAt   int64
	sent     uint64
	whole    uint64
	received uint64
	requests uint32
	dropped  uint32
	code     wire.CloseCode
	window   uint8
	remote   netip.AddrPort
	ending   *ending
}

// closedPage is how many of them share one allocation: a worker whose sessions
// stay has none.
const closedPage = 64

// closedRing holds the last sessions that ended, at most max.
type closedRing struct {
	max   int
	pages [][]closedSession
	first uint64 // the oldest one, of all that were ever put
	total uint64 // that were ever put
}

// put remembers one more, in the place of the oldest when there are max.
func (r *closedRing) put(c closedSession) {
	if r.max <= 0 {
		return
	}
	if r.len() == r.max {
		r.first++
	}
	r.place(r.total, c)
	r.total++
}

func (r *closedRing) place(n uint64, c closedSession) {
	for i := int(n % uint64(r.max)); i/closedPage >= len(r.pages); {
		r.pages = append(r.pages, make([]closedSession, min(closedPage, r.max-len(r.pages)*closedPage)))
	}
	*r.at(n) = c
}

// resize keeps the last ones that there is room for.
func (r *closedRing) resize(most int) {
	if most == r.max {
		return
	}
	next := closedRing{max: most, first: r.total - uint64(min(r.len(), most)), total: r.total}
	for n := next.first; n < r.total; n++ {
		next.place(n, *r.at(n))
	}
	*r = next
}

// at is the place of the n-th ever put.
func (r *closedRing) at(n uint64) *closedSession {
	i := int(n % uint64(r.max))
	return &r.pages[i/closedPage][i%closedPage]
}

// len is how many are remembered.
func (r *closedRing) len() int { return int(r.total - r.first) }

// remember keeps what is known of a session that ends now.
func (p *process) remember(s *session) {
	p.past.put(closedSession{
		number: s.number, opened: s.opened, closed: p.now, pongAt: s.pongAt, sent: s.sent, whole: s.whole,
		received: s.received, requests: s.requests, dropped: s.dropped, code: s.code, window: s.window, remote: s.remote, ending: s.ending,
	})
}
