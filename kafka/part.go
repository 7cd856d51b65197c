package kafka

import (
	"time"

	"github.com/odin-ws/odin/internal/event"
)

const nobody = -1 // the leader of a partition that has none, or none known

// part is one assignment of one partition. Source.mu guards it.
type part struct {
	event.Partition
	tag   Tag
	topic event.TopicID // the incarnation that the offsets belong to; zero until known

	next  int64 // fetched next
	epoch int32 // leader epoch of next-1
	begun int64 // the lowest offset known to be of that epoch
	prior int32 // leader epoch of begun-1, where begun is the first of its epoch; event.NoEpoch: not known

	told      int64 // To of what was handed over last
	toldEpoch int32
	bounds    bounds // as fetched last

	leader, leaderEpoch int32
	checked             bool // that leader has next-1 as it was read
	outside             bool // it said that next is outside of its log

	flight  uint64 // the request that it is part of, 0 = none
	pending bool   // an answer of it waits to be taken
	turn    uint32 // +1 each time that it goes back to told+1: what was fetched before is void

	fault  Fault // why it rests
	broken int   // how often in a row the batch behind told couldn't be decoded

	strange int // metadata in a row with another incarnation
	rewound int // metadata in a row with an earlier leader epoch

	trouble   trouble
	notBefore time.Time
}

// bounds of a partition's log.
type bounds struct{ stable, high, start int64 }

func newPart(p event.Partition, tag Tag, from int64, epoch int32) *part {
	from = max(from, 0)
	return &part{
		Partition: p, tag: tag, topic: tag.Topic,
		next: from, epoch: epoch, begun: from - 1, prior: event.NoEpoch,
		told: from - 1, toldEpoch: epoch, bounds: bounds{-1, -1, -1},
		leader: nobody, leaderEpoch: event.NoEpoch,
	}
}

func (a *part) rests() bool { return a.fault.Kind != NoFault }

// due tells whether it wants a request, and from when on.
func (a *part) due(now time.Time) (ok bool, in time.Duration) {
	if a.rests() || a.pending || a.flight != 0 {
		return false, 0
	}
	wait := a.notBefore.Sub(now)
	return wait <= 0, max(wait, 0)
}

// doubtful tells whether the leader is to be asked about its log first.
func (a *part) doubtful() bool { return !a.checked || a.outside }

// moved notes what was fetched up to to.
func (a *part) moved(to int64, epoch int32, begun int64, prior int32) {
	a.next, a.epoch, a.begun, a.prior = to+1, epoch, begun, prior
}

// back returns to what was handed over, since what was fetched is no good.
func (a *part) back() {
	a.turn++
	a.flight = 0
	a.next, a.epoch, a.begun, a.prior = a.told+1, a.toldEpoch, a.told, event.NoEpoch
}

// wait puts the next try off, longer each time.
func (a *part) wait(err error) {
	a.trouble.set(err)
	a.notBefore = time.Now().Add(delay(a.trouble.times))
}

// well ends a trouble.
func (a *part) well() {
	a.trouble = trouble{}
	a.notBefore = time.Time{}
}
