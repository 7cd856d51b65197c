package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/internal/text"
)

// The levels of findings, and the verdicts.
const (
	wrong = "wrong" // records don't arrive because of it
	look  = "look"  // it may be the cause
	fine  = "fine"
)

// finding is something that may keep records from arriving.
type finding struct {
	Level string `json:"level"` // wrong or look
	Text  string `json:"text"`  // in words, which may change
}

// What is taken for normal under load.
const (
	lagPatience  = 5 * time.Second // that a partition lags
	heldPatience = 1000            // records that a worker is behind the owner
	beatPatience = 2 * time.Second // without a heartbeat
)

func (x *explained) find(level, format string, args ...any) {
	x.Findings = append(x.Findings, finding{level, fmt.Sprintf(format, args...)})
}

// judge finds what looks wrong, along the way of a record.
func (x *explained) judge(s *status.Status) {
	if x.judgeChannel() {
		x.judgeTopics()
		for i := range x.Partitions {
			x.judgePartition(&x.Partitions[i], s)
		}
		x.judgeRecords()
		x.judgeSessions(s)
	}
	x.judgeRest(s)
	slices.SortStableFunc(x.Findings, func(a, b finding) int { return strings.Compare(b.Level, a.Level) }) // wrong, look
	x.Verdict = fine
	if len(x.Findings) > 0 {
		x.Verdict = x.Findings[0].Level
	}
}

// judgeChannel tells whether it is worth while to look further.
func (x *explained) judgeChannel() bool {
	if _, _, err := event.SplitPattern([]byte(x.Channel)); err != nil {
		x.find(wrong, "%.80q is neither a channel nor a pattern: %v%s", x.Channel, err, x.suggestion())
		return false
	}
	if len(x.Routes) == 0 && len(x.events) > 0 {
		_, name, _ := strings.Cut(x.Channel, ".")
		x.find(wrong, "no route leads to *.%s: the events of the routes are %s%s", name, strings.Join(x.events, ", "), meant(config.Nearest(name, x.events)))
		return false
	}
	return true
}

// suggestion is the channel that a subject alone may mean.
func (x *explained) suggestion() string {
	if event.CheckPart([]byte(x.Channel)) != nil || len(x.events) == 0 {
		return ""
	}
	return meant(x.Channel + "." + x.events[0])
}

func meant(word string) string {
	if word == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", word)
}

func (x *explained) judgeTopics() {
	for _, r := range x.Routes {
		if r.Partitions == 0 {
			x.find(wrong, "topic %s has no partition: the brokers don't have it, or can't be reached", r.Topic)
		}
	}
}

func (x *explained) judgePartition(p *explainedPartition, s *status.Status) {
	name := event.Partition{Topic: p.Topic, Number: p.Partition.Partition}.String()
	if p.Owner == nil {
		x.find(wrong, "nobody reads %s: it has no owner", name)
		return
	}
	owner := s.Workers[*p.Owner]
	if silent := time.Duration(owner.HeartbeatAgeMS) * time.Millisecond; silent > beatPatience {
		x.find(wrong, "worker %d, which reads %s, has shown no sign of life for %s", owner.Slot, name, text.Duration(silent.Seconds()))
	}
	switch {
	case p.LagS <= lagPatience.Seconds():
	case p.Lag == 0:
		x.find(wrong, "nothing has been heard of %s for %s", name, text.Duration(p.LagS))
	default:
		x.find(wrong, "%s lags: %s behind what the broker has, for %s", name, text.Plural(p.Lag, "record"), text.Duration(p.LagS))
	}
	for _, h := range p.Held {
		switch {
		case s.Workers[h.Worker].State != status.Ready:
		case !h.Positioned:
			x.find(wrong, "worker %d has no position in %s", h.Worker, name)
		case p.Position-h.Applied > heldPatience:
			x.find(look, "worker %d has given its sessions %s only up to %d: %s behind worker %d, which reads it",
				h.Worker, name, h.Applied, text.Plural(p.Position-h.Applied, "record"), *p.Owner)
		}
	}
}

func (x *explained) judgeRecords() {
	x.judgePlaces()
	var held, searched []int
	incomplete := false
	similar := map[string]bool{}
	for _, w := range x.Workers {
		if len(w.Found) > 0 {
			held = append(held, w.Worker)
		} else {
			searched = append(searched, w.Worker)
			incomplete = incomplete || !w.Complete
		}
		for _, s := range w.Similar {
			similar[s] = true
		}
	}
	switch {
	case len(searched) == 0 || len(x.Routes) == 0:
	case len(held) > 0:
		x.find(look, "%s no record of it in the history, %s", numbered("worker", searched, "has", "have"), numbered("worker", held, "has", "have"))
	case incomplete:
		x.find(look, "no record of it among the newest %s of the history that were looked at", text.Grouped(x.Workers[0].Searched))
	default:
		x.find(look, "no record of it in the history: nothing was produced lately, or with another key")
	}
	if len(held) == 0 && len(similar) > 0 {
		x.find(wrong, "there are records of %s: a channel is written exactly as its key", strings.Join(slices.Sorted(maps.Keys(similar)), ", "))
	}
}

// judgePlaces looks whether one key's records are in several partitions.
func (x *explained) judgePlaces() {
	places := map[string]map[string]bool{}
	for _, w := range x.Workers {
		for _, f := range w.Found {
			if places[f.Topic] == nil {
				places[f.Topic] = map[string]bool{}
			}
			places[f.Topic][event.Partition{Topic: f.Topic, Number: f.Partition}.String()] = true
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(places)) {
		if !x.Pattern && len(places[topic]) > 1 {
			x.find(look, "its records are in %s, and between partitions there is no order", strings.Join(slices.Sorted(maps.Keys(places[topic])), ", "))
		}
	}
}

// numbered is like "worker 1 has" or "workers 1, 2 have".
func numbered(one string, list []int, singular, plural string) string {
	verb := plural
	if len(list) == 1 {
		verb = singular
	}
	return text.Noun(len(list), one) + " " + strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ", "), "[]") + " " + verb
}

func (x *explained) judgeSessions(s *status.Status) {
	behind, resuming, slow, drops := 0, 0, uint64(0), uint64(0)
	for _, w := range x.Workers {
		behind, resuming = behind+w.Behind, resuming+w.Resuming
	}
	for _, w := range s.Workers {
		slow, drops = slow+w.SlowCloses, drops+w.SlowDrops
	}
	switch {
	case x.Sessions > 0 || len(x.Workers) == 0:
	case resuming > 0:
		x.find(look, "nobody gets it live yet: %s given what was missed first", counted(uint64(resuming), "session is", "sessions are"))
	default:
		x.find(wrong, "no session subscribes to it")
	}
	if behind > 0 {
		x.find(look, "%s of %s are behind, their sockets are full: odinctl conns --slow --channel '%s'", text.Grouped(behind), text.Plural(x.Sessions, "session"), x.Channel)
	}
	if slow > 0 {
		x.find(look, "%s closed as too slow since the start: who comes back without a cursor misses what came meanwhile: odinctl conns --closed --slow", counted(slow, "session was", "sessions were"))
	}
	if drops > 0 {
		x.find(look, "%s dropped for slow sessions since the start, and announced to them (gap)", counted(drops, "record was", "records were"))
	}
}

func counted(n uint64, singular, plural string) string {
	if n == 1 {
		return "1 " + singular
	}
	return text.Grouped(n) + " " + plural
}

// judgeRest is what concerns all channels.
func (x *explained) judgeRest(s *status.Status) {
	if len(x.Missing) > 0 {
		x.find(look, "%s not answer: stuck, or just ended; its sessions are not counted", numbered("worker", x.Missing, "did", "did"))
	}
	if len(x.Skipped) > 0 {
		sum, reasons := uint64(0), []string{}
		for _, reason := range slices.SortedFunc(maps.Keys(x.Skipped), func(a, b string) int { return cmp.Compare(x.Skipped[b], x.Skipped[a]) }) {
			sum += x.Skipped[reason]
			reasons = append(reasons, reason+" "+text.Grouped(x.Skipped[reason]))
		}
		x.find(look, "%s skipped since the start, because no route could place them: %s", counted(sum, "record was", "records were"), strings.Join(reasons, ", "))
	}
	for _, warning := range s.Warnings {
		x.find(look, "odinctl status warns: %s", warning)
	}
}
