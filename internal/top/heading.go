package top

import (
	"strings"
	"time"

	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/internal/text"
)

// heading says what holds for odind as a whole, and what is wrong with it.
func (m *Model) heading() []text.Line {
	if m.help {
		return []text.Line{text.Line{{Text: "odinctl top: the keys, and what is shown", Style: text.Strong}}.Cut(m.width), nil}
	}
	if m.missing != "" || !m.looked {
		return m.waiting()
	}
	s, f := m.look.Status, m.look.Rates.Flow
	var lines []text.Line
	switch {
	case m.height == 0 || m.height >= lowHeight:
		lines = []text.Line{m.title(), m.sessions(s, f), m.deliveries(f), m.latency(s, f), m.slow(s, f)}
	case m.height >= tinyHeight:
		lines = []text.Line{m.title(), m.deliveries(f), m.latency(s, f)}
	default:
		lines = []text.Line{m.title()}
	}
	if s.Drain != nil {
		lines = append(lines, m.labelled("drain", fact(0, text.Odd, s.Drain.Words())))
	}
	return append(lines, m.warnings(s, len(lines))...)
}

// warnings leaves at least half of the screen to what is asked for.
func (m *Model) warnings(s status.Status, above int) []text.Line {
	if m.height == 0 || len(s.Warnings) == 0 {
		return s.Warned(m.width, len(s.Warnings))
	}
	room := max(1, m.height/2-above)
	for most := len(s.Warnings); ; most-- {
		if lines := s.Warned(m.width, most); len(lines) <= room || most == 0 {
			return lines[:min(len(lines), room)]
		}
	}
}

// waiting is all that there is to say without an odind.
func (m *Model) waiting() []text.Line {
	if m.missing == "" {
		return nil
	}
	lines := []text.Line{m.beside([]text.Fact{fact(0, text.Bad, "odind is not running, waiting")})}
	for _, line := range text.Wrap(text.Plain(m.missing), m.width) {
		lines = append(lines, text.Line{{Text: line}})
	}
	if m.looked {
		ago := m.now.Sub(m.look.At).Seconds()
		words := "it was last seen at " + m.look.At.Format("15:04:05") + ", " + text.Duration(ago) + " ago"
		lines = append(lines, text.Line{{Text: words, Style: text.Faint}}.Cut(m.width))
	}
	if m.height > 0 && len(lines) > m.height {
		lines = lines[:m.height]
	}
	return lines
}

func (m *Model) title() text.Line {
	s := m.look.Status
	return m.beside([]text.Fact{
		fact(4, text.Strong, "odind "+text.Fit(s.Version, 24)), fact(0, stateStyle(s.State), s.State), fact(3, text.Normal, "up "+text.Duration(s.UptimeS)),
		fact(2, text.Normal, named("node ", s.Node)), fact(1, text.Normal, s.Listen),
	})
}

func named(label, name string) string {
	if name == "" {
		return ""
	}
	return label + name
}

// beside puts the time of the look to the right of the facts.
func (m *Model) beside(facts []text.Fact) text.Line {
	clock := text.Span{Text: m.now.Format("15:04:05") + " every " + spoken(m.interval), Style: text.Faint}
	if m.paused {
		clock = text.Span{Text: m.look.At.Format("15:04:05") + " paused", Style: text.Odd}
	}
	wide := len(clock.Text) + 2
	line := text.Row(max(1, m.width-wide), facts...)
	if m.width < wide+narrow {
		return text.Row(m.width, facts...)
	}
	fill := strings.Repeat(" ", max(0, m.width-line.Width()-len(clock.Text)))
	return append(line, text.Span{Text: fill}, clock)
}

// spoken writes 1m0s as 1m.
func spoken(d time.Duration) string {
	words := d.String()
	if strings.HasSuffix(words, "m0s") {
		words = strings.TrimSuffix(words, "0s")
	}
	return words
}

// narrow is the least room for facts beside the time.
const narrow = 20

func stateStyle(state string) text.Style {
	switch state {
	case status.Ready:
		return text.Good
	case status.Degraded, status.Gone:
		return text.Bad
	}
	return text.Odd
}

// labelled begins a line of the heading; all labels are equally wide.
func (m *Model) labelled(label string, facts ...text.Fact) text.Line {
	const wide = 12
	if m.width < 2*wide {
		return text.Row(m.width, facts...)
	}
	first := text.Span{Text: label + strings.Repeat(" ", wide-len(label)), Style: text.Faint}
	return append(text.Line{first}, text.Row(m.width-wide, facts...)...)
}

func (m *Model) sessions(s status.Status, f status.Flow) text.Line {
	return m.labelled("sessions",
		fact(0, text.Strong, text.Grouped(s.Sessions)),
		fact(2, text.Normal, text.Plural(len(s.Workers), "worker")),
		fact(3, text.Normal, "balance "+text.Decimals(s.Balance)),
		m.happening(1, text.Normal, "+"+text.PerSecond(f.Handshakes)+"/s -"+text.PerSecond(f.Closed)+"/s"))
}

func (m *Model) deliveries(f status.Flow) text.Line {
	return m.labelled("deliveries",
		fact(0, text.Strong, m.look.rate(text.PerSecond(f.Deliveries)+"/s")),
		m.happening(3, text.Normal, text.Throughput(f.Bytes)),
		m.happening(1, text.Normal, "of "+text.PerSecond(f.Records)+" records/s"),
		m.happening(2, text.Normal, text.Decimals(f.Cores)+" cores"))
}

// happening is a fact of what happens each second: none before that is known.
func (m *Model) happening(worth int, style text.Style, words string) text.Fact {
	if !m.look.known() {
		return text.Fact{}
	}
	return fact(worth, style, words)
}

func (m *Model) latency(s status.Status, f status.Flow) text.Line {
	lag := int64(0)
	for _, p := range s.Partitions {
		lag += p.Lag
	}
	return m.labelled("latency",
		fact(0, text.Strong, "p50 "+orDash(f.Latency.P50())), fact(0, text.Strong, "p99 "+orDash(f.Latency.P99())),
		fact(1, text.Normal, "turn p99 "+orDash(f.Turn.P99())),
		fact(2, text.Normal, "lag "+text.Grouped(lag)))
}

func orDash(words string) string {
	if words == "" {
		return "-"
	}
	return words
}

func (m *Model) slow(s status.Status, f status.Flow) text.Line {
	var blocked, owed int64
	for _, w := range s.Workers {
		blocked += w.BlockedSessions
		owed += w.OwedBytes
	}
	return m.labelled("slow",
		fact(0, odd(blocked > 0), text.Grouped(blocked)+" blocked"),
		fact(3, text.Normal, text.Size(owed)+" owed"),
		m.happening(2, odd(f.SlowCloses > 0), text.PerSecond(f.SlowCloses)+" closed/s"),
		m.happening(1, odd(f.Gaps > 0), text.PerSecond(f.Gaps)+" gaps/s"))
}

func odd(is bool) text.Style {
	if is {
		return text.Odd
	}
	return text.Normal
}
