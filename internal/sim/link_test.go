package sim

import (
	"slices"

	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/event"
)

// message is one of those that workers send each other, by its kind.
type message struct {
	kind    kind
	part    int
	advance event.Advance // without its records
	records []record
	seek    event.Seek
	lost    event.Lost
	want    event.Want
	past    event.Past // without its records
	end     event.PastEnd
}

type kind uint8

const (
	kindAdvance kind = iota + 1
	kindSeek
	kindLost
	kindWant
	kindPast
	kindEnd
)

// link is a socketpair between two workers: two queues. Once it is closed, what
// was in flight can still be read, as far as it was not lost.
type link struct {
	id     uint64
	closed bool
	queues [2][]message // to the lower slot, to the higher
}

// queueMax bounds what a link takes before it is not writable.
const queueMax = 6

func way(to, from int) int {
	if to < from {
		return 0
	}
	return 1
}

// end is one worker's end of the link to one sibling.
type end struct {
	link  *link // nil: none yet, or gone
	next  *link // the supervisor has sent a new one
	inbox []message
	wants []int // partitions that have something to relay, in the order of their wake-ups
	gives []*backfill.Giving
}

// givable tells whether there is a part of the past to relay.
func (e *end) givable() bool {
	return slices.ContainsFunc(e.gives, func(g *backfill.Giving) bool { return !g.Waits() })
}

func (e *end) readable(self, peer int) bool {
	return e.link != nil && len(e.inbox) == 0 && len(e.link.queues[way(self, peer)]) > 0
}

// over tells that the end of the stream was reached.
func (e *end) over(self, peer int) bool {
	return e.link != nil && e.link.closed && len(e.inbox) == 0 && len(e.link.queues[way(self, peer)]) == 0
}

func (e *end) writable(self, peer int) bool {
	return e.link != nil && len(e.link.queues[way(peer, self)]) < queueMax
}

// send writes a message; into a closed link it vanishes.
func (e *end) send(self, peer int, m message) {
	if e.link == nil || e.link.closed {
		return
	}
	q := &e.link.queues[way(peer, self)]
	*q = append(*q, m)
}

// read takes some messages out of the link.
func (e *end) read(self, peer int, x uint32) {
	q := &e.link.queues[way(self, peer)]
	n := 1 + int(x)%len(*q)
	e.inbox = append(e.inbox[:0], (*q)[:n]...)
	*q = append((*q)[:0], (*q)[n:]...)
}
