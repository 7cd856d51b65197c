package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/odin-ws/odin/scripts/chaos/check"
)

// report prints the summary, and how the first faults came about.
func (w *world) report(t *check.Tally, faults []check.Fault) {
	fmt.Printf("\n== chaos, seed %d, %v\n", w.options.seed, time.Since(w.began).Round(time.Second))
	kinds, done, skipped := map[string]int{}, 0, 0
	for _, d := range w.deeds {
		if d.err != nil {
			skipped++
			continue
		}
		done++
		kinds[d.what]++
	}
	fmt.Printf("faults: %d done, %d could not be: %s\n", done, skipped, counts(kinds))
	records, incarnations, cuts := 0, 0, 0
	for _, i := range w.ledger.log {
		incarnations++
		for _, p := range i.Partitions {
			records += len(p)
		}
		for _, p := range i.Cuts {
			cuts += len(p)
		}
	}
	fmt.Printf("log: %d records in %d topics, made anew %d times, cut %d times\n", records, len(w.topics), incarnations-len(w.topics), cuts)
	fmt.Printf("clients: %d, %d connections, %d subscribed, %d reconnected\n", len(w.clients), t.Connections, t.Subscribes, t.Resumes)
	fmt.Printf("deliveries: %d, of these replayed %d; %d announced as dropped in %d gaps\n", t.Deliveries, t.Replayed, t.Dropped, t.Gaps)
	fmt.Printf("resumes: %d recovered, %d not: %s\n", t.Recovered, t.Resumes-t.Recovered, counts(t.Refused))
	fmt.Printf("resets: %s\n", counts(t.Resets))
	fmt.Printf("endings: %s\n", counts(t.Endings))
	classes := map[check.Class]int{}
	for _, f := range faults {
		classes[f.Class]++
	}
	fmt.Printf("result: %d gaps, %d duplicates, %d reorders, %d false recovered, %d others\n", classes[check.Missing], classes[check.Twice],
		classes[check.Disorder], classes[check.FalselyRecovered],
		len(faults)-classes[check.Missing]-classes[check.Twice]-classes[check.Disorder]-classes[check.FalselyRecovered])
	w.explain(faults)
}

// counts is "a 3, b 1", the most frequent first.
func counts[K ~string](m map[K]int) string {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b K) int {
		if m[a] != m[b] {
			return m[b] - m[a]
		}
		return strings.Compare(string(a), string(b))
	})
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%s %d", k, m[k])
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

const (
	listedMax    = 100
	explainedMax = 6
	before       = 8                // events of the same partition
	after        = 4                // of them
	recent       = 30 * time.Second // faults that may be the cause
)

// explain lists what is wrong, and shows the first of each class.
func (w *world) explain(faults []check.Fault) {
	shown := map[check.Class]int{}
	for i, f := range faults {
		if i == listedMax {
			fmt.Printf("and %d more\n", len(faults)-i)
			break
		}
		fmt.Println(f)
	}
	for _, f := range faults {
		if shown[f.Class]++; shown[f.Class] <= 2 && len(shown) <= explainedMax {
			w.history(os.Stdout, f)
		}
	}
}

// history prints what the client heard of the partition around a fault, what
// the log has there, and what was done to the system before.
func (w *world) history(out io.Writer, f check.Fault) {
	i := slices.IndexFunc(w.clients, func(c *client) bool { return c.stream.Name == f.Stream })
	s := &w.clients[i].stream
	fmt.Fprintf(out, "\n-- %s\n   at %s by the clock of %s\n   it asks for %v\n",
		f, w.began.Add(f.At).Format("15:04:05.000"), w.odind.file("odind.log"), s.Channels)
	for _, d := range w.deeds {
		if d.at+d.took > f.At-recent && d.at < f.At {
			fmt.Fprintf(out, "   %8.3fs for %.1fs: %s\n", d.at.Seconds(), d.took.Seconds(), d.what)
		}
	}
	var lines []string
	at := 0
	for n, e := range s.Events {
		if line, ok := w.line(s, &e, f); ok {
			if n <= f.Event {
				at = len(lines)
			}
			lines = append(lines, fmt.Sprintf("   %8.3fs #%d %s", float64(e.At)/1000, n, line))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintln(out, strings.Join(lines[max(0, at-before):min(len(lines), at+1+after)], "\n"))
	}
	for id, inc := range w.ledger.log {
		if inc.Topic == f.Pos.Topic && f.Pos.Partition < len(inc.Cuts) {
			for _, c := range inc.Cuts[f.Pos.Partition] {
				fmt.Fprintf(out, "   log of %s: was cut at %d at %8.3fs, when it had come to %d\n", id[:8], c.From, c.At.Seconds(), c.Last)
			}
		}
		for _, e := range w.ledger.around(inc, f.Pos.Partition, f.Pos.Offset) {
			if inc.Topic == f.Pos.Topic {
				fmt.Fprintf(out, "   log of %s: %d %s\n", id[:8], e.Offset, w.ledger.names.Channels[e.Channel])
			}
		}
	}
}

// line is an event in words, if it has to do with the fault.
func (w *world) line(s *check.Stream, e *check.Event, f check.Fault) (string, bool) {
	if e.Note == check.NoNote {
		mine := f.Pos.Topic == "" || w.ledger.names.Topics[e.Topic] == f.Pos.Topic && int(e.Partition) == f.Pos.Partition
		return fmt.Sprintf("record %d of %s", e.Offset, w.ledger.names.Channels[e.Channel]), mine
	}
	n := s.Notes[e.Note]
	if c, ok := n.Cursor[f.Pos.Topic]; ok {
		return fmt.Sprintf("%v, cursor %s", n, text(c.Epoch, f.Pos.Partition, c.Offsets)), true
	}
	return n.String(), n.Kind != check.Gap || f.Pos.Topic == "" || n.Pos.Topic == f.Pos.Topic && n.Pos.Partition == f.Pos.Partition
}

func text[O ~int64](epoch string, partition int, offsets []O) string {
	if partition >= len(offsets) {
		return fmt.Sprintf("%s of %d partitions", epoch, len(offsets))
	}
	return fmt.Sprintf("%s at %d", epoch, offsets[partition])
}
