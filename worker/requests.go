package worker

import (
	"bytes"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// serve answers one request.
func (p *process) serve(s *session, payload []byte) {
	p.provoke(inRequest, s)
	req, rerr := wire.ParseRequest(payload, p.requestLimits)
	if rerr != nil {
		p.fail(s, rerr)
		return
	}
	if s.replay != nil && req.Type != wire.RequestHeartbeat && req.Type != wire.RequestReconnect {
		p.fail(s, &wire.RequestError{Code: wire.ErrorBadRequest, ID: req.ID, Message: "a reconnect is under way: wait for its reconnect_ack"})
		return
	}
	switch req.Type {
	case wire.RequestSubscribe:
		p.block.Add(shm.SubscribeRequests, 1)
		p.subscribe(s, &req)
	case wire.RequestUnsubscribe:
		p.block.Add(shm.UnsubscribeRequests, 1)
		p.unsubscribe(s, &req)
	case wire.RequestHeartbeat:
		p.block.Add(shm.HeartbeatRequests, 1)
		p.say(s, func(dst []byte) []byte {
			return wire.AppendPong(dst, req.ID, p.wallMillis(), p.cursorOf(s))
		})
	case wire.RequestReconnect:
		p.block.Add(shm.ReconnectRequests, 1)
		p.reconnect(s, &req)
	}
}

// fail answers a request that can't be served; a client that never learns is
// closed.
func (p *process) fail(s *session, rerr *wire.RequestError) {
	lim := &p.config.Limits
	if first, ok := shm.RequestErrorsBadJSON.By(string(rerr.Code)); ok {
		p.block.Add(first, 1)
	}
	if p.now-s.errorsSince > int64(lim.ErrorsWindow) {
		s.errorsSince, s.errors = p.now, 0
	}
	s.errors++
	p.say(s, func(dst []byte) []byte { return wire.AppendError(dst, rerr) })
	if int(s.errors) >= lim.ErrorsMax {
		p.closeWith(s, wire.ClosePolicy)
	}
}

func (p *process) subscribe(s *session, req *wire.Request) {
	s.joined = true
	latest := p.latest(s, req)
	ack := wire.SubscriptionAck{ID: req.ID, Omitted: req.Omitted, History: len(latest)}
	for _, c := range req.Channels {
		if rejection, ok := p.join(s, c); ok {
			ack.Subscribed = append(ack.Subscribed, c)
		} else {
			ack.Rejected = append(ack.Rejected, rejection)
		}
	}
	p.countRejections(ack.Rejected, req.Omitted)
	ack.Count = s.subs.Count()
	ack.Cursor = p.cursorOf(s)
	p.say(s, func(dst []byte) []byte { return wire.AppendSubscriptionAck(dst, ack) })
	p.attachLatest(s, latest)
}

// join subscribes a session to one pattern. One that it has already is
// accepted again: clients repeat themselves after a reconnect of their own.
func (p *process) join(s *session, pattern []byte) (wire.Rejection, bool) {
	if _, _, err := event.SplitPattern(pattern); err != nil {
		return wire.Rejection{Channel: pattern, Code: wire.RejectBadChannel, Message: err.Error()}, false
	}
	if s.subs.Count() >= p.config.Limits.ChannelsMax && !p.hub.Has(&s.subs, s.index, pattern) {
		return wire.Rejection{Channel: pattern, Code: wire.RejectTooMany, Message: p.tooMany}, false
	}
	if _, err := p.hub.Subscribe(&s.subs, s.index, pattern); err != nil {
		return wire.Rejection{Channel: pattern, Code: wire.RejectBadChannel, Message: err.Error()}, false
	}
	s.topics |= p.topicsOf(pattern)
	return wire.Rejection{}, true
}

func (p *process) countRejections(rejected []wire.Rejection, omitted int) {
	for i := range rejected {
		if c, ok := shm.SubscriptionsRejectedBadChannel.By(string(rejected[i].Code)); ok {
			p.block.Add(c, 1)
		}
	}
	p.block.Add(shm.SubscriptionsRejectedTooMany, uint64(omitted))
}

func (p *process) unsubscribe(s *session, req *wire.Request) {
	var done [][]byte
	for _, c := range req.Channels {
		if p.hub.Unsubscribe(&s.subs, s.index, c, p.subscriptionsOf) {
			done = append(done, c)
		}
	}
	p.retopic(s)
	p.say(s, func(dst []byte) []byte {
		return wire.AppendUnsubscriptionAck(dst, req.ID, done, s.subs.Count())
	})
}

// cursorOf gives the session's cursor: for every topic that its channels can
// come from, the last offset of each partition that sessions were given. The
// answer that carries it is queued behind those records.
func (p *process) cursorOf(s *session) []byte {
	if s.replay != nil {
		return p.ownCursor(s)
	}
	if c, ok := p.cursors[s.topics]; ok {
		return c
	}
	c := p.appendCursor(s.topics, lastApplied)
	if len(p.cursors) < cursorsMax {
		p.cursors[s.topics] = c
	}
	return c
}

func lastApplied(pt *partition) int64 { return pt.replica.Position().Applied }

// appendCursor makes the cursor of some topics; at tells how far in each
// partition.
func (p *process) appendCursor(topics uint64, at func(*partition) int64) []byte {
	p.cursor = p.cursor[:0]
	for i := range p.topics {
		if topics&(1<<i) != 0 && len(p.topics[i].parts) > 0 {
			p.cursor = append(p.cursor, p.topics[i].entry(at))
		}
	}
	return wire.AppendCursor(nil, p.cursor)
}

// cursorsMax is how many encoded cursors are kept: as many as there are usual
// sets of topics.
const cursorsMax = 64

// retopic finds anew which topics a session's channels can come from.
func (p *process) retopic(s *session) {
	s.topics = 0
	s.subs.Patterns(func(pattern string) bool {
		s.topics |= p.topicsOf([]byte(pattern))
		return true
	})
}

// topicsOf tells, as bits, the topics whose records a pattern can match.
func (p *process) topicsOf(pattern []byte) uint64 {
	_, name, _ := bytes.Cut(pattern, []byte{'.'})
	if event.IsStar(name) {
		return ^uint64(0)
	}
	return p.topicsByEvent[string(name)]
}

func (t *topic) entry(at func(*partition) int64) wire.TopicCursor {
	t.offsets = t.offsets[:0]
	for _, pt := range t.parts {
		if pt == nil { // known by a higher number, not yet by its own
			t.offsets = append(t.offsets, wire.Unproven)
			continue
		}
		t.offsets = append(t.offsets, at(pt))
	}
	return wire.TopicCursor{Topic: t.name, Epoch: event.EpochName(t.named, t.eras()), Offsets: t.offsets}
}
