package top

import (
	"maps"
	"slices"
	"strconv"

	"github.com/odin-ws/odin/internal/text"
)

func (m *Model) clientColumns() []text.Column {
	columns := []text.Column{
		{Title: "WORKER", Right: true},
		{Title: "SESSIONS", Right: true},
		{Title: "CHANNELS", Right: true, Worth: 5},
		{Title: "NEW/S", Right: true, Worth: 7},
		{Title: "CLOSED/S", Right: true, Worth: 8},
		{Title: "BLOCKED", Right: true, Worth: 10},
		{Title: "OWED", Right: true, Worth: 9},
		{Title: "SLOW/S", Right: true, Worth: 6},
		{Title: "SLOW", Right: true, Worth: 4},
		{Title: "DROPS/S", Right: true, Worth: 2},
		{Title: "GAPS/S", Right: true, Worth: 3},
		{Title: "REFUSED", Right: true, Worth: 1},
	}
	for _, i := range m.sorted(len(m.look.Status.Workers)) {
		w, f := m.look.Status.Workers[i], m.look.worker(i)
		text.Fill(columns,
			plain(strconv.Itoa(w.Slot)), plain(text.Grouped(w.Sessions)), plain(text.Grouped(w.Subscriptions)),
			plain(m.look.rate(text.PerSecond(f.Handshakes))), plain(m.look.rate(text.PerSecond(f.Closed))),
			cell(text.Grouped(w.BlockedSessions), odd(w.BlockedSessions > 0)), plain(text.Size(w.OwedBytes)),
			cell(m.look.rate(text.PerSecond(f.SlowCloses)), odd(f.SlowCloses > 0)), plain(text.Grouped(w.SlowCloses)),
			cell(m.look.rate(text.PerSecond(f.SlowDrops)), odd(f.SlowDrops > 0)), cell(m.look.rate(text.PerSecond(f.Gaps)), odd(f.Gaps > 0)),
			plain(text.Grouped(w.Refused)))
	}
	return columns
}

// closeColumns are the closes since the start, by their code; those that never
// happened are left out.
func (m *Model) closeColumns() []text.Column {
	columns := []text.Column{{Title: "CODE", Right: true}, {Title: "CLOSED", Right: true}, {Title: "SINCE THE START, BECAUSE", Worth: 1}}
	closed := m.look.Status.ClosedByCode
	for _, code := range slices.Sorted(maps.Keys(closed)) {
		if closed[code] > 0 {
			text.Fill(columns, plain(code), plain(text.Grouped(closed[code])), plain(because(code)))
		}
	}
	return columns
}

// because says what a close code means to an operator.
func because(code string) string {
	return map[string]string{
		"1000": "the client was done", "1001": "odind drained or stopped, or the client went away",
		"1002": "a frame broke RFC 6455", "1003": "a binary request", "1006": "the connection ended without a close frame",
		"1007": "invalid UTF-8", "1008": "origin, rights, or 20 errors within a minute", "1009": "a request was too large",
		"1011": "an internal fault, in the log", "1012": "its replay broke", "1013": "odind was overloaded", "4000": "it was too slow",
	}[code]
}
