package check

import (
	"slices"
	"strconv"
	"strings"
	"time"

	odin "github.com/odin-ws/odin/clients/go"
)

// Cut is a truncation: a partition's log went on from From with other records
// than it had had there. Its lives are numbered by how many cuts they follow.
type Cut struct {
	From int64         // the first offset that was lost
	At   time.Duration // of the run; nobody had anything of the next life before
	Was  []Entry       // the partition up to then
	Last int64         // its last offset
}

// Cut enters a truncation; its Was is filled in.
func (i *Incarnation) Cut(partition int, c Cut) {
	for len(i.Cuts) <= partition {
		i.Cuts = append(i.Cuts, nil)
	}
	c.Was = i.Partitions[partition]
	i.Partitions[partition] = slices.Clone(c.Was[:behind(c.Was, c.From-1)])
	i.Cuts[partition] = append(i.Cuts[partition], c)
}

// cutsOf are those of a partition.
func (i *Incarnation) cutsOf(partition int) []Cut {
	if partition < len(i.Cuts) {
		return i.Cuts[partition]
	}
	return nil
}

// cuts counts those of all partitions by a time.
func (i *Incarnation) cuts(now time.Duration) (n int) {
	for p := range i.Cuts {
		n += i.livesBy(p, now)
	}
	return n
}

// livesBy is the number of the last life that a partition had begun by a time.
func (i *Incarnation) livesBy(partition int, now time.Duration) (n int) {
	for _, c := range i.cutsOf(partition) {
		if c.At <= now {
			n++
		}
	}
	return n
}

// entries are those of a partition's life.
func (i *Incarnation) entries(partition, life int) []Entry {
	switch cuts := i.cutsOf(partition); {
	case life < len(cuts):
		return cuts[life].Was
	case partition < len(i.Partitions):
		return i.Partitions[partition]
	}
	return nil
}

// had tells whether a life had come to an offset by a time.
func (i *Incarnation) had(partition, life int, offset int64, now time.Duration) bool {
	cuts := i.cutsOf(partition)
	for _, c := range cuts[:life] {
		if offset >= c.From && now < c.At {
			return false
		}
	}
	return life == len(cuts) || offset <= cuts[life].Last
}

// same tells whether two lives are one up to an offset.
func (i *Incarnation) same(partition, a, b int, offset int64) bool {
	for _, c := range i.cutsOf(partition)[min(a, b):max(a, b)] {
		if offset >= c.From {
			return false
		}
	}
	return true
}

// ends is the highest offset behind which a loss may begin for who goes over
// from one life to another, by a time: all of the new one from the last cut on
// is owed. Not ok: there was no cut between them yet.
func (i *Incarnation) ends(partition, from, to int, now time.Duration) (offset int64, ok bool) {
	for life := from; life < to; life++ {
		if c := i.cutsOf(partition)[life]; c.At <= now {
			offset, ok = max(offset, c.From), true
		}
	}
	return offset - 1, ok
}

// least is the first life that a partition can be in under an epoch. Epochs
// count the cuts that were noticed, of all partitions together: a topic that is
// cut is never made anew in a run, so they begin at 0.
func (i *Incarnation) least(epoch string, partition int, now time.Duration) int {
	if len(i.Cuts) == 0 {
		return 0
	}
	mine := i.livesBy(partition, now)
	return min(max(0, eras(epoch)-(i.cuts(now)-mine)), mine)
}

// beyond tells whether a cursor had offsets that were cut by a time.
func (i *Incarnation) beyond(offsets []odin.Offset, now time.Duration) bool {
	for p, offset := range offsets {
		for _, c := range i.cutsOf(p) {
			if c.At <= now && int64(offset) >= c.From {
				return true
			}
		}
	}
	return false
}

// eras is the number in an epoch, 0 if it has none.
func eras(epoch string) int {
	_, number, _ := strings.Cut(epoch, ".")
	n, _ := strconv.Atoi(number)
	return n
}

// line is a life that a stream may be in: the entry at next is the first above
// the stream's place. Lives are one below where they were cut, so what a stream
// was sent may fit several.
type line struct{ life, next int }

// lines are the lives that can be at an offset under an epoch.
func (w *walk) lines(p *place, partition int, offset int64) (list []line) {
	least := p.incarnation.least(p.epoch, partition, w.now())
	for life := range len(p.incarnation.cutsOf(partition)) + 1 {
		if life >= least && p.incarnation.had(partition, life, offset, w.now()) {
			list = append(list, p.line(partition, life, offset))
		}
	}
	return list
}

func (p *place) line(partition, life int, offset int64) line {
	return line{life, behind(p.incarnation.entries(partition, life), offset)}
}

// inherit keeps, of the lives that a client's cursor can be of, those that fit
// what it was sent.
func (p *place) inherit(old *place) {
	if old == nil || old.incarnation != p.incarnation || old.epoch != p.epoch {
		return
	}
	for i := range min(len(p.parts), len(old.parts)) {
		part := &p.parts[i]
		if old.parts[i].vague {
			continue
		}
		fit := slices.DeleteFunc(slices.Clone(part.lines), func(l line) bool {
			return !slices.ContainsFunc(old.parts[i].lines, func(was line) bool { return p.incarnation.same(i, was.life, l.life, part.pos) })
		})
		if len(fit) > 0 { // else a fault was found before, behind which nothing fits
			part.lines = fit
		}
	}
}
