package worker

import (
	"net/netip"
	"time"

	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/wire"
)

// stage is where a session stands in its life.
type stage uint8

const (
	free      stage = iota // the slot of the table is unused
	open                   // requests are served, records attached
	closing                // a close frame is queued behind what is owed
	lingering              // all was sent and half-closed; input is discarded
	gone                   // to be closed at the end of the turn
)

// session is one client connection. All of its state is here, explicit and
// without a goroutine, so that a session can be handed to another process. Its
// size is what an idle client costs (TestSessionIsSmall).
type session struct {
	index uint32
	use   uint32 // how often this slot of the table was used: half of the token
	fd    int
	stage stage

	touched  bool // stands in process.touched: to be written in this turn
	blocked  bool // the socket is full, and the poller tells when it isn't
	doomed   bool // too slow: to be closed once the lists stand still
	awaiting bool // a ping is out and its pong is not back
	joined   bool // it has subscribed or resumed

	window uint8 // of what is compressed for it, in bits; 0: no compression was agreed on

	code  wire.CloseCode
	lagAt uint32 // in process.lagging, plus 1; 0: not there

	mark   uint64 // of the last record attached, so that none is attached twice
	queue  hub.Queue
	sent   uint64 // bytes, since it is there
	whole  uint64 // records that were sent whole
	topics uint64 // that the subscriptions can come from, as bits
	subs   hub.Subscriptions

	reader    wire.Reader
	rest      []byte // input that the reader left, less than one header
	buffered  uint32 // bytes that the reader held after the last input
	due       uint32 // tick of the timer entry that counts; 0: none
	requests  uint32 // messages of the client's
	discarded uint32 // bytes of input since the close
	errors    uint32 // request errors since errorsSince
	dropped   uint32 // records that it was too slow for, and was told of
	pingMS    uint32 // between two pings, as hello promised
	answers   uint32 // bytes that it counts for in process.answerBytes
	received  uint64 // bytes of input, since it is there

	deadline    int64  // when pong is late, or lingering ends; monotonic ns
	pingAt      int64  // of the next ping; monotonic ns
	pingEnd     uint64 // where in all that is sent the ping that is out ends; later, what was taken when its pong was late
	pongAt      int64  // of the last pong; monotonic ns, 0: none yet
	errorsSince int64  // monotonic ns

	number uint64 // of its arrival in this worker
	opened int64  // monotonic ns
	ending *ending
	replay *replay // what it missed is being decided on or sent; nil: it is live
	remote netip.AddrPort
}

// token names this use of the session's slot to the poller.
func (s *session) token() uint64 { return uint64(s.use)<<32 | uint64(s.index) }

// pageSize is how many sessions share one allocation.
const pageSize = 256

// table holds the sessions by index, in pages that never move.
type table struct {
	pages [][]session
	free  []uint32
	live  int
}

// add takes a free slot.
func (t *table) add() *session {
	if len(t.free) == 0 {
		t.grow()
	}
	last := len(t.free) - 1
	s := t.at(t.free[last])
	t.free = t.free[:last]
	t.live++
	return s
}

func (t *table) grow() {
	page := make([]session, pageSize)
	base := uint32(len(t.pages) * pageSize)
	t.pages = append(t.pages, page)
	for i := pageSize - 1; i >= 0; i-- {
		page[i].index = base + uint32(i)
		t.free = append(t.free, base+uint32(i))
	}
}

func (t *table) at(index uint32) *session {
	return &t.pages[index/pageSize][index%pageSize]
}

// places is how many slots there are, used or free.
func (t *table) places() uint64 { return uint64(len(t.pages) * pageSize) }

// find gives the session of a token, nil if that use of its slot is over.
func (t *table) find(token uint64) *session {
	index := uint32(token)
	if int(index/pageSize) >= len(t.pages) {
		return nil
	}
	s := t.at(index)
	if s.use != uint32(token>>32) || s.stage == free {
		return nil
	}
	return s
}

// remove gives the slot back; no token of this use is valid any more.
func (t *table) remove(s *session) {
	*s = session{index: s.index, use: s.use + 1}
	t.free = append(t.free, s.index)
	t.live--
}

// each calls f with every session that is in use.
func (t *table) each(f func(*session)) {
	for _, page := range t.pages {
		for i := range page {
			if page[i].stage != free {
				f(&page[i])
			}
		}
	}
}

// tick is the step of the loop's timers.
const tick = 100 * time.Millisecond
