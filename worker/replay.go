package worker

import (
	"bytes"
	"slices"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// reading is the stretch of a history that a replay reads now.
type reading struct {
	on       bool
	history  replica.History
	to       int64         // the pointer when all was read
	next     replica.Place // what is looked at next,
	end      replica.Place // up to here
	channels [][]byte      // that match, sorted; nil: all

	found  bool            // the records were found by their channels: no other is looked at
	places []replica.Place // those that are left; process.places, so it lasts as long as one call of play
}

// Bounds of one session's replay in one turn. Sessions take turns.
const (
	playBytes = 64 << 10 // attached; what goes into one write
	playLooks = 4096     // records looked at
	findLooks = 1024     // the same, to find records by their channels
)

// turnLooks bounds the records that all replays look at in one turn.
const turnLooks = 64 << 10

// beginReplay begins to send what was missed.
func (p *process) beginReplay(s *session) {
	r := s.replay
	for i := range r.parts {
		q := &r.parts[i]
		if q.pointer = q.claim.Offset; q.now {
			q.pointer = q.part.replica.Position().Applied
		}
	}
	r.playing = true
	if r.crosses() {
		p.tellCrossing(s)
	}
	p.readyReplay(s)
}

// crosses tells whether eras have begun since the client was given its cursor:
// what it has is in the log still.
func (r *replay) crosses() bool {
	return slices.ContainsFunc(r.names, func(n claimedTopic) bool { return n.relation.Incarnation == resume.Earlier })
}

// tellCrossing tells the client before the first record of another era, as those
// were told who stayed. Else it might take that for one that it had, and a cursor
// that it has moved on by it would be refused.
func (p *process) tellCrossing(s *session) {
	p.block.Add(shm.ResetsEpoch, 1)
	cursor := p.cursorOf(s)
	p.say(s, func(dst []byte) []byte { return wire.AppendReset(dst, wire.ResetEpoch, false, cursor) })
}

// readyReplay has the session's replay go on in the next turn.
func (p *process) readyReplay(s *session) {
	if r := s.replay; r != nil && r.playing && !r.queued {
		r.queued = true
		p.readied = append(p.readied, s.token())
	}
}

// replayMissed is a turn's part in all that sessions missed: what was answered
// is decided on, and what was decided is sent.
func (p *process) replayMissed() {
	if p.redecides {
		p.redecides = false
		p.undecided = len(p.deciding)
		p.readyLacking()
	}
	p.redecide()
	p.playReplays()
	if len(p.filling) > 0 {
		p.tendFills()
	}
}

// playReplays attaches some of what sessions missed: each a portion, in turns,
// until the turn's budget is used up. Live records have been attached before,
// and are never delayed by more than that.
func (p *process) playReplays() {
	if len(p.awaiting) > 0 {
		p.readied = append(p.readied, p.awaiting...)
		p.awaiting = p.awaiting[:0]
	}
	size, looks, i := p.config.Limits.ReplayTurnBytesMax, turnLooks, 0
	for n := len(p.readied); i < n && size > 0 && looks > 0; i++ {
		s := p.sessions.find(p.readied[i])
		if s == nil || s.replay == nil || s.stage != open {
			continue
		}
		s.replay.queued = false
		attached, looked := p.play(s)
		size, looks = size-attached, looks-looked
	}
	p.readied = p.readied[:copy(p.readied, p.readied[i:])]
}

// play gives one session a portion. One whose socket is full goes on when it
// isn't.
func (p *process) play(s *session) (attached, looked int) {
	defer p.contain(s)
	if s.blocked {
		return 0, 0
	}
	r := s.replay
	room := playBytes - s.queue.Bytes
	for attached < room && looked < playLooks {
		if !r.reading.on {
			begun, cost := p.beginReading(s)
			looked += cost
			if !begun {
				return attached, looked
			}
		}
		size, done := p.playOne(s, room-attached, &looked)
		if attached += size; done {
			r.parts[r.at].pointer = r.reading.to
			r.reading.on = false
		}
	}
	if r.reading.found { // it is found anew in the next turn, behind the pointer
		r.reading = reading{}
	}
	p.readyReplay(s)
	return attached, looked
}

// beginReading turns to the next partition of which something is missing. If
// there is none the session goes live, unless it is ahead of the others: then
// it waits for them.
func (p *process) beginReading(s *session) (begun bool, looked int) {
	r := s.replay
	i, move := resume.Onward(len(r.parts), r.at, r.missing)
	switch move {
	case resume.Read:
		r.at = i
		return p.readPart(s, &r.parts[i])
	case resume.Await:
		r.queued = true
		p.awaiting = append(p.awaiting, s.token())
	case resume.Live:
		p.block.Add(shm.Resumes, 1)
		p.goLive(s, "")
	}
	return false, 1
}

// missing is how many offsets of a partition others were given and it was not.
func (r *replay) missing(i int) int64 {
	q := &r.parts[i]
	return q.part.replica.Position().Applied - q.pointer
}

// readPart prepares to read a partition from the session's pointer on, by the
// shorter of two ways: along its channels' chains, or past all records.
func (p *process) readPart(s *session, q *replayPart) (begun bool, looked int) {
	r := s.replay
	h, to, covered := q.part.past.Above(p.pastNow(q.part), q.pointer)
	if !covered {
		p.awaitPast(s, q)
		return false, 1
	}
	r.lacking = false
	first, end := h.Above(q.pointer)
	channels, all := q.part.topic.channelsOf(r.channels)
	r.reading = reading{on: true, history: h, next: first, end: end, to: to, channels: channels}
	looks := min(int(end-first), findLooks)
	if all || len(channels) >= looks {
		return true, 1
	}
	p.places, r.reading.found = h.Of(p.places[:0], channels, q.pointer, looks)
	if !r.reading.found {
		return true, looks
	}
	r.reading.places = p.places
	return true, len(channels)
}

// channelsOf is which channels of a topic some patterns stand for, sorted; all:
// all of them.
func (t *topic) channelsOf(patterns [][]byte) (channels [][]byte, all bool) {
	for _, pattern := range patterns {
		subject, name, _ := bytes.Cut(pattern, []byte{'.'})
		star := event.IsStar(name)
		switch {
		case !star && string(name) != t.event:
		case event.IsStar(subject):
			return nil, true
		case star:
			channels = append(channels, append(append(bytes.Clone(subject), '.'), t.event...))
		default:
			channels = append(channels, pattern)
		}
	}
	slices.SortFunc(channels, bytes.Compare)
	return slices.CompactFunc(channels, bytes.Equal), false
}

// playOne goes on with the reading until it is done or a record was attached.
// What is gone meanwhile is begun anew, behind the pointer: it may be had by now
// from elsewhere.
func (p *process) playOne(s *session, room int, looked *int) (attached int, done bool) {
	r := s.replay
	rd := &r.reading
	for ; *looked < playLooks; *looked++ {
		place, more := rd.place()
		if !more {
			return 0, true
		}
		e, there := rd.history.At(place)
		if !there {
			rd.on = false
			return 0, false
		}
		if !rd.found && !rd.matches(e.Channel) {
			rd.pass()
			continue
		}
		if size := int(e.Ref.Len); size > room && s.queue.Bytes > 0 {
			return room, false // in the next turn
		}
		rd.pass()
		p.attachMissed(s, &e)
		r.parts[r.at].pointer = e.Offset
		r.sent++
		return int(e.Ref.Len), false
	}
	return 0, false
}

func (p *process) attachMissed(s *session, e *replica.Entry) {
	p.writer.lend(&s.queue)
	s.queue.Attach(hub.Piece(e.Ref))
	p.block.Add(shm.ReplayedRecords, 1)
	p.touch(s)
}

func (rd *reading) place() (replica.Place, bool) {
	if rd.found {
		if len(rd.places) == 0 {
			return 0, false
		}
		return rd.places[0], true
	}
	return rd.next, rd.next != rd.end
}

func (rd *reading) pass() {
	if rd.found {
		rd.places = rd.places[1:]
	} else {
		rd.next++
	}
}

func (rd *reading) matches(channel []byte) bool {
	if rd.channels == nil {
		return true
	}
	_, found := slices.BinarySearchFunc(rd.channels, channel, bytes.Compare)
	return found
}

// ownCursor is the cursor of a session that is replayed: what it has been given
// so far. Before that is decided there is none.
func (p *process) ownCursor(s *session) []byte {
	r := s.replay
	if !r.playing {
		return nil
	}
	return p.appendCursor(s.topics, r.pointerOf)
}

// pointerOf is how far the session has come in a partition.
func (r *replay) pointerOf(pt *partition) int64 {
	for i := range r.parts {
		if q := &r.parts[i]; q.part == pt && r.playing {
			return q.pointer
		}
	}
	return wire.Unproven
}

func (r *replay) patternsFrom(at, most int) (some []string) {
	for _, c := range r.channels[min(at, len(r.channels)):min(at+most, len(r.channels))] {
		some = append(some, string(c))
	}
	return some
}

// covers tells whether the session will get all records of a channel, or all that
// a pattern stands for.
func (r *replay) covers(pattern []byte) bool {
	subject, name, _ := bytes.Cut(pattern, []byte{'.'})
	return slices.ContainsFunc(r.channels, func(c []byte) bool {
		s, n, _ := bytes.Cut(c, []byte{'.'})
		return (event.IsStar(s) || bytes.Equal(s, subject)) && (event.IsStar(n) || bytes.Equal(n, name))
	})
}

// goLive subscribes the session and answers its reconnect. It happens between
// two applies, when the session has all that others were given, or is told that
// it hasn't; so nothing is missing behind the answer, and nothing comes twice.
func (p *process) goLive(s *session, reason wire.UnrecoveredReason) {
	r := s.replay
	p.dropReplay(s)
	for _, c := range r.channels {
		if _, err := p.hub.Subscribe(&s.subs, s.index, c); err != nil {
			panic(err) // judge has let it through
		}
	}
	ack := wire.ReconnectAck{
		ID: r.id, Reason: reason, Replayed: r.sent, Subscribed: r.accepted, Rejected: r.rejected, Omitted: r.omitted,
		Cursor: p.cursorOf(s),
	}
	p.say(s, func(dst []byte) []byte { return wire.AppendReconnectAck(dst, ack) })
}

// dropReplay ends a session's replay, if it has one, whatever became of it.
func (p *process) dropReplay(s *session) {
	if s.replay != nil {
		p.replaying--
		p.replayBytes -= s.replay.size
		s.replay = nil
	}
}

// breakReplay ends a session whose replay can't go on: its client comes back
// with what it has got so far.
func (p *process) breakReplay(s *session) {
	p.block.Add(shm.ReplaysBroken, 1)
	p.closeWith(s, wire.CloseRestarting)
}
