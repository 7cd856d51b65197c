package status

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/odin-ws/odin/internal/text"
)

// Limits of the text; the JSON has everything.
const (
	widthMin         = 40 // a narrower terminal gets lines of this width
	warningsShownMax = 8
)

// Text writes the status for a terminal, what is wrong first, no line longer
// than width columns. What names contain can't control the terminal.
func (s Status) Text(w io.Writer, width int) error {
	width = max(width, widthMin)
	parts := [][]text.Line{s.head(width), s.Warned(width, warningsShownMax), text.Table(s.workerColumns(), width)}
	if len(s.Partitions) > 0 {
		parts = append(parts, text.Table(s.topicColumns(), width))
	}
	var out strings.Builder
	for i, lines := range parts {
		if i > 0 && len(lines) > 0 {
			out.WriteString("\n")
		}
		for _, line := range lines {
			out.WriteString(line.String() + "\n")
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (s Status) head(width int) []text.Line {
	lines := facts(width, "odind "+s.Version, s.State, "up "+text.Duration(s.UptimeS), fmt.Sprintf("pid %d", s.PID), labelled("node ", s.Node))
	lines = append(lines, facts(width, labelled("clients ", s.Listen), labelled("operator ", s.Operator), labelled("config ", s.ConfigDigest))...)
	lines = append(lines, facts(width, text.Plural(len(s.Workers), "worker"), text.Grouped(s.Sessions)+" sessions",
		text.Grouped(s.Deliveries)+" deliveries", "balance "+text.Decimals(s.Balance))...)
	since := s.SinceStart
	lines = append(lines, facts(width, "since start: "+text.PerSecond(since.Deliveries)+" deliveries/s", text.Throughput(since.Bytes),
		since.Latency.Words())...)
	lines = append(lines, facts(width, s.history()...)...)
	lines = append(lines, facts(width, s.slow()...)...)
	if s.Drain != nil {
		lines = append(lines, facts(width, s.Drain.facts()...)...)
	}
	return lines
}

// history is what can be replayed from memory; that of each worker is in the
// JSON and, where there is room, in its row.
func (s Status) history() []string {
	var held, most, records int64
	oldest := 0.0
	for _, w := range s.Workers {
		held, most, records = held+w.HistoryBytes, most+w.HistoryBytesMax, records+w.HistoryRecords
		oldest = max(oldest, w.HistoryAgeS)
	}
	if most == 0 {
		return nil
	}
	return []string{"history " + text.Size(held) + " of " + text.Size(most), text.Plural(records, "record") + " held", "oldest " + text.Duration(oldest)}
}

// slow is what is worth telling of slow clients, if anything is.
func (s Status) slow() (told []string) {
	var blocked, owed int64
	var closed, dropped uint64
	for _, w := range s.Workers {
		blocked += w.BlockedSessions
		owed += w.OwedBytes
		closed += w.SlowCloses
		dropped += w.SlowDrops
	}
	if blocked > 0 {
		told = append(told, text.Plural(blocked, "session")+" blocked, owed "+text.Size(owed))
	}
	if closed > 0 {
		told = append(told, text.Grouped(closed)+" closed as too slow")
	}
	if dropped > 0 {
		told = append(told, text.Plural(dropped, "record")+" dropped for slow ones")
	}
	return told
}

func labelled(label, value string) string {
	if value == "" {
		return ""
	}
	return label + value
}

func facts(width int, words ...string) []text.Line { return text.Facts(width, text.Cells(words...)...) }

// Warned is the warnings as lines, of the first most of them.
func (s Status) Warned(width, most int) (lines []text.Line) {
	for i, warning := range s.Warnings {
		if i == most {
			return append(lines, text.Line{{Text: fmt.Sprintf("! and %d more", len(s.Warnings)-i), Style: text.Bad}}.Cut(width))
		}
		for j, line := range text.Wrap(text.Plain(warning), width-2) {
			lines = append(lines, text.Line{{Text: []string{"! ", "  "}[min(j, 1)] + line, Style: text.Bad}}.Cut(width))
		}
	}
	return lines
}

func (s Status) workerColumns() []text.Column {
	columns := []text.Column{
		{Title: "WORKER", Right: true},
		{Title: "STATE"},
		{Title: "PID", Right: true, Worth: 6},
		{Title: "UP", Right: true, Worth: 7},
		{Title: "SESSIONS", Right: true},
		{Title: "DELIVERIES", Right: true, Worth: 11},
		{Title: "OWNS", Right: true, Worth: 9},
		{Title: "OWED", Right: true, Worth: 8},
		{Title: "CPU", Right: true, Worth: 5},
		{Title: "MEM", Right: true, Worth: 4},
		{Title: "HISTORY", Right: true, Worth: 3},
		{Title: "OLDEST", Right: true, Worth: 1},
		{Title: "RESPAWNS", Right: true, Worth: 2},
		{Title: "BEAT", Right: true, Worth: 10},
	}
	for _, w := range s.Workers {
		text.Fill(columns, text.Cells(
			strconv.Itoa(w.Slot), text.Plain(w.State), strconv.Itoa(w.PID), w.living(text.Duration(w.UptimeS)), text.Grouped(w.Sessions),
			text.Short(float64(w.Deliveries)), strconv.Itoa(w.Partitions), text.Size(w.OwedBytes), text.Duration(w.CPUS),
			w.living(text.Size(w.ResidentBytes)), w.living(text.Size(w.HistoryBytes)), w.living(text.Duration(w.HistoryAgeS)), text.Grouped(w.Respawns), w.living(age(w.HeartbeatAgeMS)))...)
	}
	return columns
}

// living leaves out what only a living worker has.
func (w Worker) living(cell string) string {
	if !w.Lives() {
		return "-"
	}
	return cell
}
