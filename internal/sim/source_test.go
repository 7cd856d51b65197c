package sim

import (
	"errors"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

// source is the worker's fetching half of a partition. Polls wait in a queue, tagged.
type source struct {
	on      bool
	stopped bool // a fault was told
	tag     replica.Tag
	from    int64
	epoch   int32
	polls   []poll
}

type poll struct {
	advance event.Advance
	records []record
	fault   fault
	tag     replica.Tag
	offset  int64
	epoch   int32
	topic   event.TopicID
	stable  int64
	start   int64
}

type fault uint8

const (
	noFault fault = iota
	truncated
	recreated
	trimmed
)

// pollsMax bounds what is fetched and not yet taken.
const pollsMax = 4

type rangeRead struct {
	tag      replica.Tag
	from, to int64
	epoch    int32 // of what was held when it was asked for
	ready    bool
	answer   replica.Range
}

var errGone = errors.New("the range can't be had")

// fetchable tells whether a fetch would answer.
func (l *local) fetchable() bool {
	s, v := &l.source, l.part.kafka.now()
	if !s.on || s.stopped || len(s.polls) >= pollsMax {
		return false
	}
	return s.from < v.stable || l.fault() != noFault
}

// fault is what the broker would answer instead of records.
func (l *local) fault() fault {
	s, v := &l.source, l.part.kafka.now()
	switch {
	case v.topic != l.part.topicOf(s.tag.Era):
		return recreated
	case s.epoch != event.NoEpoch && v.endOf(s.epoch) < s.from, s.from > v.end():
		return truncated
	case s.from < v.start:
		return trimmed
	}
	return noFault
}

// fetch puts one poll into the queue, by what the log is now.
func (l *local) fetch(x uint32) {
	s, v := &l.source, l.part.kafka.now()
	p := poll{tag: s.tag, fault: l.fault(), stable: v.stable, start: v.start}
	switch p.fault {
	case truncated:
		p.offset = v.end()
		if s.epoch != event.NoEpoch {
			p.offset = min(p.offset, v.endOf(s.epoch))
		}
		p.epoch = v.epochShared(s.epoch, p.offset)
	case recreated:
		p.topic = v.topic
	case trimmed:
		p.offset = v.start
	case noFault:
		to := min(s.from+int64(x%5), v.stable-1)
		p.records = v.read(nil, s.from, to)
		if n := len(p.records); l.world().broken == noControls && n > 0 {
			to = p.records[n-1].offset
		} else if l.world().broken == noControls {
			s.from = min(s.from+4, v.stable-1) + 1 // it reads on, and tells nothing
			return
		}
		p.advance = event.Advance{Prev: s.from - 1, To: to, ToEpoch: v.entries[to].epoch}
		s.from, s.epoch = to+1, v.entries[to].epoch
	}
	s.stopped = p.fault != noFault
	s.polls = append(s.polls, p)
}

// stalled: who reads the past of what is held, and finds another log there, tries
// again until the era changes.
func (l *local) stalled(era uint32, from int64, epoch int32) bool {
	return l.replica.Position().Era == era && l.pastTo(era, from, from, epoch) < from
}

// pastTo is up to where the log still is the past of a record of an era and a
// leader epoch: another incarnation isn't, nor what was appended after that record,
// where the log was cut and has grown again.
func (l *local) pastTo(era uint32, from, to int64, epoch int32) int64 {
	v := l.part.kafka.now()
	if l.part.version(min(era, l.part.era.Number)).topic != v.topic {
		return from - 1
	}
	to = min(to, v.stable-1)
	for o := from; o <= to && epoch != event.NoEpoch && l.world().broken != regrown; o++ {
		if v.entries[o].epoch > epoch {
			return o - 1
		}
	}
	return to
}

// readRange lets the second reader read, and tells what it read, each when the
// schedule has it.
func (l *local) readRange(i int, x uint32) {
	q := &l.ranges[i]
	switch {
	case !q.ready && l.stalled(q.tag.Era, q.from, q.epoch):
	case !q.ready:
		q.ready, q.answer = true, l.rangeOf(q, x)
	default:
		a := q.answer
		l.ranges = append(l.ranges[:i], l.ranges[i+1:]...)
		l.run(l.replica.RangeRead(nil, a))
	}
}

// rangeOf answers as the second reader does: some of it, all of it, what is
// left of it, or at last nothing.
func (l *local) rangeOf(q *rangeRead, x uint32) replica.Range {
	v, w := l.part.kafka.now(), l.world()
	a := replica.Range{Tag: q.tag, From: q.from, To: q.from - 1}
	to := l.pastTo(q.tag.Era, q.from, min(q.to, q.from+int64(x>>4%6)), q.epoch)
	switch {
	case x%8 == 0 && !w.calm && !w.plan.eras:
		a.Err = errGone
		l.part.gone = max(l.part.gone, q.to)
	case q.from < v.start && x>>8%2 == 0:
		a.LogStart = v.start
	default:
		a.LogStart = v.start
		if from := max(q.from, v.start); from <= to {
			a.Records = w.copies(v.read(nil, from, to))
			a.To, a.ToEpoch = to, v.entries[to].epoch
		}
	}
	return a
}

// compared has the leader answer OffsetForLeaderEpoch. A topic that was made
// anew has no answer of worth: the source will meet it.
func (l *local) compared() {
	f, v := l.asked[0], l.part.kafka.now()
	l.asked = append(l.asked[:0], l.asked[1:]...)
	c := replica.Comparison{Tag: replica.Tag{Term: f.Term, Era: f.Era}}
	if end := v.endOf(f.Epoch); v.topic == l.part.topicOf(f.Era) && end <= f.From {
		c.Parted, c.End, c.Epoch = true, end, v.epochShared(f.Epoch, end)
	}
	l.run(l.replica.Compared(nil, c))
}

// listens tells whether an owner has published positions to look at.
func (l *local) listens() bool {
	return l.replica.Owns() && l.heard != l.part.publishes && l.world().broken != deaf
}

func (l *local) hear() {
	l.heard = l.part.publishes
	l.run(l.replica.Heard(nil, l.part.positions()))
}
