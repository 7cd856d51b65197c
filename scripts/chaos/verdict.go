package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/odin-ws/odin/scripts/chaos/check"
)

// verdict is one thing that has to hold over the whole run.
type verdict struct {
	what   string
	broken string // how it did not hold
}

// promise is what a class of faults breaks.
type promise struct {
	class check.Class
	what  string
}

func promises() []promise {
	return []promise{
		{check.Missing, "no gap"},
		{check.Twice, "no duplicate"},
		{check.Disorder, "no reorder"},
		{check.FalselyRecovered, "no false recovered"},
		{check.Phantom, "nothing phantom"},
		{check.Unfounded, "no loss without its reason"},
		{check.Misannounced, "every notice says what was sent"},
		{check.Unfit, "nothing out of the protocol"},
		{check.Stalled, "every client came to the log's end"},
	}
}

// doneOf of the schedule, one in so many, has to be done in time: on a machine
// that has no time for it nothing is proved.
const doneOf = 2

// verdicts are all of them. broken is why the run ended early, if it did.
func verdicts(deeds []deed, t *check.Tally, faults []check.Fault, crashes []string, broken error) (all []verdict) {
	first := map[check.Class]string{}
	for _, f := range faults {
		if first[f.Class] == "" {
			first[f.Class] = f.String()
		}
	}
	for _, p := range promises() {
		all = append(all, verdict{p.what, first[p.class]})
	}
	all = append(all, verdict{"every fault was carried out", undone(deeds)},
		verdict{"no process of odind crashed", strings.Join(crashes[:min(len(crashes), 3)], "; ")})
	for _, v := range []struct{ what, ending string }{
		{"no session ended by an internal fault", "closed with 1011"},
		{"no session ended for what it sent", "closed with 1008"},
	} {
		all = append(all, verdict{v.what, endings(t, v.ending)})
	}
	end := ""
	if broken != nil {
		end = broken.Error()
	}
	return append(all, verdict{"odind did what it was told to", end})
}

// undone tells what of the schedule could not be done, but for what came too
// late.
func undone(deeds []deed) string {
	var why []string
	late := 0
	for _, d := range deeds {
		switch {
		case errors.Is(d.err, errLate):
			late++
		case d.err != nil && !errors.Is(d.err, errEnough) && !errors.Is(d.err, errFew):
			why = append(why, fmt.Sprintf("%s: %v", d.what, d.err))
		}
	}
	if late*doneOf > len(deeds) {
		why = append(why, fmt.Sprintf("for %d of %d there was no time", late, len(deeds)))
	}
	return strings.Join(why, "; ")
}

func endings(t *check.Tally, prefix string) string {
	n := 0
	for reason, count := range t.Endings {
		if strings.HasPrefix(reason, prefix) {
			n += count
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d times", n)
}

// verdict prints them, those that don't hold last, and how many hold.
func (w *world) verdict(out io.Writer, all []verdict) (sound bool) {
	failed := 0
	fmt.Fprintln(out)
	for _, v := range all {
		if v.broken == "" {
			fmt.Fprintln(out, "ok", v.what)
		}
	}
	for _, v := range all {
		if v.broken != "" {
			failed++
			fmt.Fprintf(out, "not ok %s: %s\n", v.what, v.broken)
		}
	}
	if failed > 0 {
		fmt.Fprintf(out, "odind's log is %s, the brokers' are beside it\nthe same faults again: make chaos SEED=%d FOR=%v\n",
			w.odind.file("odind.log"), w.options.seed, w.options.length)
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", len(all)-failed, failed)
	return failed == 0
}
