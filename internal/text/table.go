package text

import "strings"

// Column of a table. When a line would be too long, the columns of the lowest
// worth go first; those of worth 0 always stay.
type Column struct {
	Title string
	Right bool // numbers: aligned to the right
	Worth int
	Cells []Span
}

const columnGap = "  "

func (c *Column) width() int {
	w := columns(c.Title)
	for _, cell := range c.Cells {
		w = max(w, columns(cell.Text))
	}
	return w
}

func (c *Column) pad(cell Span, width int) Span {
	fill := strings.Repeat(" ", max(0, width-columns(cell.Text)))
	if c.Right {
		return Span{fill + cell.Text, cell.Style}
	}
	return Span{cell.Text + fill, cell.Style}
}

// Fill adds a row.
func Fill(table []Column, cells ...Span) {
	for i := range table {
		table[i].Cells = append(table[i].Cells, cells[i])
	}
}

// Cells are spans without a style.
func Cells(texts ...string) []Span {
	cells := make([]Span, len(texts))
	for i, t := range texts {
		cells[i].Text = t
	}
	return cells
}

// narrowed leaves out columns until the rest fits.
func narrowed(table []Column, width int) []Column {
	for {
		total, lowest := -len(columnGap), -1
		for i := range table {
			total += table[i].width() + len(columnGap)
			if w := table[i].Worth; w > 0 && (lowest < 0 || w < table[lowest].Worth) {
				lowest = i
			}
		}
		if total <= width || lowest < 0 {
			return table
		}
		table = append(table[:lowest:lowest], table[lowest+1:]...)
	}
}

// Table puts the columns side by side: a line of titles, and one for each row,
// none longer than width.
func Table(table []Column, width int) []Line {
	table = narrowed(table, width)
	lines := make([]Line, 1+len(table[0].Cells))
	for i := range table {
		c := &table[i]
		wide := c.width()
		lines[0] = beside(lines[0], c.pad(Span{Text: c.Title}, wide))
		for row, cell := range c.Cells {
			lines[1+row] = beside(lines[1+row], c.pad(cell, wide))
		}
	}
	for i := range lines {
		lines[i] = lines[i].trimmed().Cut(width)
	}
	return lines
}

func beside(line Line, cell Span) Line {
	if line != nil {
		line = append(line, Span{Text: columnGap})
	}
	return append(line, cell)
}
