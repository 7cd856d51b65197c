package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// duty is something that the worker around its step functions does, and leaves
// out here: each has to be noticed.
type duty uint8

const (
	allDuties       duty = iota
	noWordCheck          // an owner goes on although the word names another
	lateWords            // the words are not read between a message's arrival and its use
	noEraCheck           // the era record is only looked at on a tick
	untaggedPolls        // polls count as asked in the present term and era
	oldInput             // what was unread in an old link is read after the new one is in use
	linkUnnoticed        // the replica is not told of a new link
	emptyUnsent          // batches without a record are not relayed
	anyPosition          // a fresh owner starts at the furthest position of any era, dead or alive
	uncompared           // what others published is not compared when a leader epoch is met
	noControls           // the source tells nothing of control records, and how far it is without them
	localEras            // an owner begins an era by itself
	tornReads            // a position that is half written is read
	erasForgotten        // a restart forgets the eras
	lateHeld             // sessions are written to before positions are published
	cursorIsApplied      // a cursor is how far all were given, whatever the session was
	untold               // sessions are not told of resets
	replayKept           // a replay goes on through a reset
	evictedKept          // a session that is owed an evicted frame goes on
	sharedMaximum        // a new owner fetches behind the furthest that anybody published
	startUnnamed         // where a topic has no id, its epochs outlive a start of everything
	erasTogether         // an epoch counts the eras of all topics
	logUnproven          // a replay goes on by a log that proves nothing
	regrown              // the past is read from a log that was cut and has grown again
	deaf                 // what is published later is not looked at
	coveredAgain         // a subscribe gives the newest of what the session has already
	duties
)

var dutyNames = map[duty]string{
	noWordCheck: "the owner word is not read", lateWords: "the words are read before the message",
	noEraCheck: "the era record is only read on a tick", untaggedPolls: "polls are untagged",
	oldInput: "what was unread in an old link is taken", linkUnnoticed: "a new link is not told",
	emptyUnsent: "empty batches are not sent", anyPosition: "positions are told without era and life",
	uncompared: "a leader epoch is met without a comparison",
	noControls: "control records are not kept", localEras: "eras are local", tornReads: "a torn position is read",
	erasForgotten: "a restart forgets the eras", lateHeld: "sessions are written to before it is published",
	cursorIsApplied: "a cursor is what was applied", untold: "resets are not told", replayKept: "a replay goes on through a reset",
	evictedKept:   "a session keeps what was evicted",
	sharedMaximum: "owners start at a shared maximum", coveredAgain: "the newest of what is covered is given again", deaf: "what is published later is not heard", regrown: "the past is read from a log that was cut and grew again", logUnproven: "a replay goes on by a log that proves nothing",
	startUnnamed: "epochs without an id outlive a start", erasTogether: "an epoch counts all topics' eras",
}

// TestDuties leaves out one duty of the worker at a time.
func TestDuties(t *testing.T) {
	for broken := allDuties + 1; broken < duties; broken++ {
		t.Run(dutyNames[broken], func(t *testing.T) {
			var seen sightings
			for i := range runs(t) {
				found := search(1+i*farther, mutantBudget, broken)
				if found.failed == nil {
					t.Fatalf("not noticed in %d schedules", found.ran)
				}
				seen = append(seen, sighting{int(found.ran), ruleOf(found.err)})
			}
			t.Logf("| %s | %s |", dutyNames[broken], seen)
		})
	}
}

// runs is how often each is looked for, for a median.
func runs(t *testing.T) uint64 {
	t.Helper()
	return number(t, "ODIN_SIM_RUNS", 1)
}

// farther is how far the seeds of two looks are apart.
const farther = 10_000_000

// sighting is after how many schedules what is broken was noticed, and by what.
type sighting struct {
	after int
	rule  string
}

type sightings []sighting

// String gives what noticed it, and after how many schedules, in the median.
func (s sightings) String() string {
	slices.SortFunc(s, func(a, b sighting) int { return a.after - b.after })
	var rules []string
	for _, one := range s {
		if !slices.Contains(rules, one.rule) {
			rules = append(rules, one.rule)
		}
	}
	return fmt.Sprintf("%s | %d", strings.Join(rules, ", "), s[len(s)/2].after)
}
