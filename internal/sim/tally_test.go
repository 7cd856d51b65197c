package sim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
)

// tally is what a schedule came across.
type tally struct {
	effects    [replica.Count + 1]int
	acted      [dos]int
	counters   [replica.Counters]int
	resets     [replica.Trimmed + 1]int
	outlasted  int // resets without a loss
	omitted    int // reconnects that leave a topic out
	legacies   int // resumes by a last_offset
	remembered int // resumes without an id
	unheard    int // workers whose unpublished records were cut
	resolved   int // of which nobody ever had to hear
	outdated   int // records that the log had lost already
	spared     int // resumes through an era
	sent       [kindEnd + 1]int
	moved      [ops]int
	asks       [backfill.Moot + 1]int // what Tend came to
	fills      [resume.Epoch + 1]int  // what fills came to
	outcomes   [resume.Failed + 1]int // of decisions
	judged     [resume.Fail + 1]int   // what was asked for one
	resumed    [resume.Epoch + 1]int  // answers to reconnects
	received   [packets]int
	replayed   int
	broke      int // replays
	lacked     int // looks of replays for what was evicted
	sheds      int // queues that were shortened
	holes      int // parts of the past that a link has lost
	evicted    uint64
	trimmed    uint64
	blocked    uint64
}

func (t *tally) add(u *tally) {
	sum(t.effects[:], u.effects[:])
	sum(t.acted[:], u.acted[:])
	sum(t.counters[:], u.counters[:])
	sum(t.resets[:], u.resets[:])
	sum(t.sent[:], u.sent[:])
	t.outlasted += u.outlasted
	t.omitted += u.omitted
	t.legacies += u.legacies
	t.unheard += u.unheard
	t.resolved += u.resolved
	t.outdated += u.outdated
	t.remembered += u.remembered
	t.spared += u.spared
	sum(t.moved[:], u.moved[:])
	sum(t.asks[:], u.asks[:])
	sum(t.fills[:], u.fills[:])
	sum(t.outcomes[:], u.outcomes[:])
	sum(t.judged[:], u.judged[:])
	sum(t.resumed[:], u.resumed[:])
	sum(t.received[:], u.received[:])
	t.replayed += u.replayed
	t.broke += u.broke
	t.lacked += u.lacked
	t.sheds += u.sheds
	t.holes += u.holes
	t.evicted += u.evicted
	t.trimmed += u.trimmed
	t.blocked += u.blocked
}

func sum(dst, src []int) {
	for i, n := range src {
		dst[i] += n
	}
}

// each calls yield with everything that is tallied.
func (t *tally) each(yield func(name string, n int)) {
	for i := replica.Fetch; i <= replica.Count; i++ {
		yield("effect "+effectNames[i], t.effects[i])
	}
	for i := doPoll; i < dos; i++ {
		yield("action "+i.String(), t.acted[i])
	}
	for i, n := range t.counters {
		yield("count "+replica.Counter(i).String(), n)
	}
	yield("reset epoch", t.resets[replica.Epoch])
	yield("reset trimmed", t.resets[replica.Trimmed])
	yield("reset without loss", t.outlasted)
	yield("ADV", t.sent[kindAdvance])
	yield("LOST", t.sent[kindLost])
	yield("PAST", t.sent[kindPast])
	yield("END", t.sent[kindEnd])
	t.eachOfSessions(yield)
	yield("chunks evicted", int(t.evicted))
	yield("records trimmed", int(t.trimmed))
	yield("evictions blocked", int(t.blocked))
}

func (t *tally) eachOfSessions(yield func(name string, n int)) {
	for i := opStep + 1; i < ops; i++ {
		yield("move "+i.String(), t.moved[i])
	}
	yield("past read", t.asks[backfill.ReadLog])
	yield("past asked", t.asks[backfill.AskOwner])
	yield("past moot", t.asks[backfill.Moot])
	for i, n := range t.fills[:resume.Epoch] {
		yield("fill "+resume.Reason(i).String(), n)
	}
	for i := range t.outcomes {
		yield("decision "+[...]string{"pending", "recovered", "failed"}[i], t.outcomes[i])
	}
	for i := resume.Wait; i <= resume.AskRange; i++ {
		yield("judged "+i.String(), t.judged[i])
	}
	for i, n := range t.resumed {
		yield("resumed "+resume.Reason(i).String(), n)
	}
	for i := range t.received {
		yield("client "+[...]string{"record", "subscribed", "resumed", "pong", "reset", "latest", "gap"}[i], t.received[i])
	}
	yield("unpublished cut", t.unheard)
	yield("cuts of no concern", t.resolved)
	yield("cut records given", t.outdated)
	yield("resumed by last_offset", t.legacies)
	yield("topics omitted", t.omitted)
	yield("resumed without ids", t.remembered)
	yield("resumed through an era", t.spared)
	yield("replayed", t.replayed)
	yield("replays broken", t.broke)
	yield("replays lacking", t.lacked)
	yield("queues shed", t.sheds)
	yield("parts of the past lost", t.holes)
}

var effectNames = [...]string{
	"", "fetch", "stop", "seek", "wake", "ask", "range", "propose", "compare", "drain", "reset", "count",
}

// never is what can't come about while all rules hold.
var never = map[string]bool{"judged wait": true, "count malformed": true, "count unsought": true}

// String gives the tally as one line.
func (t *tally) String() string {
	var b strings.Builder
	t.each(func(name string, n int) { fmt.Fprintf(&b, "%s %d, ", name, n) })
	return strings.TrimSuffix(b.String(), ", ")
}

// require fails the test for what was not come across often enough: a search
// that never tries a thing proves nothing about it.
func (t *tally) require(tb testing.TB, least int) {
	tb.Helper()
	t.each(func(name string, n int) {
		if !never[name] && n < least {
			tb.Errorf("%s: %d times, fewer than %d", name, n, least)
		}
	})
}
