package odin

import "fmt"

// place is where a stream is.
//
// The cursor says what is missing after a break: the server's word, moved by
// records. The marks say what the caller has had: the largest offset handed
// over, or announced as dropped, for each partition. On one connection the
// server sends each offset once, so the two differ only where a new connection
// begins behind the cursor, at a worker that lags and could not prove anything
// (recovered:false): what it sends again is told by the marks, and dropped.
// Offsets of another epoch are others, so the marks end with it.
type place struct {
	cursor Cursor
	marks  map[string]TopicCursor
}

// newPlace begins where an earlier client was.
func newPlace(cursor Cursor) place {
	p := place{cursor: cursor.Clone(), marks: map[string]TopicCursor{}}
	if p.cursor == nil {
		p.cursor = Cursor{}
	}
	for topic, entry := range cursor {
		p.marks[topic] = entry.clone() // Unproven is below every offset
	}
	return p
}

// bounded tells whether what a message says of topics can be kept.
func (p *place) bounded(m *message) error {
	topics := len(p.cursor)
	for topic := range m.Cursor {
		if _, ok := p.cursor[topic]; !ok {
			topics++
		}
	}
	if _, ok := p.marks[m.pos.Topic]; !ok && m.pos.Topic != "" {
		topics = max(topics, len(p.marks)+1)
	}
	if topics > topicsMax {
		return &messageError{fmt.Errorf("more than %d topics", topicsMax)}
	}
	return nil
}

// handed tells whether the caller has had the record.
func (p *place) handed(pos Pos) bool {
	return at(p.marks[pos.Topic].Offsets, pos.Partition) >= Offset(pos.Offset)
}

// pass moves behind a record that the caller has had, or that was announced as
// dropped.
func (p *place) pass(pos Pos) {
	p.cursor.Advance(pos)
	mark, ok := p.marks[pos.Topic]
	if !ok {
		mark.Epoch = p.cursor[pos.Topic].Epoch
	}
	mark.Offsets = raise(mark.Offsets, pos)
	p.marks[pos.Topic] = mark
}

// adopt takes a cursor of the server's, each of whose entries replaces the
// client's. With keep, offsets still belong to the records that they did, and
// what the caller has had stays his; without, what lies behind the new place
// is yet to come.
func (p *place) adopt(cursor Cursor, keep bool) {
	for topic, entry := range cursor {
		entry = entry.clone()
		mark, ok := p.marks[topic]
		switch {
		case !ok:
		case mark.Epoch != "" && mark.Epoch != entry.Epoch:
			delete(p.marks, topic)
		case keep:
			mark.Epoch = entry.Epoch
			p.marks[topic] = mark
			entry.Offsets = proven(entry.Offsets, mark.Offsets)
		default:
			mark.Epoch = entry.Epoch
			p.marks[topic] = mark
			lower(mark.Offsets, entry.Offsets)
		}
		p.cursor[topic] = entry
	}
}

// proven are the offsets, no less than the marks; what can't be proven stays
// so.
func proven(offsets, marks []Offset) []Offset {
	for i, mark := range marks {
		if i >= len(offsets) {
			offsets = append(offsets, -1)
		}
		if offsets[i] != Unproven {
			offsets[i] = max(offsets[i], mark)
		}
	}
	return offsets
}

// lower makes the marks no larger than the offsets.
func lower(marks, offsets []Offset) {
	for i, mark := range marks {
		marks[i] = min(mark, at(offsets, i))
	}
}
