package top

import (
	"strconv"
	"strings"

	"github.com/odin-ws/odin/internal/text"
)

// Heights at which a screen is too low for everything.
const (
	lowHeight  = 16 // the heading is shortened
	tinyHeight = 8  // it is one line, and there is none of keys
)

// Frame is what to show: as many lines as the terminal has, none wider.
func (m *Model) Frame() []text.Line {
	lines := m.heading()
	if m.height == 0 {
		return append(lines, m.whole()...)
	}
	b := m.main(len(lines))
	lines = append(lines, b.lines...)
	for len(lines) < m.height-m.footerHeight() {
		lines = append(lines, nil)
	}
	if m.footerHeight() > 0 {
		lines = append(lines, m.footer(b))
	}
	return lines[:m.height]
}

// nobody tells whether there is no odind to be shown.
func (m *Model) nobody() bool { return !m.looked || m.missing != "" }

// whole are the view's tables to their ends: nothing is scrolled.
func (m *Model) whole() (lines []text.Line) {
	if m.nobody() {
		return nil
	}
	for _, table := range m.tables() {
		lines = append(append(lines, nil), table...)
	}
	return lines
}

func (m *Model) footerHeight() int {
	if m.height < tinyHeight {
		return 0
	}
	return 1
}

// body is what stands between heading and keys, with a table that can be
// scrolled.
type body struct {
	lines           []text.Line
	first, all, fit int // rows: the first one shown, how many there are, and how many fit
}

// main is the body below a heading of so many lines.
func (m *Model) main(heading int) body {
	height := max(0, m.height-heading-m.footerHeight())
	switch {
	case m.help:
		return window(nil, helpLines(m.width), m.helpOffset, height)
	case m.nobody():
		return body{}
	}
	return m.seen(height)
}

// scrollMax is the largest offset at which the frame is still full.
func (m *Model) scrollMax() int {
	if m.height == 0 {
		return 0
	}
	b := m.main(len(m.heading()))
	return max(0, b.all-b.fit)
}

// window shows a title and those rows from offset on that fit into height.
func window(title, rows []text.Line, offset, height int) body {
	b := body{all: len(rows), fit: max(0, height-len(title))}
	b.first = max(0, min(offset, b.all-b.fit))
	b.lines = append(b.lines, title...)
	b.lines = append(b.lines, rows[b.first:min(b.all, b.first+b.fit)]...)
	b.lines = b.lines[:min(len(b.lines), max(0, height))]
	return b
}

// seen is the view: its main table, whatever stands below it, and a chart in
// the room that is left. An empty line goes before each.
func (m *Model) seen(height int) body {
	tables := m.tables()
	table := headed(tables[0], m.width)
	var below []text.Line
	if len(tables) > 1 {
		below = m.below(headed(tables[1], m.width), height-1-len(table), height/3)
	}
	b := window(table[:1], table[1:], m.offset, height-1-len(below))
	b.lines = append(append([]text.Line{nil}, b.lines...), below...)
	chart := m.history[m.view].chart(chartTitles()[m.view], m.width, height-len(b.lines)-1)
	if chart != nil {
		b.lines = append(append(b.lines, nil), chart...)
	}
	return b
}

// belowMin is the fewest lines of a second table that are of use.
const belowMin = 4

// below is the second table behind an empty line: all of it, if there is room
// beside the first, else as much as it may take from that one.
func (m *Model) below(table []text.Line, room, most int) []text.Line {
	room = max(room, most)
	if room < belowMin {
		return nil
	}
	lines := append([]text.Line{nil}, table...)
	if len(lines) <= room {
		return lines
	}
	more := "and " + text.Grouped(len(lines)-room+1) + " more"
	return append(lines[:room-1:room-1], text.Line{{Text: more, Style: text.Faint}}.Cut(m.width))
}

// headed makes a bar of a table's titles.
func headed(table []text.Line, width int) []text.Line {
	return append([]text.Line{bar(table[0].String(), "", width)}, table[1:]...)
}

// bar is a line over the whole width, with something at its right end if
// there is room.
func bar(left, right string, width int) text.Line {
	left = text.Fit(left, width)
	room := width - len([]rune(left))
	if right != "" && room >= len(right)+2 {
		left, room = left+strings.Repeat(" ", room-len(right))+right, 0
	}
	return text.Line{{Text: left + strings.Repeat(" ", room), Style: text.Bar}}
}

// footer tells the keys, and which rows are seen.
func (m *Model) footer(b body) text.Line {
	rows := b.rows()
	if m.help {
		return bar("any other key: back", rows, m.width)
	}
	views := Views()
	for v := range views {
		views[v] = strconv.Itoa(v+1) + " " + views[v]
	}
	views[m.view] = "[" + views[m.view] + "]"
	facts := []text.Fact{
		fact(3, text.Normal, strings.Join(views, " ")), fact(4, text.Normal, "s sort: "+m.orders()[m.sorts[m.view]].name),
		fact(1, text.Normal, "p pause"), fact(2, text.Normal, "q quit"), fact(0, text.Normal, "? help"),
	}
	room := m.width
	if rows != "" {
		room -= len(rows) + 2
	}
	return bar(text.Row(max(1, room), facts...).String(), rows, m.width)
}

// rows says which rows are seen, if not all of them are.
func (b body) rows() string {
	if b.all <= b.fit || b.fit == 0 {
		return ""
	}
	return strconv.Itoa(b.first+1) + "-" + strconv.Itoa(b.first+b.fit) + " of " + text.Grouped(b.all)
}

func fact(worth int, style text.Style, words string) text.Fact {
	return text.Fact{Span: text.Span{Text: words, Style: style}, Worth: worth}
}
