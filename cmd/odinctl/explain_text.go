package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/text"
)

// partitionsShown is how many partitions a person looks at; JSON has them all.
const partitionsShown = 8

// text says it to people.
func (x *explained) text(width int) []string {
	s := &sheet{width: width}
	if x.Valid {
		kind := "a channel"
		if x.Pattern {
			kind = "a pattern"
		}
		s.fact("channel", "%s, %s", x.Channel, kind)
		x.routeFacts(s)
		if len(x.Routes) > 0 {
			x.partitionFacts(s)
			x.recordFacts(s)
		}
		x.sessionFacts(s)
	}
	x.verdictFacts(s)
	return s.lines
}

func (x *explained) routeFacts(s *sheet) {
	name := "routes"
	for _, r := range x.Routes {
		s.fact(name, "%s: %s, slow %s, class %s", r.Topic, r.Channel, r.Slow, r.Class)
		name = ""
		subject, _, _ := strings.Cut(x.Channel, ".")
		switch {
		case r.Partition >= 0:
			s.fact("", "key %s belongs to partition %d of %d, if its producer uses Kafka's default partitioner (murmur2)", subject, r.Partition, r.Partitions)
		case !r.Keyed && subject != "*":
			s.fact("", "the subject isn't the key, so its records may be in any of %s", text.Plural(r.Partitions, "partition"))
		}
	}
}

// partitionFacts shows those first that need a look.
func (x *explained) partitionFacts(s *sheet) {
	if len(x.Partitions) == 0 {
		return
	}
	worst := slices.Clone(x.Partitions)
	slices.SortStableFunc(worst, func(a, b explainedPartition) int {
		if (a.Owner == nil) != (b.Owner == nil) {
			return map[bool]int{true: -1, false: 1}[a.Owner == nil]
		}
		return cmp.Or(cmp.Compare(b.LagS, a.LagS), cmp.Compare(b.Lag, a.Lag))
	})
	table := []text.Column{
		{Title: "PARTITION"},
		{Title: "OWNER", Right: true},
		{Title: "POSITION", Right: true},
		{Title: "LAG", Right: true},
		{Title: "GIVEN TO SESSIONS, BY WORKER"},
	}
	for _, p := range worst[:min(len(worst), partitionsShown)] {
		owner := "nobody"
		if p.Owner != nil {
			owner = strconv.Itoa(*p.Owner)
		}
		lag := text.Grouped(p.Lag)
		if p.LagS > 0 {
			lag += " " + text.Duration(p.LagS)
		}
		name := event.Partition{Topic: p.Topic, Number: p.Partition.Partition}.String()
		text.Fill(table, text.Cells(text.Fit(name, 32), owner, offset(p.Position), lag, text.Fit(given(p.Held), 28))...)
	}
	s.lines = append(s.lines, "")
	s.lines = append(s.lines, text.Strings(text.Table(table, s.width))...)
	if more := len(worst) - partitionsShown; more > 0 {
		s.lines = append(s.lines, "and "+text.Plural(more, "more partition"))
	}
	s.lines = append(s.lines, "")
}

func given(held []explainedPosition) string {
	var words []string
	for _, h := range held {
		word := "-"
		if h.Positioned {
			word = offset(h.Applied)
		}
		words = append(words, word)
	}
	if slices.Min(words) == slices.Max(words) && len(words) > 1 {
		return words[0] + " by all"
	}
	return strings.Join(words, " ")
}

func (x *explained) recordFacts(s *sheet) {
	name := "last record"
	for _, w := range x.Workers {
		line := fmt.Sprintf("none among %s of the history", text.Plural(w.Searched, "record"))
		if len(w.Found) > 0 {
			f := w.Found[0]
			line = fmt.Sprintf("%s %s, made %s ago", f.Channel, event.Partition{Topic: f.Topic, Number: f.Partition}.String()+":"+strconv.FormatInt(f.Offset, 10), ago(f.TimeMS, x.now))
		} else if w.OldestMS > 0 {
			line += ", made since " + ago(w.OldestMS, x.now) + " ago"
		}
		s.fact(name, "worker %d: %s", w.Worker, line)
		name = ""
	}
}

func (x *explained) sessionFacts(s *sheet) {
	name := "sessions"
	for _, w := range x.Workers {
		var by []string
		for _, p := range w.Patterns {
			by = append(by, text.Grouped(p.Sessions)+" by "+p.Pattern)
		}
		line := fmt.Sprintf("worker %d: %s", w.Worker, text.Grouped(w.Sessions))
		if len(by) > 0 {
			line += " (" + strings.Join(by, ", ") + ")"
		}
		if w.Resuming > 0 {
			line += ", " + text.Grouped(w.Resuming) + " resuming"
		}
		if w.Behind > 0 {
			line += ", " + text.Grouped(w.Behind) + " behind"
		}
		s.fact(name, "%s", line)
		name = ""
	}
}

func (x *explained) verdictFacts(s *sheet) {
	name := "verdict"
	for _, f := range x.Findings {
		s.fact(name, "%s: %s", map[string]string{wrong: "WRONG", look: "look at this"}[f.Level], f.Text)
		name = ""
	}
	if len(x.Findings) == 0 {
		s.fact(name, "nothing looks wrong")
	}
}
