package top

import "github.com/odin-ws/odin/internal/text"

// explained are the lines of the help: a key or a column, and what it is; a
// line without the latter is a heading.
func explained() [][2]string {
	return [][2]string{
		{"Keys", ""},
		{"1 2 3, Tab", "workers, partitions, clients"},
		{"s S, r", "sort by the next, the previous number; reverse"},
		{"arrows, PgUp, PgDn", "scroll (also j k g G, Home, End)"},
		{"p, Space", "pause, and go on"},
		{"+ -", "look less or more often"},
		{"^L, ^Z", "draw anew, suspend"},
		{"q, ^C", "quit"},
		{"Heading", ""},
		{"balance", "the most sessions of a worker, by the mean: 1 is even"},
		{"latency", "from a record's timestamp to the write to a session"},
		{"turn", "99 of 100 turns of a worker's loop took at most this"},
		{"lag", "records that the brokers could give beyond our position"},
		{"slow", "sessions that don't read as fast as records come"},
		{"Workers", ""},
		{"DELIV/S, BYTES/S", "records written to sessions, and their bytes"},
		{"RECS/S", "records fetched from the brokers"},
		{"CPU, BUSY", "of one core: a worker has one loop"},
		{"OWNS", "partitions that it fetches for all workers"},
		{"OWED", "bytes that its sessions have still to take"},
		{"BEAT", "how long ago it gave a sign of life"},
		{"WORST", "the partition longest behind: its lag, for how long"},
		{"OPEN", "records that open transactions hold back"},
		{"Partitions", ""},
		{"OWNER, TERM", "who fetches it; how often that changed"},
		{"ERA", "how often it was truncated or made anew"},
		{"POSITION, BEHIND", "the last offset held; since when it lags"},
		{"Clients", ""},
		{"BLOCKED", "sessions whose socket is full"},
		{"SLOW, SLOW/S", "sessions closed with 4000"},
		{"DROPS/S, GAPS/S", "records dropped for slow ones; notices of that"},
		{"REFUSED", "connections answered with 503"},
	}
}

func helpLines(width int) (lines []text.Line) {
	const wide = 20
	for _, e := range explained() {
		if e[1] == "" {
			lines = append(lines, text.Line{{Text: e[0], Style: text.Strong}}.Cut(width))
			continue
		}
		label := "  " + e[0]
		for len(label) < wide {
			label += " "
		}
		lines = append(lines, text.Line{{Text: label + " "}, {Text: e[1]}}.Cut(width))
	}
	return lines
}
