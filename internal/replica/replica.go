package replica

import "github.com/odin-ws/odin/internal/event"

// Config says which partition a Replica is, and in which worker.
type Config struct {
	Partition  int    // index in the partition table
	Slot       int    // this worker's
	Generation uint32 // this worker's
	Base       int64  // rule 3: the first offset to read when nobody knows a later one
	BaseEra    uint32 // the era in which Base was resolved
	Era        event.Era

	// FromBase: the worker has sessions that were there before the partition
	// was, and owes them all of it (rule 14). Otherwise a Replica is fresh: it
	// holds nothing until an owner answers it, or it becomes the owner.
	FromBase bool
}

// Position is where a Replica stands, as it is published.
type Position struct {
	Era        uint32
	Epoch      int32 // leader epoch of Held, event.NoEpoch if unknown
	Held       int64 // last offset held; event.None before the first
	Applied    int64 // last offset that sessions were given
	From       int64 // first offset that the history covers
	Positioned bool  // false: the offsets mean nothing yet
}

// Tag names the term and era under which something was asked of a source.
type Tag struct{ Term, Era uint32 }

// Replica is one partition in one worker.
type Replica struct {
	config Config
	store  *Store
	window *window

	owner event.Owner
	era   event.Era

	positioned bool
	held       int64
	epoch      int32 // leader epoch of held
	applied    int64

	// As a receiver.
	sought bool // a SEEK of this term and era was sent on the link that is up
	again  bool // something was missed and a SEEK repeated, which is not yet answered

	// A LOST that waits until all that is held is applied.
	losing bool
	lostTo int64
	missed bool // input was dropped meanwhile

	// As the owner.
	links    []link // by slot, as far as the highest seen
	logStart int64  // the highest that the source told in this era
	reading  bool   // a range is on its way,
	readTo   int64  // up to here
	lineage  lineage
}

// New makes a Replica of the Store's partition.
func New(c Config, s *Store) *Replica {
	r := &Replica{
		config: c, store: s, window: s.open(), era: c.Era,
		owner: event.Owner{Slot: event.Nobody}, epoch: event.NoEpoch, held: event.None, applied: event.None,
	}
	if c.FromBase {
		r.position(r.start())
	}
	return r
}

// Position tells where the Replica stands.
func (r *Replica) Position() Position {
	return Position{
		Era: r.era.Number, Epoch: r.epoch, Held: r.held, Applied: r.applied,
		From: r.window.from, Positioned: r.positioned,
	}
}

// Owner is the owner that the Replica knows.
func (r *Replica) Owner() event.Owner { return r.owner }

// Era is the era that the Replica is in. What a source is assigned belongs to
// its Topic: another partition of the topic may be an era behind or ahead.
func (r *Replica) Era() event.Era { return r.era }

// Owns tells whether that is this worker.
func (r *Replica) Owns() bool { return r.owner.Is(r.config.Slot, r.config.Generation) }

// Full tells that more records than the bound wait to be applied: the worker
// takes no more input for this partition until it has applied some.
func (r *Replica) Full() bool {
	return r.window.len-r.window.applied > r.store.limits.Records
}

// OwnerChanged takes the owner word, as read just before another input.
func (r *Replica) OwnerChanged(fx []Effect, o event.Owner) []Effect {
	if o == r.owner || o.Term < r.owner.Term {
		return fx
	}
	owned := r.Owns()
	r.owner = o
	r.lapse()
	if owned && !r.Owns() {
		fx = append(fx, Effect{Kind: StopFetch})
	}
	return r.begin(fx)
}

// EraChanged takes the era record, as read just before another input. A new
// era keeps all where nothing that is held was lost, and else empties the
// history (rule 11).
func (r *Replica) EraChanged(fx []Effect, e event.Era) []Effect {
	if e.Number <= r.era.Number {
		return fx
	}
	kept := r.outlasts(e)
	r.era = e
	r.logStart = 0
	r.lapse()
	switch {
	case kept:
		fx = append(fx, Effect{Kind: Reset, Reason: Epoch, To: e.From - 1})
	case r.positioned:
		r.jump(e.From-1, e.Epoch)
		fx = append(fx, Effect{Kind: Reset, Reason: Epoch, Lost: true, To: r.held})
	}
	return r.begin(count(fx, EraChanges, 1))
}

// outlasts tells whether all that is held is in a new era as it was: it lies
// below where the log was cut, and that is known for certain. Of an era that
// was passed over nobody knows.
func (r *Replica) outlasts(e event.Era) bool {
	return r.positioned && r.held < e.From && e.Epoch != event.NoEpoch &&
		e.Topic == r.era.Topic && e.Number == r.era.Number+1
}

// lapse ends all that hangs on a term or an era.
func (r *Replica) lapse() {
	for i := range r.links {
		r.links[i] = link{up: r.links[i].up}
	}
	r.reading = false
	r.lineage = lineage{}
	r.unseek()
}

// begin starts a term or an era.
func (r *Replica) begin(fx []Effect) []Effect {
	switch {
	case !r.Owns():
		return r.seek(fx)
	case r.positioned:
		return r.fetch(fx)
	default:
		return append(fx, Effect{Kind: AskPublished})
	}
}

func (r *Replica) fetch(fx []Effect) []Effect {
	return append(fx, Effect{
		Kind: Fetch, From: r.held + 1, Epoch: r.epoch, Term: r.owner.Term, Era: r.era.Number,
	})
}

// position gives a fresh Replica its place.
func (r *Replica) position(held int64, epoch int32) {
	r.positioned = true
	r.jump(held, epoch)
}

// jump empties the history and goes on behind held.
func (r *Replica) jump(held int64, epoch int32) {
	r.store.clear(r.window, held+1)
	r.held, r.applied, r.epoch = held, held, epoch
}
