package resume

import "github.com/odin-ws/odin/internal/event"

// Unproven is the Offset of a claim that proves nothing.
const Unproven int64 = -2

// Unknown is an offset that nobody has told.
const Unknown int64 = -1

// Reason is why a client can't be given what it missed. The larger one is told
// when there are several.
type Reason uint8

// The reasons, as the client protocol names them.
const (
	None        Reason = iota
	Unavailable        // it can't be proven, or had, just now
	Limit              // it is more than is given in one piece
	Trimmed            // the log has lost some of it, or compaction may have
	Epoch              // it belongs to another incarnation of the topic, or lies beyond its end
)

// String gives the word of the client protocol.
func (r Reason) String() string {
	return [...]string{"", "unavailable", "limit", "trimmed", "epoch", "unknown"}[min(r, Epoch+1)]
}

// Incarnation is how the epoch of a claim relates to the topic as the worker
// knows it.
type Incarnation uint8

// The relations.
const (
	Same    Incarnation = iota
	Newer               // the worker has not met it yet
	Earlier             // of this topic, but eras have begun since
	Other               // of another topic of that name
	Unnamed             // the claim names none
)

// Relation is an Incarnation and, of an Earlier one, how many eras have begun
// since, over all partitions of the topic.
type Relation struct {
	Incarnation
	Since uint64
}

// Relate compares the epoch that a claim names with a topic's identity and the
// sum of its partitions' eras.
func Relate(epoch string, id event.TopicID, eras uint64) Relation {
	named, sum, ok := event.ParseEpoch(epoch)
	switch {
	case !ok || named != id:
		return Relation{Incarnation: Other}
	case sum < eras:
		return Relation{Earlier, eras - sum}
	case sum > eras:
		return Relation{Incarnation: Newer}
	}
	return Relation{Incarnation: Same}
}

// Claim is what a client says of one partition, and what was found out since.
type Claim struct {
	Offset  int64  // all up to it was sent; event.None: nothing yet
	End     int64  // where the log ended when it was asked after the claim was made; Unknown
	Refused Reason // what was asked won't be answered
}

// State is what a worker knows of a partition.
type State struct {
	Relation
	Era        event.Era
	Identified bool // the topic has an id: nothing is proven by the log where it has none (rule 17)
	Unbroken   bool // no era has begun since the worker did

	From, Applied int64 // the history that sessions may be given: f and a
	Observed      int64 // from here on the worker heard all records when they were new
	Held          int64 // the furthest that a living worker holds, in the same era
	Stable        int64 // the last stable offset that the owner heard of; Unknown
	LogStart      int64 // where the log began when the owner heard of it; Unknown
	Compacted     bool  // compaction may have taken what lies below the history

	// Past is held beside the history: all visible records of [PastFrom, PastTo].
	PastFrom, PastTo int64
}

// Step is what follows for one partition.
type Step uint8

// The steps.
const (
	Play     Step = iota + 1 // all above the claim can be had, or is still to come
	Wait                     // until the worker has met the incarnation
	AskEnd                   // ask where the log ends
	AskRange                 // ask for what lies above the claim and below the history
	Fail
)

// String names the step for logs and tests.
func (s Step) String() string {
	return [...]string{"nothing", "play", "wait", "ask end", "ask range", "fail", "unknown"}[min(s, Fail+1)]
}

// Verdict is a Step, and with Fail its Reason.
type Verdict struct {
	Step   Step
	Reason Reason
}

func fail(r Reason) Verdict { return Verdict{Fail, r} }

// Judge is rule 16 for one partition.
func Judge(c Claim, s State) Verdict {
	switch {
	case s.Incarnation == Other, s.Incarnation == Earlier && !s.spares(c):
		return fail(Epoch)
	case c.Refused != None:
		return fail(c.Refused)
	case c.Offset < event.None:
		return fail(Unavailable)
	case s.Incarnation == Newer:
		return Verdict{Step: Wait}
	case s.Incarnation == Unnamed && (!s.Unbroken || !s.Identified):
		return fail(Unavailable)
	case c.Offset > s.Applied:
		return ahead(c, s)
	}
	return behind(c, s)
}

// ByLog tells whether what the log says proves anything: only if the log is
// known to be the one that the claim is about.
func (s State) ByLog() bool {
	return s.Identified && (s.Incarnation == Same || s.Incarnation == Earlier)
}

// spares tells whether all that an Earlier claim covers is in the log as it was.
// How many eras have begun since is known, but not of which partitions: so many
// of this one's, as far as it has had as many. Of those only the last is known:
// whether that cut the log, where, and that all below is as it was.
func (s State) spares(c Claim) bool {
	switch min(s.Since, uint64(s.Era.Number)) {
	case 0:
		return s.Identified
	case 1:
		return s.Identified && s.Era.Epoch != event.NoEpoch && c.Offset < s.Era.From
	}
	return false
}

// ahead judges a claim beyond what sessions of this worker were given: another
// worker gave it, or nobody did.
func ahead(c Claim, s State) Verdict {
	switch {
	case c.Offset <= s.Held, s.ByLog() && c.Offset < s.Stable:
		return Verdict{Step: Play}
	case c.End == Unknown:
		return Verdict{Step: AskEnd}
	case c.Offset >= c.End:
		return fail(Epoch)
	case !s.ByLog():
		return fail(Unavailable)
	}
	return Verdict{Step: Play}
}

func behind(c Claim, s State) Verdict {
	next := c.Offset + 1
	switch {
	case next >= s.From && (s.ByLog() || next >= s.Observed):
		return Verdict{Step: Play}
	case !s.ByLog():
		return fail(Unavailable)
	case s.PastFrom <= next && s.PastTo >= next && s.PastTo+1 >= s.From:
		return Verdict{Step: Play}
	case s.Compacted, next < s.LogStart:
		return fail(Trimmed)
	}
	return Verdict{Step: AskRange}
}

// Outcome is what all verdicts of a client come to.
type Outcome uint8

// The outcomes.
const (
	Pending   Outcome = iota // something has to be answered first
	Recovered                // all that was missed can be given
	Failed                   // not all of it: nothing is
)

// Decide judges all claims of a client. It hands ask what has to be asked
// before it can tell; once one claim fails the others don't matter, but for
// the reason.
func Decide(claims []Claim, state func(i int) State, ask func(i int, s Step)) (Outcome, Reason) {
	worst, asked := None, 0
	for i := range claims {
		switch v := Judge(claims[i], state(i)); v.Step {
		case Play:
		case Fail:
			worst = max(worst, v.Reason)
		case Wait, AskEnd, AskRange:
			asked++
			ask(i, v.Step)
		}
	}
	switch {
	case worst != None:
		return Failed, worst
	case asked > 0:
		return Pending, None
	}
	return Recovered, None
}
