package worker

import (
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/hub"
)

// answerSessions answers what sessions there are, or were.
func (p *process) answerSessions(q *control.Connections, a *control.Answer) error {
	if q == nil {
		q = &control.Connections{}
	}
	condition, err := q.Condition()
	if err != nil {
		return err
	}
	c := &census{walk: walk{budget: portion}, condition: condition, pattern: []byte(q.Channel)}
	first, alive := q.First(), &progress{a, time.Now()}
	look := c.live
	if q.Closed {
		look = c.closed
	}
	for more := true; more; {
		if !p.inLoop(func(p *process) { more = look(p) }) {
			return errEnds
		}
		for i := range c.found {
			first.Add(c.found[i])
		}
		if err := alive.show(control.ConnectionItem{}); err != nil {
			return err
		}
	}
	for _, s := range first.List() {
		if err := a.Item(control.ConnectionItem{Connection: &s}); err != nil {
			return err
		}
	}
	return a.Item(control.ConnectionItem{Count: &c.count})
}

// census looks at all sessions, a portion at a time. A session that comes while
// it goes on may be missing; none is there twice.
type census struct {
	condition control.Condition
	pattern   []byte // empty: any channel

	walk
	lists  []*hub.List // whose members get all of the channel
	newest uint64      // closed sessions when it began
	count  control.ConnectionCount
	found  []control.Connection // in this portion
}

// live does a portion of the live sessions, and tells whether there are more.
func (c *census) live(p *process) (more bool) {
	c.found = c.found[:0]
	c.lists = p.hub.Covering(c.lists[:0], c.pattern)
	return c.portion(p, p.sessions.places(), func(i uint64) {
		s := p.sessions.at(uint32(i))
		if s.stage == free || s.stage == gone {
			return
		}
		gets := len(c.pattern) == 0 || s.subs.In(s.index, c.lists) || s.replay != nil && s.replay.covers(c.pattern)
		c.take(p, p.connection(s), gets)
	})
}

// closed does a portion of those that ended, the last one first.
func (c *census) closed(p *process) (more bool) {
	if c.at == 0 {
		c.newest = p.past.total
	}
	c.found = c.found[:0]
	// What has left the ring meanwhile is beyond the end.
	return c.portion(p, c.newest-min(p.past.first, c.newest), func(i uint64) {
		c.take(p, p.formerly(p.past.at(c.newest-1-i)), true)
	})
}

func (c *census) take(p *process, s control.Connection, otherwise bool) {
	c.count.Looked++
	if otherwise && c.condition.Meets(&s, p.wall/int64(time.Millisecond)) {
		c.count.Matching++
		c.found = append(c.found, s)
	}
}

// connection is a live session as operators see it.
func (p *process) connection(s *session) control.Connection {
	c := control.Connection{
		ID: p.id(s), Worker: p.slot, Remote: s.remote, Client: p.called[s.index], State: control.StateOpen, OpenedMS: p.unixMillis(s.opened),
		Channels: s.subs.Count(), Records: s.whole, Bytes: s.sent, OwedBytes: s.queue.Bytes, Dropped: s.dropped,
		Requests: s.requests, BytesIn: s.received, Window: s.window, PongMS: p.unixMillis(s.pongAt), Code: int(s.code),
	}
	if s.replay != nil {
		c.State, c.Channels = control.StateReplaying, len(s.replay.channels)
	}
	if s.blocked {
		c.State = control.StateBlocked
	}
	if s.stage >= closing {
		c.State = control.StateClosing
	}
	if s.ending != nil {
		c.Reason, c.Detail, c.Channels = s.ending.why, s.ending.detail, s.ending.channels
	}
	return c
}

// formerly is one that ended.
func (p *process) formerly(s *closedSession) control.Connection {
	return control.Connection{
		ID:     control.SessionID{Slot: p.slot, Generation: p.generation, Number: s.number},
		Worker: p.slot, Remote: s.remote, State: control.StateClosed, OpenedMS: p.unixMillis(s.opened), ClosedMS: p.unixMillis(s.closed),
		Channels: s.ending.channels, Records: s.whole, Bytes: s.sent, OwedBytes: s.ending.owed, Dropped: s.dropped,
		Requests: s.requests, BytesIn: s.received, Window: s.window, PongMS: p.unixMillis(s.pongAt), Code: int(s.code),
		Reason: s.ending.why, Detail: s.ending.detail,
	}
}

// unixMillis is when a moment of the monotonic clock was; 0: never.
func (p *process) unixMillis(at int64) int64 {
	if at == 0 {
		return 0
	}
	return (p.wall - p.now + at) / int64(time.Millisecond)
}
