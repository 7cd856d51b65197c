package status

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/odin-ws/odin/internal/text"
)

// ownersShownMax bounds the list of owners, in bytes.
const ownersShownMax = 24

// Topic is the partitions of one name.
type Topic struct {
	Name       string
	Partitions []*Partition
	Orphans    []int32    // without an owner
	Worst      *Partition // the longest behind, then the farthest; nil if none lags
	Lag        int64      // of all
	Open       int64      // of all
}

// Topics groups the partitions in the order in which topics became known.
func (s *Status) Topics() []*Topic {
	var all []*Topic
	index := map[string]*Topic{}
	for i := range s.Partitions {
		p := &s.Partitions[i]
		t := index[p.Topic]
		if t == nil {
			t = &Topic{Name: p.Topic}
			index[p.Topic] = t
			all = append(all, t)
		}
		t.add(p)
	}
	return all
}

func (t *Topic) add(p *Partition) {
	t.Partitions = append(t.Partitions, p)
	t.Lag += p.Lag
	t.Open += p.OpenTransaction
	if p.Owner == nil {
		t.Orphans = append(t.Orphans, p.Partition)
	}
	if p.Lag == 0 && p.LagS == 0 {
		return
	}
	if w := t.Worst; w == nil || p.LagS > w.LagS || p.LagS == w.LagS && p.Lag > w.Lag {
		t.Worst = p
	}
}

func (s Status) topicColumns() []text.Column {
	columns := []text.Column{
		{Title: "TOPIC"},
		{Title: "PARTITIONS", Right: true},
		{Title: "LAG", Right: true},
		{Title: "WORST", Worth: 3},
		{Title: "OPEN", Right: true, Worth: 1},
		{Title: "OWNERS", Worth: 2},
	}
	for _, t := range s.Topics() {
		text.Fill(columns, text.Cells(
			text.Fit(text.Plain(t.Name), 32), strconv.Itoa(len(t.Partitions)), text.Grouped(t.Lag), t.WorstWords(), text.Grouped(t.Open), t.Owners())...)
	}
	return columns
}

// WorstWords names the worst partition, its lag, and for how long.
func (t *Topic) WorstWords() string {
	if t.Worst == nil {
		return "-"
	}
	return fmt.Sprintf("p%d: %s, %s", t.Worst.Partition, text.Short(float64(t.Worst.Lag)), text.Duration(t.Worst.LagS))
}

// Owners lists the workers that consume the topic, and how many partitions
// nobody does.
func (t *Topic) Owners() string {
	var slots []int
	for _, p := range t.Partitions {
		if p.Owner != nil {
			slots = append(slots, *p.Owner)
		}
	}
	slices.Sort(slots)
	slots = slices.Compact(slots)
	words := ranges(slots)
	if len(words) > ownersShownMax {
		words = text.Plural(len(slots), "worker")
	}
	if n := len(t.Orphans); n > 0 {
		words = strings.TrimPrefix(fmt.Sprintf("%s, none: %d", words, n), ", ")
	}
	return words
}

// ranges writes 0, 1, 2, 5 as 0-2, 5; numbers are in order.
func ranges(numbers []int) string {
	var words []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		word := strconv.Itoa(numbers[i])
		if j > i {
			word += "-" + strconv.Itoa(numbers[j])
		}
		words = append(words, word)
		i = j + 1
	}
	return strings.Join(words, ", ")
}
