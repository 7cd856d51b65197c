package worker

import (
	"fmt"
	"slices"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/hub"
)

// answerSession answers all that is known of one session.
func (p *process) answerSession(id control.SessionID, a *control.Answer) error {
	switch {
	case id.Slot != p.slot:
		return fmt.Errorf("session %s belongs to worker %d", id, id.Slot)
	case id.Generation != p.generation:
		return fmt.Errorf("session %s belonged to the worker of generation %d, which is gone with all that it remembered: this is generation %d", id, id.Generation, p.generation)
	}
	d := &details{walk: walk{budget: portion}, number: id.Number}
	for _, look := range []func(*process) bool{d.amongLive, d.amongClosed} {
		for d.at = 0; d.session == nil; {
			more := false
			if !p.inLoop(func(p *process) { more = look(p) }) {
				return errEnds
			}
			if !more {
				break
			}
		}
	}
	if d.session == nil {
		return fmt.Errorf("no session %s, neither a live one nor one of the last %d that ended here", id, p.past.max)
	}
	if err := a.Item(control.SessionItem{Session: d.session}); err != nil || d.live == nil {
		return err
	}
	return d.rest(p, a)
}

// details looks for one session, and then at all of it.
type details struct {
	walk
	number  uint64
	session *control.Session
	live    *session // nil: it has ended
}

func (d *details) amongLive(p *process) (more bool) {
	return d.portion(p, p.sessions.places(), func(i uint64) {
		s := p.sessions.at(uint32(i))
		if s.number == d.number && s.stage != free && s.stage != gone {
			d.live, d.session = s, p.describe(s)
		}
	})
}

func (d *details) amongClosed(p *process) (more bool) {
	return d.portion(p, uint64(p.past.len()), func(i uint64) {
		if s := p.past.at(p.past.total - 1 - i); s.number == d.number {
			d.session = &control.Session{Connection: p.formerly(s)}
		}
	})
}

func (p *process) describe(s *session) *control.Session {
	d := &control.Session{
		Connection: p.connection(s), OwedRecords: s.queue.Records, Pieces: len(s.queue.Pieces),
		PartialBytes: s.reader.Buffered() + len(s.rest), PingMS: p.unixMillis(s.pingAt),
	}
	for _, piece := range s.queue.Pieces {
		if piece.Chunk == hub.Own {
			d.OwnBytes += int(piece.Len)
		}
	}
	if p.now-s.errorsSince <= int64(p.config.Limits.ErrorsWindow) {
		d.Errors = s.errors
	}
	if s.awaiting {
		d.PongDueMS = p.unixMillis(s.deadline)
	}
	return d
}

// rest tells patterns and cursor of a live session; of one that ends meanwhile
// what there was until then.
func (d *details) rest(p *process, a *control.Answer) error {
	for at := 0; ; {
		var some []string
		if !p.inLoop(func(*process) { some = d.patterns(at) }) {
			return errEnds
		}
		if len(some) == 0 {
			break
		}
		at += len(some)
		if err := a.Item(control.SessionItem{Patterns: some}); err != nil {
			return err
		}
	}
	var cursor []control.CursorPart
	if !p.inLoop(func(p *process) { cursor = d.cursor(p) }) {
		return errEnds
	}
	for i := range cursor {
		if err := a.Item(control.SessionItem{Cursor: &cursor[i]}); err != nil {
			return err
		}
	}
	return nil
}

func (d *details) there() bool { return d.live.number == d.number && d.live.stage == open }

func (d *details) patterns(at int) []string {
	if !d.there() {
		return nil
	}
	if r := d.live.replay; r != nil {
		return r.patternsFrom(at, control.PatternsMax)
	}
	return d.live.subs.PatternsFrom(at, control.PatternsMax)
}

func (d *details) cursor(p *process) (parts []control.CursorPart) {
	if !d.there() {
		return nil
	}
	applied := lastApplied
	if d.live.replay != nil {
		applied = d.live.replay.pointerOf
	}
	for i := range p.topics {
		if d.live.topics&(1<<i) == 0 || len(p.topics[i].parts) == 0 {
			continue
		}
		entry := p.topics[i].entry(applied)
		from := int32(0)
		for offsets := range slices.Chunk(entry.Offsets, control.OffsetsMax) {
			parts = append(parts, control.CursorPart{Topic: entry.Topic, Epoch: entry.Epoch, From: from, Offsets: slices.Clone(offsets)})
			from += int32(len(offsets))
		}
	}
	return parts
}
