package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/text"
)

// reasonMin is how many columns the reasons of closed sessions have at least.
const reasonMin = 18

// connsText is a table of sessions, and how many more there are.
func connsText(list []control.Connection, total connsTotal, closed bool, now time.Time, width int) []string {
	what := "session"
	table := liveTable(list, now)
	if closed {
		what = "closed session"
		table = closedTable(list, now, width)
	}
	var lines []string
	if len(list) > 0 {
		lines = text.Strings(text.Table(table, width))
	}
	line := fmt.Sprintf("%s of %s shown", text.Grouped(total.Shown), text.Plural(total.Matching, what))
	if total.Looked > total.Matching {
		line = fmt.Sprintf("%s of %s matching shown, of %s in all", text.Grouped(total.Shown), text.Grouped(total.Matching), text.Plural(total.Looked, what))
	}
	return append(lines, line)
}

func liveTable(list []control.Connection, now time.Time) []text.Column {
	table := []text.Column{
		{Title: "ID"},
		{Title: "ADDRESS"},
		{Title: "AGE", Right: true, Worth: 5},
		{Title: "STATE", Worth: 6},
		{Title: "DEFLATE", Worth: 1},
		{Title: "CHANNELS", Right: true, Worth: 2},
		{Title: "RECORDS", Right: true, Worth: 4},
		{Title: "SENT", Right: true, Worth: 3},
		{Title: "OWED", Right: true, Worth: 7},
	}
	for i := range list {
		c := &list[i]
		text.Fill(table, text.Cells(
			c.ID.String(), c.Remote.String(), ago(c.OpenedMS, now), c.State, deflated(c), text.Grouped(c.Channels),
			text.Short(float64(c.Records)), text.Size(int64(c.Bytes)), text.Size(int64(c.OwedBytes)),
		)...)
	}
	return table
}

func closedTable(list []control.Connection, now time.Time, width int) []text.Column {
	table := []text.Column{
		{Title: "ID"},
		{Title: "ADDRESS"},
		{Title: "ENDED", Right: true, Worth: 6},
		{Title: "LASTED", Right: true, Worth: 2},
		{Title: "RECORDS", Right: true, Worth: 3},
		{Title: "OWED", Right: true, Worth: 4},
		{Title: "CODE", Right: true, Worth: 5},
	}
	for i := range list {
		c := &list[i]
		text.Fill(table, text.Cells(
			c.ID.String(), c.Remote.String(), ago(c.ClosedMS, now), text.Duration(float64(c.ClosedMS-c.OpenedMS)/1000),
			text.Short(float64(c.Records)), text.Size(int64(c.OwedBytes)), strconv.Itoa(c.Code),
		)...)
	}
	reasons := text.Column{Title: text.Fit("REASON", reasonMin)}
	room := width - text.Table(slices.Clone(table), width-reasonMin-2)[0].Width() - 2
	for i := range list {
		reasons.Cells = append(reasons.Cells, text.Span{Text: text.Fit(ended(&list[i]), max(room, reasonMin))})
	}
	return append(table, reasons)
}

// deflated tells in a word whether a session agreed on compression.
func deflated(c *control.Connection) string {
	if c.Window == 0 {
		return "no"
	}
	return "yes"
}

// compression tells what is compressed for a session.
func compression(c *control.Connection) string {
	if c.Window == 0 {
		return "none was agreed on"
	}
	return "permessage-deflate, with a window of " + text.Size(1<<c.Window)
}

// ended is why a session ended, in words.
func ended(c *control.Connection) string {
	if c.Detail == "" {
		return c.Reason.Words()
	}
	return c.Reason.Words() + ": " + text.Plain(c.Detail)
}

func ago(ms int64, now time.Time) string {
	return text.Duration(float64(max(now.UnixMilli()-ms, 0)) / 1000)
}

// when is a moment, and how long ago it was or how soon it will be.
func when(ms int64, now time.Time) string {
	at := time.UnixMilli(ms)
	if at.After(now) {
		return "in " + text.Duration(at.Sub(now).Seconds())
	}
	return at.Format("2006-01-02 15:04:05.000") + ", " + ago(ms, now) + " ago"
}

// sheet is a page of facts, each with its name.
type sheet struct {
	width int
	lines []string
}

// nameWidth is how many columns the names have, and factMin how many the facts
// have at least.
const (
	nameWidth = 12
	factMin   = 20
)

func (s *sheet) fact(name, format string, args ...any) {
	for i, line := range text.Wrap(text.Plain(fmt.Sprintf(format, args...)), max(s.width-nameWidth, factMin)) {
		if i > 0 {
			name = ""
		}
		s.lines = append(s.lines, fmt.Sprintf("%-*s%s", nameWidth, name, line))
	}
}

// sessionText is all that is known of one session.
func sessionText(a *sessionAnswer, now time.Time, width int) []string {
	s := &sheet{width: width}
	s.fact("session", "%s, %s", a.ID, a.State)
	s.fact("address", "%s", a.Remote)
	if a.Client != "" {
		s.fact("client", "%s", a.Client)
	}
	s.fact("opened", "%s", when(a.OpenedMS, now))
	if a.ClosedMS > 0 {
		s.fact("closed", "%s, after %s", when(a.ClosedMS, now), text.Duration(float64(a.ClosedMS-a.OpenedMS)/1000))
	}
	if a.Reason != "" {
		s.fact("reason", "%d, %s", a.Code, ended(&a.Connection))
	}
	s.fact("compression", "%s", compression(&a.Connection))
	s.fact("delivered", "%s, %s sent in all, %s dropped", text.Plural(a.Records, "record"), text.Size(int64(a.Bytes)), text.Grouped(uint64(a.Dropped)))
	s.fact("received", "%s, %s", text.Plural(uint64(a.Requests), "message"), text.Size(int64(a.BytesIn)))
	if a.ClosedMS > 0 {
		s.fact("owed", "%s when it began to end", text.Size(int64(a.OwedBytes)))
		s.fact("channels", "%s when it began to end", text.Grouped(a.Channels))
		s.fact("pong", "%s", pong(a, now))
		return s.lines
	}
	s.fact("owed", "%s, %s (%s of it answers) in %s", text.Plural(uint64(a.OwedRecords), "record"), text.Size(int64(a.OwedBytes)), text.Size(int64(a.OwnBytes)), text.Plural(a.Pieces, "piece"))
	s.fact("requests", "%s wrong in this window, %s of an incomplete one", text.Grouped(uint64(a.Errors)), text.Size(int64(a.PartialBytes)))
	s.fact("ping", "%s", ping(a, now))
	s.fact("pong", "%s", pong(a, now))
	s.fact("channels", "%s", text.Grouped(a.Channels))
	for _, pattern := range a.Patterns {
		s.fact("", "%s", pattern)
	}
	for _, topic := range slices.Sorted(maps.Keys(a.Cursor)) {
		s.fact("cursor", "%s, epoch %s", topic, a.Cursor[topic].Epoch)
		s.fact("", "%s", offsets(a.Cursor[topic].Offsets))
	}
	return s.lines
}

func ping(a *sessionAnswer, now time.Time) string {
	if a.PongDueMS > 0 {
		return "sent, and the pong is awaited for " + text.Duration(max(time.UnixMilli(a.PongDueMS).Sub(now).Seconds(), 0)) + " more"
	}
	return "the next " + when(a.PingMS, now)
}

func pong(a *sessionAnswer, now time.Time) string {
	if a.PongMS == 0 {
		return "none yet"
	}
	return "the last " + when(a.PongMS, now)
}

// offsets is a cursor's entries by partition.
func offsets(list []int64) string {
	words := ""
	for partition, at := range list {
		words += fmt.Sprintf(" %d:%s", partition, offset(at))
	}
	return words
}

// offset is a position in a partition.
func offset(at int64) string {
	switch at {
	case -1:
		return "none"
	case -2:
		return "unknown"
	}
	return strconv.FormatInt(at, 10)
}
