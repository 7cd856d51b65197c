package sim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/replica"
)

// tally is what a schedule came across.
type tally struct {
	effects  [replica.Count + 1]int
	acted    [dos]int
	counters [replica.Counters]int
	resets   [replica.Trimmed + 1]int
	kept     int // resets without a loss
	sent     [kindLost + 1]int
	evicted  uint64
	trimmed  uint64
	blocked  uint64
}

func (t *tally) add(u *tally) {
	for i, n := range u.effects {
		t.effects[i] += n
	}
	for i, n := range u.acted {
		t.acted[i] += n
	}
	for i, n := range u.counters {
		t.counters[i] += n
	}
	for i, n := range u.resets {
		t.resets[i] += n
	}
	for i, n := range u.sent {
		t.sent[i] += n
	}
	t.kept += u.kept
	t.evicted += u.evicted
	t.trimmed += u.trimmed
	t.blocked += u.blocked
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
	yield("reset without loss", t.kept)
	yield("ADV", t.sent[kindAdvance])
	yield("LOST", t.sent[kindLost])
	yield("chunks evicted", int(t.evicted))
	yield("records trimmed", int(t.trimmed))
	yield("evictions blocked", int(t.blocked))
}

var effectNames = [...]string{
	"", "fetch", "stop", "seek", "wake", "ask", "range", "propose", "compare", "drain", "reset", "count",
}

// never is what can't come about while all rules hold.
var never = map[string]bool{"count malformed": true, "count unsought": true}

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
