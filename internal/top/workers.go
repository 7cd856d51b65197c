package top

import (
	"strconv"
	"strings"

	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/internal/text"
)

func (m *Model) workerColumns() []text.Column {
	columns := []text.Column{
		{Title: "WORKER", Right: true},
		{Title: "STATE", Worth: 20},
		{Title: "PID", Right: true, Worth: 3},
		{Title: "UP", Right: true, Worth: 4},
		{Title: "SESSIONS", Right: true},
		{Title: "DELIV/S", Right: true},
		{Title: "BYTES/S", Right: true, Worth: 11},
		{Title: "RECS/S", Right: true, Worth: 5},
		{Title: "CPU", Right: true, Worth: 15},
		{Title: "BUSY", Worth: 6},
		{Title: "TURN", Right: true, Worth: 12},
		{Title: "OWNS", Right: true, Worth: 9},
		{Title: "OWED", Right: true, Worth: 10},
		{Title: "MEM", Right: true, Worth: 8},
		{Title: "RESPAWNS", Right: true, Worth: 2},
		{Title: "BEAT", Right: true, Worth: 14},
	}
	for _, i := range m.sorted(len(m.look.Status.Workers)) {
		w, f := m.look.Status.Workers[i], m.look.worker(i)
		text.Fill(columns,
			plain(strconv.Itoa(w.Slot)), cell(text.Plain(w.State), stateStyle(w.State)), plain(strconv.Itoa(w.PID)),
			plain(living(w, text.Duration(w.UptimeS))), plain(text.Grouped(w.Sessions)),
			plain(m.look.rate(text.PerSecond(f.Deliveries))), plain(m.look.rate(text.Size(int64(f.Bytes)))),
			plain(m.look.rate(text.PerSecond(f.Records))), plain(m.look.rate(percent(f.Cores))), cell(meter(f.Cores), load(f.Cores)),
			plain(orDash(f.Turn.P99())), plain(strconv.Itoa(w.Partitions)), cell(text.Size(w.OwedBytes), odd(w.BlockedSessions > 0)),
			plain(living(w, text.Size(w.ResidentBytes))), cell(text.Grouped(w.Respawns), odd(w.Respawns > 0)), beat(w))
	}
	return columns
}

// living leaves out what only a living worker has.
func living(w status.Worker, words string) string {
	if !w.Lives() {
		return "-"
	}
	return words
}

func beat(w status.Worker) text.Span {
	return cell(living(w, text.Duration(float64(w.HeartbeatAgeMS)/1000)), when(w.Lives() && w.Stale(), text.Bad, text.Normal))
}

func percent(cores float64) string { return strconv.FormatFloat(cores*100, 'f', 0, 64) + "%" }

// meterWidth is how many marks a worker shows that uses all of a core.
const meterWidth = 10

func meter(cores float64) string {
	n := max(0, min(int(cores*meterWidth+0.5), meterWidth))
	return "[" + strings.Repeat("|", n) + strings.Repeat(" ", meterWidth-n) + "]"
}

// Shares of a core from which a worker is busy, and full: it has one loop, so
// that is all it can have.
const (
	busy = 0.80
	full = 0.95
)

func load(cores float64) text.Style {
	return when(cores >= full, text.Bad, when(cores >= busy, text.Odd, text.Good))
}

// topicColumns begin with what is worst where not all rows may be seen: a
// topic that is behind is never among those left out.
func (m *Model) topicColumns() []text.Column {
	columns := []text.Column{
		{Title: "TOPIC"},
		{Title: "PARTITIONS", Right: true, Worth: 5},
		{Title: "RECS/S", Right: true, Worth: 4},
		{Title: "LAG", Right: true},
		{Title: "WORST", Worth: 3},
		{Title: "OPEN", Right: true, Worth: 1},
		{Title: "OWNERS", Worth: 2},
	}
	for _, t := range m.topics() {
		text.Fill(columns,
			plain(text.Fit(text.Plain(t.Name), topicWidth)), plain(text.Grouped(len(t.Partitions))), plain(m.look.rate(text.PerSecond(t.records))),
			cell(text.Grouped(t.Lag), lagStyle(t.Worst)), cell(t.WorstWords(), lagStyle(t.Worst)), plain(text.Grouped(t.Open)),
			cell(t.Owners(), when(len(t.Orphans) > 0, text.Bad, text.Normal)))
	}
	return columns
}

// topicWidth bounds a topic's name.
const topicWidth = 32

// Seconds behind from which a partition is worth a look, and wrong: the
// latter is what status warns of.
const (
	behindS  = 1
	laggingS = 10
)

func lagStyle(worst *status.Partition) text.Style {
	if worst == nil {
		return text.Normal
	}
	return when(worst.LagS > laggingS, text.Bad, odd(worst.LagS > behindS))
}
