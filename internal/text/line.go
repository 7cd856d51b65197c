package text

import "strings"

// Style is what a span means. What it looks like is the terminal's business;
// nothing is told by it alone.
type Style uint8

// The styles.
const (
	Normal Style = iota
	Strong       // what to look at first
	Faint        // labels, and what is as it always is
	Good         // as it should be
	Odd          // worth a look
	Bad          // wrong
	Bar          // a heading or a line of keys, over the whole width
	StyleCount
)

// Span is a piece of a line.
type Span struct {
	Text  string
	Style Style
}

// Line is one line of a terminal.
type Line []Span

// String is the line without its styles, and without blanks at its end.
func (l Line) String() string {
	var out strings.Builder
	for _, s := range l {
		out.WriteString(s.Text)
	}
	return strings.TrimRight(out.String(), " ")
}

// Width is how many columns the line takes.
func (l Line) Width() (n int) {
	for _, s := range l {
		n += columns(s.Text)
	}
	return n
}

// trimmed is the line without blanks at its end.
func (l Line) trimmed() Line {
	for len(l) > 0 {
		last := &l[len(l)-1]
		if last.Text = strings.TrimRight(last.Text, " "); last.Text != "" {
			break
		}
		l = l[:len(l)-1]
	}
	return l
}

// Cut shortens the line to width columns.
func (l Line) Cut(width int) Line {
	if l.Width() <= width {
		return l
	}
	var cut Line
	for _, s := range l {
		if n := columns(s.Text); n < width {
			cut, width = append(cut, s), width-n
			continue
		}
		// Where the next span begins something is missing too.
		return append(cut, Span{Fit(s.Text+" ", width), s.Style})
	}
	return cut
}

// gap stands between the facts of a line.
const gap = "   "

// Facts puts facts side by side, in as many lines of at most width columns as
// they need. Empty ones are left out.
func Facts(width int, facts ...Span) (lines []Line) {
	var line Line
	for _, fact := range facts {
		fact.Text = Fit(Plain(fact.Text), width)
		switch {
		case fact.Text == "":
		case line == nil:
			line = Line{fact}
		case line.Width()+len(gap)+columns(fact.Text) <= width:
			line = append(line, Span{Text: gap}, fact)
		default:
			lines, line = append(lines, line), Line{fact}
		}
	}
	if line != nil {
		lines = append(lines, line)
	}
	return lines
}

// Fact is one of several that share a line.
type Fact struct {
	Span
	Worth int // of 0: always shown
}

// Row puts facts into one line: when it would be longer than width, the facts
// of the lowest worth go first.
func Row(width int, facts ...Fact) Line {
	for {
		var line Line
		lowest := -1
		for i, f := range facts {
			if f.Text == "" {
				continue
			}
			if line != nil {
				line = append(line, Span{Text: gap})
			}
			line = append(line, Span{Plain(f.Text), f.Style})
			if f.Worth > 0 && (lowest < 0 || f.Worth < facts[lowest].Worth) {
				lowest = i
			}
		}
		if line.Width() <= width || lowest < 0 {
			return line.Cut(width)
		}
		facts = append(facts[:lowest:lowest], facts[lowest+1:]...)
	}
}

// Strings are the lines without their styles.
func Strings(lines []Line) []string {
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.String()
	}
	return texts
}
