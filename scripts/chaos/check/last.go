package check

import (
	"slices"

	odin "github.com/odin-ws/odin/clients/go"
)

// remember takes a record of those that `last` asked for: they lie at or below
// the answer's cursor.
func (w *walk) remember(p *place, pos odin.Pos, e *Event) {
	w.remembers--
	w.history = append(w.history, *e)
	part := w.part(p, pos.Partition)
	switch {
	case pos.Offset > part.pos:
		w.fault(Misannounced, pos, "is of the %d last, but lies above the answer's cursor", len(w.history)+w.remembers)
	case !w.elder(p, part, pos, e):
		w.recall(p, part, pos, e)
	}
	if w.remembers == 0 {
		w.newest()
	}
}

// elder tells whether it is of an earlier incarnation: the partitions of a topic
// made anew meet it one by one, and one that has not keeps the last of its old log,
// of which the reset to come will tell. Then all that comes of it is.
func (w *walk) elder(p *place, part *part, pos odin.Pos, e *Event) bool {
	of := [2]uint16{e.Topic, e.Partition}
	for _, i := range w.log {
		if had := w.elders[of]; i.Topic != pos.Topic || i == p.incarnation || had != nil && had != i {
			continue
		}
		entries := i.entries(pos.Partition, 0)
		at := behind(entries, pos.Offset-1)
		if at == len(entries) || entries[at].Offset != pos.Offset || w.differs(pos, e, entries[at]) != nil || part.pos > entries[len(entries)-1].Offset {
			continue
		}
		w.elders[of] = i
		return true
	}
	return false
}

// recall wants it to be of the log, and keeps the lives that have it.
func (w *walk) recall(p *place, part *part, pos odin.Pos, e *Event) {
	var faults []Fault
	fit := slices.DeleteFunc(slices.Clone(part.lines), func(l line) bool {
		entries := p.incarnation.entries(pos.Partition, l.life)
		i := behind(entries, pos.Offset-1)
		if i == len(entries) || entries[i].Offset != pos.Offset {
			faults = []Fault{w.faulty(Phantom, pos, "was never committed")}
			return true
		}
		differs := w.differs(pos, e, entries[i])
		faults = append(faults, differs...)
		return differs != nil
	})
	if len(fit) == 0 {
		w.faults = append(w.faults, faults[0])
		return
	}
	part.lines, w.elders[[2]uint16{e.Topic, e.Partition}] = fit, p.incarnation
}

// run is of a channel in a partition.
type run struct {
	topic, partition uint16
	channel          uint32
}

// newest wants the last records of each channel and partition to be those that
// came, and no more of a channel than asked for. What is older than a record
// that came may be kept no more.
func (w *walk) newest() {
	oldest, count, each := map[run]int64{}, map[run]int{}, map[uint32]int{}
	for _, e := range w.history {
		r := run{e.Topic, e.Partition, e.Channel}
		if old, ok := oldest[r]; !ok || e.Offset < old {
			oldest[r] = e.Offset
		}
		count[r]++
		each[e.Channel]++
	}
	for channel, n := range each {
		if n > w.last {
			w.fault(Misannounced, odin.Pos{}, "%d last of %s came, asked for were %d", n, w.names.Channels[channel], w.last)
		}
	}
	for r, from := range oldest {
		p := w.topics[w.names.Topics[r.topic]]
		part, has := w.part(p, int(r.partition)), 0
		i, lines := p.incarnation, part.lines
		if old := w.elders[[2]uint16{r.topic, r.partition}]; old != nil && old != i {
			i, lines = old, []line{{}}
		}
		if !slices.ContainsFunc(lines, func(l line) bool {
			has = r.since(i.entries(int(r.partition), l.life), from, part.pos)
			return has == count[r]
		}) {
			w.fault(Misannounced, odin.Pos{Topic: i.Topic, Partition: int(r.partition), Offset: from},
				"is the oldest of the last of %s: %d came, but the log has %d since", w.names.Channels[r.channel], count[r], has)
		}
	}
}

// since counts the channel's records between two offsets, both included.
func (r run) since(entries []Entry, from, to int64) (n int) {
	for _, e := range entries {
		if e.Channel == r.channel && e.Offset >= from && e.Offset <= to {
			n++
		}
	}
	return n
}
