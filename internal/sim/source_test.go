package sim

import (
	"errors"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

var errGone = errors.New("the range can't be had")

// fetchable tells whether a fetch would answer.
func (w *worker) fetchable() bool {
	s, v := &w.source, w.world.kafka.now()
	if !s.on || s.stopped || len(s.polls) >= pollsMax {
		return false
	}
	return s.from < v.stable || w.fault() != noFault
}

// fault is what the broker would answer instead of records.
func (w *worker) fault() fault {
	s, v := &w.source, w.world.kafka.now()
	switch {
	case v.topic != w.world.topicOf(s.tag.Era):
		return recreated
	case s.epoch != event.NoEpoch && v.endOf(s.epoch) < s.from, s.from > v.end():
		return truncated
	case s.from < v.start:
		return trimmed
	}
	return noFault
}

// fetch puts one poll into the queue, by what the log is now.
func (w *worker) fetch(x uint32) {
	s, v := &w.source, w.world.kafka.now()
	p := poll{tag: s.tag, fault: w.fault()}
	switch p.fault {
	case truncated:
		p.offset = v.end()
		if s.epoch != event.NoEpoch {
			p.offset = min(p.offset, v.endOf(s.epoch))
		}
		p.epoch = v.epochBefore(p.offset)
	case recreated:
		p.topic = v.topic
	case trimmed:
		p.offset = v.start
	case noFault:
		to := min(s.from+int64(x%5), v.stable-1)
		p.records = v.read(nil, s.from, to)
		p.advance = event.Advance{Prev: s.from - 1, To: to, ToEpoch: v.entries[to].epoch}
		s.from, s.epoch = to+1, v.entries[to].epoch
	}
	s.stopped = p.fault != noFault
	s.polls = append(s.polls, p)
}

// stalled: the second reader meets the fault that the source meets, and tries
// again until the era changes.
func (w *worker) stalled(q *rangeRead) bool {
	return w.world.eras[q.tag.Era] != len(w.world.kafka.versions)-1 && w.replica.Position().Era == q.tag.Era
}

// readRange lets the second reader read, and tells what it read, each when the
// schedule has it.
func (w *worker) readRange(i int, x uint32) {
	q := &w.ranges[i]
	switch {
	case !q.ready && w.stalled(q):
	case !q.ready:
		q.ready, q.answer = true, w.rangeOf(q, x)
	default:
		a := q.answer
		w.ranges = append(w.ranges[:i], w.ranges[i+1:]...)
		w.run(w.replica.RangeRead(w.fx[:0], a))
	}
}

// rangeOf answers as the second reader does: some of it, all of it, what is
// left of it, or at last nothing.
func (w *worker) rangeOf(q *rangeRead, x uint32) replica.Range {
	v := w.world.kafka.now()
	a := replica.Range{Tag: q.tag, From: q.from, To: q.from - 1}
	to := min(q.to, q.from+int64(x>>4%6), v.stable-1)
	switch {
	case x%8 == 0 && !w.world.calm && !w.world.plan.eras:
		a.Err = errGone
		w.world.gone = max(w.world.gone, q.to)
	case q.from < v.start && x>>8%2 == 0:
		a.LogStart = v.start
	default:
		a.LogStart = v.start
		if from := max(q.from, v.start); from <= to {
			a.Records = w.world.copies(v.read(nil, from, to))
			a.To, a.ToEpoch = to, v.entries[to].epoch
		}
	}
	return a
}

// compared has the leader answer OffsetForLeaderEpoch. A topic that was made
// anew has no answer of worth: the source will meet it.
func (w *worker) compared() {
	f, v := w.asked[0], w.world.kafka.now()
	w.asked = append(w.asked[:0], w.asked[1:]...)
	c := replica.Comparison{Tag: replica.Tag{Term: f.Term, Era: f.Era}}
	if end := v.endOf(f.Epoch); v.topic == w.world.topicOf(f.Era) && end <= f.From {
		c.Parted, c.End, c.Epoch = true, end, v.epochBefore(end)
	}
	w.run(w.replica.Compared(w.fx[:0], c))
}

// listens tells whether an owner has published positions to look at.
func (w *worker) listens() bool {
	return w.world.broken != deaf && w.replica.Owns() && w.heard != w.world.publishes
}
