package worker

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/resume"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// replay is what a session is, in place of its subscriptions, from its
// reconnect to the answer. First it is decided whether all that was missed can
// be had, and nothing is sent; then it is read from the history, one partition
// after the other, until the session has come to where the others are.
type replay struct {
	id       []byte
	channels [][]byte // that are accepted, each once
	accepted [][]byte // as the client named them
	rejected []wire.Rejection
	omitted  int

	parts []replayPart
	names []claimedTopic // what the cursor says of topics; nil: a last_offset
	until int64          // monotonic ns: what is not answered by then is not waited for
	began int64          // monotonic ns
	size  int            // that it counts for in process.replayBytes

	deciding bool // stands in process.deciding
	playing  bool // decided: all can be had
	queued   bool // stands in process.ready
	reading  reading
	at       int // in parts: the one that is read, or was read last
	sent     int // records
}

// replayPart is one partition of a replay.
type replayPart struct {
	part    *partition // nil: there is none of that number
	claim   resume.Claim
	wants   uint64 // the number of the question for the log's end that answers the claim; 0: none
	fills   uint8  // how often its past was had
	now     bool   // nothing is claimed: live from now
	pointer int64  // while playing: all up to here is in the session's queue
}

type claimedTopic struct {
	topic *topic
	epoch string
}

// reconnect takes a session up where its client says that it stood.
func (p *process) reconnect(s *session, req *wire.Request) {
	if s.joined {
		p.fail(s, &wire.RequestError{Code: wire.ErrorBadRequest, ID: req.ID, Message: "reconnect comes in place of the first subscribe, once a connection; subscribe to more, or connect anew"})
		return
	}
	if topic, count := p.ambiguous(req.LastOffsets); topic != "" {
		message := fmt.Sprintf(`%s has %d partitions: send "%s:PARTITION": n, or the cursor of the last answer`, topic, count, topic)
		p.say(s, func(dst []byte) []byte {
			return wire.AppendReconnectError(dst, req.ID, wire.ReconnectPartitionNeeded, message)
		})
		return
	}
	s.joined = true
	s.replay = p.newReplay(s, req)
	p.replaying++
	p.replayBytes += s.replay.size
	if p.replayBytes > p.config.Limits.ReplayStateBytesMax {
		p.block.Add(shm.ReplayLimitReached, 1)
		p.closeWith(s, wire.CloseOverloaded)
		return
	}
	p.decide(s)
}

// ambiguous finds an offset that names a topic of several partitions without
// saying which.
func (p *process) ambiguous(offsets []wire.LastOffset) (topic string, partitions int) {
	for _, o := range offsets {
		if t := p.knownTopic(o.Topic); t != nil && o.Partition < 0 && len(t.parts) > 1 {
			return o.Topic, len(t.parts)
		}
	}
	return "", 0
}

func (p *process) knownTopic(name string) *topic {
	for i := range p.topics {
		if p.topics[i].name == name {
			return &p.topics[i]
		}
	}
	return nil
}

func (p *process) newReplay(s *session, req *wire.Request) *replay {
	r := &replay{id: bytes.Clone(req.ID), omitted: req.Omitted, began: p.now, until: p.now + int64(p.config.Limits.BackfillMax)}
	p.sift(r, req.Channels)
	p.countRejections(r.rejected, r.omitted)
	for _, c := range r.channels {
		s.topics |= p.topicsOf(c)
	}
	for i := range p.topics {
		if s.topics&(1<<i) != 0 {
			r.claim(&p.topics[i], req)
		}
	}
	r.size = replayBytes + partBytes*len(r.parts)
	for _, c := range r.accepted {
		r.size += 2*sliceBytes + len(c)
	}
	return r
}

// What a replay takes, about: itself, a partition of it, and a slice's header.
const (
	replayBytes = 512
	partBytes   = 64
	sliceBytes  = 24
)

// sift takes the channels that may be subscribed to.
func (p *process) sift(r *replay, channels [][]byte) {
	met := make(map[string]bool, len(channels))
	for _, c := range channels {
		c = bytes.Clone(c)
		switch rejection, ok := p.judge(c, len(r.channels), met[string(c)]); {
		case !ok:
			r.rejected = append(r.rejected, rejection)
			continue
		case !met[string(c)]:
			met[string(c)] = true
			r.channels = append(r.channels, c)
		}
		r.accepted = append(r.accepted, c)
	}
}

// judge tells whether a pattern may be subscribed to by a session that has so
// many.
func (p *process) judge(pattern []byte, has int, again bool) (wire.Rejection, bool) {
	if _, _, err := event.SplitPattern(pattern); err != nil {
		return wire.Rejection{Channel: pattern, Code: wire.RejectBadChannel, Message: err.Error()}, false
	}
	if has >= p.config.Limits.ChannelsMax && !again {
		return wire.Rejection{Channel: pattern, Code: wire.RejectTooMany, Message: p.tooMany}, false
	}
	return wire.Rejection{}, true
}

// claim takes what the request says of a topic: an entry for each partition
// that it names or that there is.
func (r *replay) claim(t *topic, req *wire.Request) {
	if req.Cursor == nil {
		r.claimOffsets(t, req.LastOffsets)
		return
	}
	i := slices.IndexFunc(req.Cursor, func(c wire.TopicCursor) bool { return c.Topic == t.name })
	if i < 0 {
		r.fromNow(t)
		return
	}
	r.names = append(r.names, claimedTopic{t, req.Cursor[i].Epoch})
	offsets := req.Cursor[i].Offsets
	for n := range max(len(offsets), len(t.parts), 1) {
		offset := event.None // the partition did not exist, so all of it is owed
		if n < len(offsets) {
			offset = offsets[n]
		}
		r.add(t, n, offset)
	}
}

// claimOffsets is claim for the replaced system's last_offset. What it says
// nothing of is live from now.
func (r *replay) claimOffsets(t *topic, offsets []wire.LastOffset) {
	r.fromNow(t)
	for _, o := range offsets {
		if o.Topic == t.name {
			r.setOffset(t, int(max(o.Partition, 0)), o.Offset)
		}
	}
}

func (r *replay) setOffset(t *topic, number int, offset int64) {
	if number < len(t.parts) && t.parts[number] != nil {
		for i := range r.parts {
			if q := &r.parts[i]; q.part == t.parts[number] {
				q.now, q.claim.Offset = false, offset
				return
			}
		}
	}
	r.add(t, number, offset)
}

func (r *replay) fromNow(t *topic) {
	for _, pt := range t.parts {
		if pt != nil {
			r.parts = append(r.parts, replayPart{part: pt, now: true, claim: resume.Claim{End: resume.Unknown}})
		}
	}
}

func (r *replay) add(t *topic, number int, offset int64) {
	q := replayPart{claim: resume.Claim{Offset: offset, End: resume.Unknown}}
	if number < len(t.parts) {
		q.part = t.parts[number]
	}
	if q.part == nil {
		q.claim.Offset = resume.Unproven
	}
	r.parts = append(r.parts, q)
}

// decide finds out whether a session's replay can begin, as often as something
// that it may depend on was answered.
func (p *process) decide(s *session) {
	r := s.replay
	for i := range r.parts {
		if pt := r.parts[i].part; pt != nil {
			p.refresh(pt)
		}
	}
	p.tellResets()
	if s.replay != r || s.stage != open {
		return
	}
	switch outcome, reason := p.judgeClaims(r); outcome {
	case resume.Recovered:
		p.beginReplay(s)
	case resume.Failed:
		p.unrecovered(s, reason)
	case resume.Pending:
		if !r.deciding {
			r.deciding = true
			p.deciding = append(p.deciding, s.token())
		}
	}
}

func (p *process) judgeClaims(r *replay) (resume.Outcome, resume.Reason) {
	p.claimed, p.claims = p.claimed[:0], p.claims[:0]
	for i := range r.parts {
		if q := &r.parts[i]; !q.now {
			p.claimed = append(p.claimed, q)
			p.claims = append(p.claims, q.claim)
		}
	}
	relations := p.relate(r)
	state := func(i int) resume.State { return p.stateOf(p.claimed[i], relations) }
	return resume.Decide(p.claims, state, func(i int, step resume.Step) { p.ask(p.claimed[i], step) })
}

// relate compares the epochs that a cursor names with those that are.
func (p *process) relate(r *replay) map[*topic]resume.Incarnation {
	relations := make(map[*topic]resume.Incarnation, len(r.names))
	for _, n := range r.names {
		relations[n.topic] = resume.Relate(n.epoch, n.topic.id, n.topic.eras())
	}
	return relations
}

// eras is the sum of its partitions' era numbers.
func (t *topic) eras() (sum uint64) {
	for _, pt := range t.parts {
		if pt != nil {
			sum += uint64(pt.replica.Position().Era)
		}
	}
	return sum
}

// stateOf is what this worker knows of a partition that something is claimed
// of. What only others know is looked up where it matters.
func (p *process) stateOf(q *replayPart, relations map[*topic]resume.Incarnation) resume.State {
	if q.part == nil {
		return resume.State{Incarnation: resume.Same}
	}
	pt := q.part
	incarnation, named := relations[pt.topic]
	if !named {
		incarnation = resume.Unnamed
	}
	pos := pt.replica.Position()
	state := resume.State{
		Incarnation: incarnation, Identified: pt.topic.id != event.TopicID{}, Unbroken: pos.Era == pt.firstEra,
		From: pos.From, Applied: pos.Applied, Observed: pos.From, Held: pos.Held,
		Stable: resume.Unknown, LogStart: resume.Unknown, PastTo: resume.Unknown,
	}
	if q.claim.Offset > pos.Applied {
		state.Held, state.Stable = p.heldByAny(pt, pos.Era), max(p.owners(pt).Stable, pt.endAsked(pos.Era))
	}
	if next := q.claim.Offset + 1; next < pos.From {
		state.LogStart = max(p.owners(pt).LogStart, pt.logStart)
		if pt.past.Covers(pos.Era, next) {
			state.PastFrom, state.PastTo = pt.past.Range()
		}
	}
	return state
}

// heldByAny is the furthest offset that a worker which runs holds.
func (p *process) heldByAny(pt *partition, era uint32) int64 {
	held := pt.replica.Position().Held
	for _, other := range p.published(pt) {
		if other.Live && other.Era == era {
			held = max(held, other.Held)
		}
	}
	return held
}

// owners is what the owner of a partition published last.
func (p *process) owners(pt *partition) shm.Position {
	none := shm.Position{Stable: resume.Unknown, LogStart: resume.Unknown}
	owner := pt.replica.Owner()
	if owner.Slot < 0 || owner.Slot >= p.segment.Layout().Slots {
		return none
	}
	pos, ok := p.segment.Slot(owner.Slot).Position(pt.index)
	if !ok || pos.Era != pt.replica.Position().Era || pos.Generation != owner.Generation {
		return none
	}
	return pos
}

// ask has something answered that a decision waits for.
func (p *process) ask(q *replayPart, step resume.Step) {
	switch step {
	case resume.AskEnd:
		p.askEnd(q)
	case resume.AskRange:
		p.askRange(q)
	}
}

// redecide looks again at all that waits for an answer.
func (p *process) redecide() {
	waiting := p.deciding
	p.deciding = p.decidingSpare[:0]
	for _, token := range waiting {
		if s := p.sessions.find(token); s != nil && s.replay != nil && s.replay.deciding {
			s.replay.deciding = false
			p.decideAgain(s)
		}
	}
	p.decidingSpare = waiting[:0]
}

func (p *process) decideAgain(s *session) {
	defer p.contain(s)
	p.decide(s)
}

// endsWithin is how long a decision waits for the log's end, or for an era to
// be met.
const endsWithin = time.Second

// hurryDecisions ends the wait for what doesn't come.
func (p *process) hurryDecisions() {
	if len(p.deciding) == 0 {
		return
	}
	for _, token := range p.deciding {
		if s := p.sessions.find(token); s != nil && s.replay != nil {
			p.hurry(s.replay)
		}
	}
	p.redecide()
}

func (p *process) hurry(r *replay) {
	relations := p.relate(r)
	for i := range r.parts {
		q := &r.parts[i]
		if q.now {
			continue
		}
		late := p.now > r.until
		switch resume.Judge(q.claim, p.stateOf(q, relations)).Step {
		case resume.Wait, resume.AskEnd:
			late = late || p.now-r.began > int64(endsWithin)
		}
		if late {
			q.claim.Refused = max(q.claim.Refused, resume.Unavailable)
		}
	}
}

// unrecovered answers that not all can be had, and the session goes on from
// now.
func (p *process) unrecovered(s *session, reason resume.Reason) {
	if c, ok := shm.ResumesFailedEpoch.By(reason.String()); ok {
		p.block.Add(c, 1)
	}
	p.goLive(s, wire.UnrecoveredReason(reason.String()))
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
