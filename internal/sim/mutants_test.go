package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// terse names the variable that makes TestSchedules tell a failure in a line.
const terse = "ODIN_SIM_TERSE"

// mutantBudget is how many schedules may pass before a mutant is noticed.
const mutantBudget = 100_000

// mutant is a package of the rules with one of them broken in its source.
type mutant struct {
	name string
	file string // below internal
	old  string // stands there once
	new  string
	from uint64 // a seed, shortly before one that notices it; for the slow ones
}

var mutants = []mutant{
	{"a poll of an earlier term is taken", "replica/receive.go", "case !r.Owns() || t.Term != r.owner.Term:", "case !r.Owns():", 1},
	{"an ADV of an earlier term is taken", "replica/receive.go", "peer != r.owner.Slot || t.Term != r.owner.Term:", "false:", 1},
	{"an ADV of an earlier era is taken", "replica/receive.go", "case t.Era != r.era.Number:\n\t\treturn true, DropOtherEra\n\tcase !r.sought:", "case !r.sought:", 1},
	{"a gap is taken", "replica/receive.go", "case a.Prev > r.held:", "case false:", 1},
	{"a gap is not asked for again", "replica/receive.go", "\treturn r.seek(fx)\n", "\treturn fx\n", 1},
	{"what is held is taken twice", "replica/receive.go", "if rec.Offset <= r.held && rec.Offset > a.Prev {\n\t\t\tcontinue\n\t\t}\n\t\tif rec.Offset <= last || rec.Offset > a.To {", "if rec.Offset > a.To || last < -1 {", 36_000},
	{"LOST goes back", "replica/receive.go", "case l.To <= r.held:", "case false:", 1},
	{"LOST before all is applied", "replica/lose.go", "if r.applied == r.held {", "if true {", 1},
	{"LOST to oneself without a reset", "replica/lose.go", "Kind: Reset, Reason: Trimmed", "Kind: Count, Reason: Trimmed", 1},
	{"what was missed during LOST stays missed", "replica/lose.go", "if missed {", "if missed && false {", 1},
	{"an era keeps the history", "replica/replica.go", "r.jump(e.From-1, e.Epoch)", "r.epoch = e.Epoch", 1},
	{"an era keeps what was cut", "replica/replica.go", "r.positioned && r.held < e.From &&", "r.positioned &&", 1},
	{"a later era keeps what one before it may have cut", "replica/replica.go", "e.Number == r.era.Number+1\n", "true\n", 1},
	{"a leader epoch is passed before the answer", "replica/receive.go", "if r.lineage.stopped {", "if false {", 1},
	{"nothing is fetched after a comparison", "replica/lineage.go", "l.stopped, r.again = false, true\n\treturn r.fetch(fx)", "l.stopped, r.again = false, true\n\treturn fx", 1},
	{"what comes behind a comparison is a defect", "replica/lineage.go", "l.stopped, r.again = false, true", "l.stopped = false", 1},
	{"nothing is in doubt", "replica/lineage.go", "return at.held > r.held", "return false", 1},
	{"nothing that was passed is in doubt", "replica/lineage.go", "return at.held > p.held", "return false", 1},
	{"what is in doubt is only asked for later", "replica/relay.go", "fx = r.suspect(fx, r.epoch, nil)", "_ = r.suspect", 25_000},
	{"what was in doubt is not woken", "replica/lineage.go", "return r.wakeAll(r.suspect(fx, r.epoch, nil))", "return r.suspect(fx, r.epoch, nil)", 1},
	{"a SEEK of an earlier term is taken", "replica/relay.go", "|| s.Term != r.owner.Term ", "", 1},
	{"a SEEK of an earlier era is taken", "replica/relay.go", " || s.Era != r.era.Number", "", 1},
	{"subscriptions outlive the term", "replica/replica.go", "\tr.owner = o\n\tr.lapse()\n", "\tr.owner = o\n\tr.unseek()\n", 1},
	{"subscriptions outlive the era", "replica/replica.go", "\tr.logStart = 0\n\tr.lapse()\n", "\tr.unseek()\n", 1},
	{"subscriptions outlive the link", "replica/link.go", "\tr.links[peer] = link{up: true}\n", "\tr.links[peer].up = true\n", 1},
	{"a new link is not asked", "replica/link.go", "\t\tr.unseek()\n\t\treturn r.seek(fx)\n", "\t\tr.unseek()\n", 1},
	{"a new era is not asked for", "replica/replica.go", "return r.begin(count(fx, EraChanges, 1))", "return count(fx, EraChanges, 1)", 1},
	{"a fresh worker is not answered while idle", "replica/relay.go", "return l.asked == askedFresh || l.asked == askedFrom && l.sentTo < r.held", "return l.asked != askedNothing && l.sentTo < r.held", 1},
	{"the history is relayed below its beginning", "replica/relay.go", "case next >= r.window.from:", "case next >= 0:", 1},
	{"a batch is cut without its leader epoch", "replica/relay.go", "to, epoch = last.Offset, last.Epoch\n", "to = last.Offset\n", 1},
	{"an empty batch is not relayed", "replica/relay.go", "\ts.relay.records = records\n\tb :=", "\ts.relay.records = records\n\tif len(records) == 0 {\n\t\treturn Batch{}\n\t}\n\tb :=", 1},
	{"a link stays awake for ever", "replica/relay.go", "\t\tl.awake = false\n\t\treturn Batch{}, fx\n", "\t\treturn Batch{}, fx\n", 1},
	{"a range is relayed as more than was read", "replica/span.go", "return r.advance(l, s.to, s.epoch, s.records[from:])", "return r.advance(l, r.window.from-1, s.epoch, s.records[from:])", 1},
	{"a range of an earlier term is taken", "replica/span.go", "drop, c := r.foreign(a.Tag); drop {", "drop, c := r.foreign(a.Tag); drop && false {", 173_000},
	{"what waits for a range is forgotten", "replica/span.go", "\t\tl.wants = false\n\t\tfx = r.wake(fx, peer)\n", "\t\tl.wants = false\n", 1},
	{"what the log lost is relayed as a hole", "replica/relay.go", "case next < r.logStart:", "case false:", 1},
	{"a fresh owner takes the position of another era", "replica/apply.go", "if p.Era == r.era.Number && !p.Kept && (", "if !p.Kept && (", 1},
	{"a fresh owner ignores what was published", "replica/apply.go", "if best >= 0 {", "if false {", 25_000},
	{"a fetch without its leader epoch", "replica/replica.go", "From: r.held + 1, Epoch: r.epoch,", "From: r.held + 1, Epoch: event.NoEpoch,", 1},
	{"a fetch from the wrong offset", "replica/replica.go", "Kind: Fetch, From: r.held + 1,", "Kind: Fetch, From: r.held + 2,", 1},
	{"trimming above what is applied, by bytes", "replica/window.go", "if w.applied == w.len {\n\t\treturn 0, false\n", "if w.applied <= w.len {\n\t\treturn 0, false\n", 1},
	{"trimming above what is applied, by records", "replica/store.go", "w.len > s.limits.Records && w.applied > 0 {", "w.len > s.limits.Records {", 1},
	{"trimming without moving from", "replica/window.go", "w.from = w.at(0).offset + 1", "_ = w.at(0).offset + 1", 1},
	{"a chunk's number is used again", "replica/store.go", "\ts.oldest++\n", "\tif len(s.chunks) > 0 {\n\t\ts.oldest++\n\t}\n", 1},
	{"a session that is ahead skips nothing", "resume/onward.go", "ahead = true", "ahead = false", 1},
	{"a session goes live while it lacks something", "resume/onward.go", "case d > 0:", "case d > 2:", 1},
	{"a cursor of another epoch is taken", "resume/judge.go", "case s.Incarnation == Other, s.Incarnation == Earlier && !s.spares(c):", "case false:", 1},
	{"what lies below the history is taken to be in it", "resume/judge.go", "case next >= s.From &&", "case next >= 0 &&", 1},
	{"a fill of an earlier era is waited for", "backfill/past.go", "p.era != now.Era || p.owner", "p.owner", 1},
	{"a fill outlives its owner", "backfill/past.go", "|| p.owner != now.Owner || p.link != now.way())", ")", 1},
	{"the past of another era is replayed", "backfill/past.go", "if p.kept == nil || p.keptEra != era {", "if p.kept == nil {", 1},
	{"a part of an answer is taken that begins too high", "backfill/past.go", "m.Prev != to {", "m.Prev < min(to, -1) {", 1},
	{"what left a history is inherited behind a gap", "replica/past.go", " || p.to+1 < w.from {", " {", 70_000},
	{"what is kept joins what does not reach it", "replica/past.go", "if above.window.from <= p.to+1 {", "if true {", 1},
	{"a topic that can't be proven does not refuse the others", "resume/judge.go", "case worst != None:", "case worst != None && len(claims) == 1:", 1},
	{"a log without an id proves something", "resume/judge.go", "return s.Identified && (s.Incarnation == Same || s.Incarnation == Earlier)", "return s.Incarnation == Same || s.Incarnation == Earlier", 1},
	{"what a cut took is taken to be there", "resume/judge.go", "c.Offset < s.Era.From", "c.Offset <= s.Era.From", 1},
	{"eras of which only the last is known spare what that spares", "resume/judge.go", "switch min(s.Since, uint64(s.Era.Number)) {", "switch min(s.Since, uint64(s.Era.Number), 1) {", 1},
	{"a cut is taken to be another partition's", "resume/judge.go", "switch min(s.Since, uint64(s.Era.Number)) {", "switch min(s.Since-1, uint64(s.Era.Number)) {", 1},
	{"a last_offset outlives an era", "resume/judge.go", "(!s.Unbroken || !s.Identified)", "!s.Identified", 1},
	{"a last_offset proves something without an id", "resume/judge.go", "(!s.Unbroken || !s.Identified)", "!s.Unbroken", 28_000},
	{"fewer of the newest than were asked for", "replica/channels.go", "\t\t\tmost--\n", "\t\t\tmost -= 2\n", 1},
	{"a gap is announced behind the next record", "hub/shed.go", "func(r *run) bool { return samePartition(r.of, u.head) || r.names(u.head.Channel) }", "func(*run) bool { return false }", 1},
	{"a gap is announced behind the channel's next record of another partition", "hub/shed.go", " || r.names(u.head.Channel)", "", 1},
	{"a cursor covers what is dropped and not announced", "hub/shed.go", "\t\tdefault:\n\t\t\ts.Notices += q.tell(&missing, func(*run) bool { return true })", "\t\tdefault:", 1},
	{"a gap covers what another is yet to announce", "hub/shed.go", "n, at := &r.notices[i], r.before", "n, at := &r.notices[i], r.notices[i].last", 1},
	{"a gap covers the first that it announces", "hub/shed.go", "before: u.head.Offset - 1}", "before: u.head.Offset}", 1},
	{"a gap that joins another counts as one record", "hub/shed.go", "max(u.head.Dropped, 1)", "1", 1},
	{"a dropped record is not counted", "hub/shed.go", "\tn.dropped += max(u.head.Dropped, 1)", "\tn.dropped = max(u.head.Dropped, 1)", 1},
	{"the newest are dropped", "hub/shed.go", "for i := 0; i < len(units) && excess > 0; i++ {", "for i := len(units) - 1; i >= 0 && excess > 0; i-- {", 1},
	{"what ranks higher is dropped first", "hub/shed.go", "{DropNormal, DropHigh}", "{DropHigh, DropNormal}", 1},
	{"the oldest of a channel is kept", "hub/shed.go", "for i := len(units) - 1; i >= 0; i-- {", "for i := range units {", 1},
	{"applied runs ahead", "replica/apply.go", "\tr.window.apply(r.applied)\n", "\tr.applied = r.held\n\tr.window.apply(r.applied)\n", 1},
}

var seedFails = regexp.MustCompile(`seed \d+ fails after (\d+): ([^:]*)|panic: .*`)

// TestMutants builds each mutant and lets it run this package's schedules.
func TestMutants(t *testing.T) {
	for _, m := range mutants[:some()] {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			binary := buildMutant(t.Context(), t, m)
			var seen sightings
			for i := range runs(t) {
				seen = append(seen, hunt(t, binary, m.from+i*farther))
			}
			t.Logf("| %s | %s |", m.name, seen)
		})
	}
}

// hunt runs a mutant until it is noticed.
func hunt(t *testing.T, binary string, from uint64) sighting {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, binary, "-test.run=^TestSchedules$")
	run.Env = append(os.Environ(), terse+"=1", "ODIN_SIM_FOR=", fmt.Sprintf("ODIN_SIM_SCHEDULES=%d", mutantBudget), fmt.Sprintf("ODIN_SIM_SEED=%d", from))
	out, err := run.CombinedOutput()
	found := seedFails.FindSubmatch(out)
	if err == nil || found == nil {
		t.Fatalf("not noticed in %d schedules from %d: %v\n%s", mutantBudget, from, err, out[:min(len(out), 2000)])
	}
	after, _ := strconv.Atoi(string(found[1]))
	if len(found[2]) == 0 {
		return sighting{after, "panic"}
	}
	return sighting{after, string(found[2])}
}

// some is how many mutants there is time for.
func some() int {
	if testing.Short() {
		return 6
	}
	return len(mutants)
}

// buildMutant compiles this package's tests against the mutant.
func buildMutant(ctx context.Context, t *testing.T, m mutant) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		t.Fatalf("%s has %q %d times: the mutant has to follow the source", m.file, m.old, n)
	}
	dir := t.TempDir()
	mutated := filepath.Join(dir, filepath.Base(m.file))
	writeFile(t, mutated, []byte(strings.Replace(string(source), m.old, m.new, 1)))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "overlay.json"), overlay)
	binary := filepath.Join(dir, "mutant.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-s -w",
		"-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v\n%s", err, out)
	}
	return binary
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
