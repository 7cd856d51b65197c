package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/scripts/chaos/check"
)

func judged(t *testing.T, deeds []deed, tally *check.Tally, faults []check.Fault, crashes []string, broken error) string {
	t.Helper()
	w := &world{options: options{seed: 7, length: time.Minute}}
	w.odind = &odind{world: w, dir: "/logs"}
	var b strings.Builder
	sound := w.verdict(&b, verdicts(deeds, tally, faults, crashes, broken))
	if sound != strings.HasSuffix(b.String(), " 0 failed\n") {
		t.Errorf("sound: %v, but\n%s", sound, b.String())
	}
	return b.String()
}

// .ci/run counts by the last line, and shows what begins with "not ok".
func TestASoundRunPasses(t *testing.T) {
	t.Parallel()
	deeds := []deed{{what: "a"}, {what: "b", err: errLate}, {what: "c", err: errEnough}}
	if text := judged(t, deeds, check.NewTally(), nil, nil, nil); strings.Contains(text, "not ok") || !strings.HasSuffix(text, "\n14 passed, 0 failed\n") {
		t.Error(text)
	}
}

func TestWhatIsBrokenFails(t *testing.T) {
	t.Parallel()
	tally := func(endings ...string) *check.Tally {
		all := check.NewTally()
		for _, e := range endings {
			all.Endings[e]++
		}
		return all
	}
	sound := tally("closed with 1001 draining", "broken", "had all")
	for want, text := range map[string]string{
		"not ok no gap: gap: it at ":                                   judged(t, nil, sound, []check.Fault{{Class: check.Missing, Stream: "it"}, {Class: check.Missing}}, nil, nil),
		"not ok every client came to the log's end: stalled: it at ":   judged(t, nil, sound, []check.Fault{{Class: check.Stalled, Stream: "it"}}, nil, nil),
		"not ok every fault was carried out: freeze: nobody to do it":  judged(t, []deed{{what: "freeze", err: errNobody}}, sound, nil, nil, nil),
		"not ok every fault was carried out: for 2 of 3 there was no ": judged(t, []deed{{err: errLate}, {err: errLate}, {}}, sound, nil, nil, nil),
		"not ok no process of odind crashed: panic: at the disco":      judged(t, nil, sound, nil, []string{"panic: at the disco"}, nil),
		"not ok no session ended by an internal fault: 2 times":        judged(t, nil, tally("closed with 1011 internal:ab", "closed with 1011 internal:cd"), nil, nil, nil),
		"not ok no session ended for what it sent: 1 times":            judged(t, nil, tally("closed with 1008 too_many_errors"), nil, nil, nil),
		"not ok odind did what it was told to: it is on fire":          judged(t, nil, sound, nil, nil, errors.New("it is on fire")),
	} {
		for _, part := range []string{want, "/logs/odind.log", "SEED=7 FOR=1m0s", "\n13 passed, 1 failed\n"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q is not in\n%s", part, text)
			}
		}
	}
}
