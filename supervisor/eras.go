package supervisor

import (
	"slices"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// eras is what outlives odind of its partitions, so that a cursor of before a
// restart is judged rightly (rule 11): the number of each one's era, and the
// furthest record that anybody held, by which the next start finds out whether
// the log was truncated meanwhile (rule 12).
type eras struct {
	kept    map[event.Partition]keptEra // of before this start, and not in the table yet
	first   uint32                      // the era of a partition of which nothing is kept
	numbers []uint32                    // by index, as written last
	looked  time.Time
	written time.Time
	last    []keptEra // as written last
}

// How often the eras are looked at, and written if only positions have moved.
const (
	erasLook  = time.Second
	erasWrite = 5 * time.Second
)

func newEras(a archived) eras {
	e := eras{kept: make(map[event.Partition]keptEra, len(a.list)), first: a.first}
	for _, k := range a.list {
		e.kept[k.name()] = k
	}
	return e
}

// keptOf is what the scout has the brokers asked before partitions get their
// first era: of each that a route may put into the table, the furthest record
// that was held.
func (e *eras) keptOf(topics []string) (list []control.Kept) {
	for _, k := range e.kept {
		if slices.Contains(topics, k.Topic) && k.Held >= 0 && k.HeldEpoch >= 0 {
			list = append(list, control.Kept{Topic: k.Topic, Number: k.Number, ID: k.id(), Held: k.Held, Epoch: k.HeldEpoch})
		}
	}
	return list
}

// begin is the era in which a partition that is new in the table begins, and
// what is known of its log besides.
func (e *eras) begin(p event.Partition, id event.TopicID, cut *control.Cut) (era event.Era, kept shm.Mark) {
	k, ok := e.kept[p]
	delete(e.kept, p)
	number := k.Era + 1
	switch {
	case !ok:
		return event.Era{Number: e.first, Topic: id, Epoch: event.NoEpoch}, shm.NoMark
	case k.id() != id:
		return event.Era{Number: number, Topic: id, Epoch: event.NoEpoch}, shm.NoMark
	case cut != nil:
		return event.Era{Number: number, From: cut.From, Topic: id, Epoch: cut.Epoch}, shm.NoMark
	}
	era = event.Era{Number: k.Era, From: k.From, Topic: id, Epoch: k.Epoch}
	if m := k.mark(); m.Held >= 0 && m.Epoch != event.NoEpoch {
		return era, m
	}
	return era, shm.NoMark
}

// keepEras has the eras written when it is time, beside the crew: the disk may
// hang.
func (c *crew) keepEras(now time.Time) {
	if e := &c.eras; c.segment.Partitions() > 0 && now.Sub(e.looked) >= erasLook {
		e.looked = now
		if c.erasMoved() || now.Sub(e.written) >= erasWrite {
			c.writeEras(now)
		}
	}
}

func (c *crew) erasMoved() bool {
	n := c.segment.Partitions()
	moved := len(c.eras.numbers) != n
	for i := 0; i < n && !moved; i++ {
		moved = c.segment.EraNumber(i) != c.eras.numbers[i]
	}
	return moved
}

func (c *crew) writeEras(now time.Time) {
	list := c.listEras()
	if slices.Equal(list, c.eras.last) {
		return
	}
	c.keep(list)
	c.eras.last, c.eras.written, c.eras.numbers = list, now, c.eras.numbers[:0]
	for i := range c.segment.Partitions() {
		c.eras.numbers = append(c.eras.numbers, list[i].Era)
	}
}

// listEras is what is to be kept: of all partitions in the table, in its order,
// and then of those that it had once, as far as there is room.
func (c *crew) listEras() []keptEra {
	list := make([]keptEra, 0, c.segment.Partitions()+len(c.eras.kept))
	for i := range c.segment.Partitions() {
		name, _ := c.segment.Partition(i)
		mark, _ := c.segment.Reached(i)
		list = append(list, newKeptEra(name, c.segment.Era(i), mark))
	}
	known := len(list)
	for _, k := range c.eras.kept {
		list = append(list, k)
	}
	slices.SortFunc(list[known:], keptEra.compare)
	return list[:min(len(list), max(known, shm.PartitionsMax))]
}
