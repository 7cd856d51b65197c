package worker

import (
	"bytes"
	"fmt"
	"slices"

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
	late     bool // something was not answered in time
	playing  bool // decided: all can be had
	queued   bool // stands in process.readied, awaiting or lacking
	lacking  bool // parts[at] waits for its past
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
	topic    *topic
	epoch    string
	relation resume.Relation // as it was when the claims were judged last
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
	if p.segment.Partitions() != len(p.partitions) {
		p.learnPartitions() // the cursor may be of a worker that knows them already
	}
	s.joined = true
	if len(req.ClientID) > 0 {
		p.called[s.index] = printable(req.ClientID)
	}
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
	r.names = append(r.names, claimedTopic{topic: t, epoch: req.Cursor[i].Epoch})
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
