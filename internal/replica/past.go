package replica

import (
	"math"

	"github.com/odin-ws/odin/internal/event"
)

// pastChunk is the first number of a chunk of a Store of the past: a Ref tells
// by its upper half of which of a worker's two Stores it is.
const pastChunk = 1 << 31

// Past tells whether a frame lies in a Store of the past.
func (r Ref) Past() bool { return r.Chunk >= pastChunk }

// NewPastStore makes a Store for what lies below the history of a worker, as it
// was read from the log again for sessions that resume.
func NewPastStore(l Limits) *Store { return NewPastStoreIn(goHeap{}, l) }

// NewPastStoreIn makes one with its chunks elsewhere.
func NewPastStoreIn(m Memory, l Limits) *Store {
	s := NewStoreIn(m, l)
	s.oldest = pastChunk + 1
	return s
}

// Past is one range of a partition below its history: all visible, placeable
// records of it, until they are evicted.
type Past struct {
	store  *Store
	window *window
	to     int64
	until  int64 // milliseconds: it inherits up to then
}

// NewPast makes an empty one, in a Store of the past.
func NewPast(s *Store) *Past { return &Past{store: s, window: s.open(), to: event.None} }

// Begin drops what it holds: the next records are those from an offset on.
func (p *Past) Begin(from int64) {
	p.store.clear(p.window, from)
	p.to = from - 1
}

// Append adds all records behind those it holds, up to and with an offset. The
// frames are copied.
func (p *Past) Append(records []event.Record, to int64) {
	for i := range records {
		if records[i].Offset > p.to && records[i].Offset <= to {
			p.add(&records[i])
		}
	}
	p.to = max(p.to, to)
}

func (p *Past) add(r *event.Record) {
	p.store.put(p.window, r)
	p.to = r.Offset
	p.window.apply(p.to)
}

// Join adds what another one of the Store holds above, if nothing is missing
// between the two.
func (p *Past) Join(above *Past) {
	if above.window.from <= p.to+1 {
		records, _ := above.History().Records(nil, p.to, above.to, math.MaxInt)
		p.Append(records, above.to)
	}
}

// Bequeath has what leaves a history go into a Past that joins it, for as long
// as the Past's Store is told to Hold: whoever is replayed from both finds no
// gap between them, however fast the history moves on. Nobody inherits from the
// zero History.
func (h History) Bequeath(to *Past) {
	if h.window != nil {
		h.window.heir, to.until = to, to.store.now+to.store.limits.Hold.Milliseconds()
	}
}

// inherit takes the oldest record of a history before it leaves. False: nobody
// has needed it for long, or something lies between the two.
func (p *Past) inherit(s *Store, w *window) bool {
	e := w.at(0)
	if p.store.now > p.until || p.to+1 < w.from {
		return false
	}
	if e.offset > p.to {
		p.add(&event.Record{Offset: e.offset, Epoch: e.epoch, Time: e.time, Channel: s.channel(e), Frame: s.frame(e)})
	}
	return true
}

// Range is what it covers: [from, to].
func (p *Past) Range() (from, to int64) { return p.window.from, p.to }

// History gives its records.
func (p *Past) History() History { return History{p.store, p.window} }

// Records appends to dst the records of (above, to], with frames of at most so
// many bytes (or one), as they travel, and tells how far they reach. They alias
// the Store.
func (h History) Records(dst []event.Record, above, to int64, bytes int) (records []event.Record, reached int64) {
	first, end := h.Above(above)
	reached = above
	for place := first; place != end; place++ {
		e := h.window.at(h.window.indexOf(place))
		if e.offset > to {
			return dst, to
		}
		if bytes -= int(e.ref.Len); bytes < 0 && len(dst) > 0 {
			return dst, reached
		}
		dst = append(dst, event.Record{
			Offset: e.offset, Epoch: e.epoch, Time: e.time, Channel: h.store.channel(e), Frame: h.store.frame(e),
		})
		reached = e.offset
	}
	return dst, to
}
