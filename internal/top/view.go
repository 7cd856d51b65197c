package top

import "github.com/odin-ws/odin/internal/text"

// chartTitles are what the views' charts show.
func chartTitles() [viewCount]string {
	return [viewCount]string{"deliveries/s", "records/s", "sessions"}
}

// tables are the view's: its main one, which is scrolled, and one below.
func (m *Model) tables() (tables [][]text.Line) {
	add := func(columns []text.Column) { tables = append(tables, text.Table(columns, m.width)) }
	switch m.view {
	case Partitions:
		add(m.partitionColumns())
	case Clients:
		add(m.clientColumns())
		add(m.closeColumns())
	default:
		add(m.workerColumns())
		if len(m.look.Status.Partitions) > 0 {
			add(m.topicColumns())
		}
	}
	return tables
}

// cell is a span for a table; bad ones stand out.
func cell(words string, style text.Style) text.Span { return text.Span{Text: words, Style: style} }

func plain(words string) text.Span { return text.Span{Text: words} }

func when(is bool, then, otherwise text.Style) text.Style {
	if is {
		return then
	}
	return otherwise
}
