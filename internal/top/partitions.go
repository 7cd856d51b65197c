package top

import (
	"slices"
	"strconv"

	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/internal/text"
)

func (m *Model) partitionColumns() []text.Column {
	columns := []text.Column{
		{Title: "TOPIC"},
		{Title: "PARTITION", Right: true},
		{Title: "OWNER", Right: true, Worth: 6},
		{Title: "TERM", Right: true, Worth: 2},
		{Title: "ERA", Right: true, Worth: 1},
		{Title: "POSITION", Right: true, Worth: 4},
		{Title: "RECS/S", Right: true, Worth: 5},
		{Title: "LAG", Right: true},
		{Title: "BEHIND", Right: true, Worth: 7},
		{Title: "OPEN", Right: true, Worth: 3},
	}
	for _, i := range m.sorted(len(m.look.Status.Partitions)) {
		p := &m.look.Status.Partitions[i]
		text.Fill(columns,
			plain(text.Fit(text.Plain(p.Topic), topicWidth)), plain(strconv.Itoa(int(p.Partition))), owner(p),
			plain(strconv.FormatUint(uint64(p.Term), 10)), plain(strconv.FormatUint(uint64(p.Era), 10)), plain(text.Grouped(p.Position)),
			plain(m.look.rate(text.PerSecond(m.look.partition(i)))), cell(text.Grouped(p.Lag), lagStyle(p)),
			cell(behind(p), lagStyle(p)), plain(text.Grouped(p.OpenTransaction)))
	}
	return columns
}

func owner(p *status.Partition) text.Span {
	if p.Owner == nil {
		return cell("none", text.Bad)
	}
	return plain(strconv.Itoa(*p.Owner))
}

func behind(p *status.Partition) string {
	if p.LagS == 0 {
		return "-"
	}
	return text.Duration(p.LagS)
}

// topic is one with what happens in it.
type topic struct {
	*status.Topic
	records float64
}

// topics are in their order, but for those that are wrong, which come first.
func (m *Model) topics() []topic {
	var topics []topic
	records := map[string]float64{}
	for i, p := range m.look.Status.Partitions {
		records[p.Topic] += m.look.partition(i)
	}
	for _, t := range m.look.Status.Topics() {
		topics = append(topics, topic{t, records[t.Name]})
	}
	slices.SortStableFunc(topics, func(a, b topic) int { return b.trouble() - a.trouble() })
	return topics
}

func (t topic) trouble() int {
	switch {
	case len(t.Orphans) > 0:
		return 2
	case t.Worst != nil && t.Worst.LagS > laggingS:
		return 1
	}
	return 0
}
