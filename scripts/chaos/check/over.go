package check

import (
	"slices"

	odin "github.com/odin-ws/odin/clients/go"
)

// lose moves a stream over a reset that says that a topic lost records: in each
// partition it goes on as it was, or with what took the place of what was cut.
func (w *walk) lose(topic string, c odin.TopicCursor) {
	p := w.topics[topic]
	p.epoch = c.Epoch
	for i, offset := range c.Offsets {
		part := w.part(p, i)
		s := step{p, part, odin.Pos{Topic: topic, Partition: i, Offset: int64(offset)}, int64(offset), nil, Missing}
		lines := w.jumped(p, i, int64(offset))
		w.trials = w.trials[:0]
		if part.told = nil; part.vague || s.to >= part.pos {
			w.try(&s, part.lines)
		}
		switch {
		case len(lines) == 0 && len(w.trials) == 0:
			w.fault(Misannounced, s.pos, "is a reset's cursor, but the stream was at %d, and nothing was cut", part.pos)
		case len(lines) == 0:
			w.take(&s)
		default:
			part.lines, part.pos, part.vague = w.united(lines), s.to, offset == odin.Unproven
		}
	}
	w.outlive(topic)
}

// jumped are the lives that a loss may lead to: with nothing of them missing
// from where the log was cut. But where nothing has come since the stream began,
// odind may not know of which leader epoch its place is, nor then where the logs
// part: it goes on from where the new one ends.
func (w *walk) jumped(p *place, partition int, offset int64) (list []line) {
	part := w.part(p, partition)
	for _, to := range w.lines(p, partition, offset) {
		if slices.ContainsFunc(part.lines, func(l line) bool {
			end, ok := p.incarnation.ends(partition, l.life, to.life, w.now())
			return ok && (offset <= end || !part.sent)
		}) {
			list = append(list, to)
		}
	}
	return list
}

// united adds the sound ones of the lines tried.
func (w *walk) united(lines []line) []line {
	for _, t := range w.trials {
		if t.faults == nil && !slices.ContainsFunc(lines, func(l line) bool { return l.life == t.life }) {
			lines = append(lines, t.line)
		}
	}
	return lines
}

// outlive drops the lives that an epoch says are over. Who had what was cut with
// the last of them has lost it.
func (w *walk) outlive(topic string) {
	p := w.topics[topic]
	for i := range p.parts {
		part := &p.parts[i]
		least := p.incarnation.least(p.epoch, i, w.now())
		over := func(l line) bool { return l.life < least }
		if !slices.ContainsFunc(part.lines, over) {
			continue
		}
		pos := odin.Pos{Topic: topic, Partition: i, Offset: part.pos}
		if slices.ContainsFunc(part.lines, func(l line) bool { return !over(l) }) {
			part.lines = slices.DeleteFunc(part.lines, over)
		} else {
			w.fault(Missing, pos, "had what was cut, and a reset to epoch %s says that nothing was lost", p.epoch)
			part.lines = []line{p.line(i, least, part.pos)}
		}
	}
}
