package replica

import "github.com/odin-ws/odin/internal/event"

// link is what a Replica knows of the link to one sibling. The lower half is
// the owner's view of a subscriber and lapses with the link, the term and the
// era.
type link struct {
	up bool

	asked  asked
	awake  bool    // a Wake was given, Next has not come to its end since
	wants  bool    // waits for a range
	sentTo int64   // what the peer holds once it has read all that was relayed
	sought reached // what it held when it asked
	sure   bool    // and that is in the log
	failed int64   // ranges up to here can't be had
	span   *span
}

// asked is what a subscriber's SEEK said.
type asked uint8

const (
	askedNothing asked = iota
	askedFresh         // it holds nothing, and takes the owner's position
	askedFrom          // it holds sentTo
)

// span is a range that was read for some links: all visible, placeable
// records of [from, to].
type span struct {
	from, to int64
	epoch    int32
	records  []event.Record
}

// LinkUp tells that a new link to a sibling is in use. A link that was up
// before it is gone, with all that was unread in it (rule 9).
func (r *Replica) LinkUp(fx []Effect, peer int) []Effect {
	for len(r.links) <= peer {
		r.links = append(r.links, link{})
	}
	r.links[peer] = link{up: true}
	if peer == r.owner.Slot && !r.Owns() {
		r.unseek()
		return r.seek(fx)
	}
	return fx
}

// LinkDown tells that the link to a sibling is gone.
func (r *Replica) LinkDown(fx []Effect, peer int) []Effect {
	if peer < len(r.links) {
		r.links[peer] = link{}
	}
	if peer == r.owner.Slot && !r.Owns() {
		r.unseek()
	}
	return fx
}

func (r *Replica) linkOf(peer int) *link {
	if peer < 0 || peer >= len(r.links) || !r.links[peer].up {
		return nil
	}
	return &r.links[peer]
}

// seek asks the owner for what comes behind held, if there is a way to it.
func (r *Replica) seek(fx []Effect) []Effect {
	if r.Owns() || r.linkOf(r.owner.Slot) == nil {
		return fx
	}
	r.sought = true
	return append(fx, Effect{Kind: SendSeek, Peer: r.owner.Slot, Seek: event.Seek{
		Partition: r.config.Partition, Era: r.era.Number, Term: r.owner.Term,
		Positioned: r.positioned, Held: r.held, HeldEpoch: r.epoch,
	}})
}

// unseek forgets what was asked, and a LOST that came in answer: whoever is
// asked next will find it again, if it still is so.
func (r *Replica) unseek() {
	r.sought, r.again, r.losing, r.missed = false, false, false, false
}
