package status

import (
	"io"
	"strings"
	"unicode/utf8"
)

// column of a table. When a line would be too long, the columns of the lowest
// worth go first; those of worth 0 always stay.
type column struct {
	title string
	right bool // numbers: aligned to the right
	worth int
	cells []string
}

const columnGap = "  "

func (c *column) width() int {
	w := utf8.RuneCountInString(c.title)
	for _, cell := range c.cells {
		w = max(w, utf8.RuneCountInString(cell))
	}
	return w
}

func (c *column) pad(cell string, width int) string {
	fill := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(cell)))
	if c.right {
		return fill + cell
	}
	return cell + fill
}

// narrowed leaves out columns until the rest fits.
func narrowed(columns []column, width int) []column {
	for {
		total, lowest := -len(columnGap), -1
		for i := range columns {
			total += columns[i].width() + len(columnGap)
			if w := columns[i].worth; w > 0 && (lowest < 0 || w < columns[lowest].worth) {
				lowest = i
			}
		}
		if total <= width || lowest < 0 {
			return columns
		}
		columns = append(columns[:lowest:lowest], columns[lowest+1:]...)
	}
}

// writeTable writes the columns side by side, no line longer than width.
func writeTable(out io.StringWriter, columns []column, width int) {
	columns = narrowed(columns, width)
	for row := -1; row < len(columns[0].cells); row++ {
		var cells []string
		for i := range columns {
			text := columns[i].title
			if row >= 0 {
				text = columns[i].cells[row]
			}
			cells = append(cells, columns[i].pad(text, columns[i].width()))
		}
		line := strings.TrimRight(strings.Join(cells, columnGap), " ")
		_, _ = out.WriteString(fit(line, width) + "\n")
	}
}
