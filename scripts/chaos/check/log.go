package check

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Entry is a committed record of the log. Channel is its number in Names, Sum
// a checksum of its value.
type Entry struct {
	Offset  int64
	Channel uint32
	Sum     uint32
}

// Incarnation is a topic from its creation to its deletion: all records that
// were ever visible in it, those too that are gone by now. Offsets that no
// entry has are holes.
type Incarnation struct {
	Topic      string
	Partitions [][]Entry // in the order of their offsets; of one that was cut its last life
	Cuts       [][]Cut   // by partition, in the order of time

	Compacted bool // the topic may be
	Trimmed   bool // its oldest records have been deleted
}

// Append adds a record behind those of its partition.
func (i *Incarnation) Append(partition int, e Entry) {
	for len(i.Partitions) <= partition {
		i.Partitions = append(i.Partitions, nil)
	}
	i.Partitions[partition] = append(i.Partitions[partition], e)
}

// behind is the index of the first record above the offset.
func behind(entries []Entry, offset int64) int {
	i, _ := slices.BinarySearchFunc(entries, offset+1, func(e Entry, o int64) int { return cmp.Compare(e.Offset, o) })
	return i
}

// Log is all incarnations, by the part of an epoch that names them.
type Log map[string]*Incarnation

// incarnation gives the one that an epoch belongs to, nil if there is none.
func (l Log) incarnation(epoch string) *Incarnation { return l[IncarnationOf(epoch)] }

// loses tells whether a topic had lost records in the way that a reset names.
func (l Log) loses(reason, topic string, now time.Duration) bool {
	incarnations, trimmed, cut := 0, false, false
	for _, i := range l {
		if i.Topic == topic {
			incarnations++
			trimmed = trimmed || i.Trimmed
			cut = cut || i.cuts(now) > 0
		}
	}
	return reason == "epoch" && (incarnations > 1 || cut) || reason == "trimmed" && trimmed
}

// anew tells whether a topic was made anew. Its partitions meet that one by one,
// each with a reset: the first one's has the old places of the others.
func (l Log) anew(topic string) bool {
	incarnations := 0
	for _, i := range l {
		if i.Topic == topic {
			incarnations++
		}
	}
	return incarnations > 1
}

// IncarnationOf is the part of an epoch that stays when a topic is truncated.
func IncarnationOf(epoch string) string {
	id, _, _ := strings.Cut(epoch, ".")
	return id
}

// Matches tells whether a channel or pattern, SUBJECT.EVENT with * for a whole
// part, covers a channel.
func Matches(pattern, channel string) bool {
	ps, pe, _ := strings.Cut(pattern, ".")
	cs, ce, _ := strings.Cut(channel, ".")
	return (ps == "*" || ps == cs) && (pe == "*" || pe == ce)
}
