package kafka

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// session is a fetch session (KIP-227): the broker remembers what it was
// asked for, and a request names only what differs. The zero value is none.
type session struct {
	id, epoch int32
	members   []member // what the broker remembers, by topic and number
	next      []member // the same once it answered the request under way
}

// member is one partition of a session, and what was asked of it.
type member struct {
	event.Partition
	topic              event.TopicID
	offset             int64
	leaderEpoch, epoch int32
	bytes              int32
}

// reset begins a new session with the next request, which also ends the one
// that the broker may have.
func (s *session) reset() { s.epoch, s.members = 0, s.members[:0] }

// request makes the fetch that a plan stands for.
func (f *fetcher) request(p plan) *kmsg.FetchRequest {
	s := &f.session
	req := newFetch(p.bytes)
	req.SessionID, req.SessionEpoch = s.id, s.epoch
	if p.in > 0 { // so that those that are put off needn't wait longer
		req.MaxWaitMillis = int32(min(p.in, fetchWait)/time.Millisecond) + 1
	}
	f.s.mu.Lock() // the parts are read
	defer f.s.mu.Unlock()
	s.next = s.next[:0]
	for _, a := range p.fetch {
		s.next = append(s.next, member{a.Partition, a.topic, a.next, a.leaderEpoch, a.epoch, min(p.bytes, partBytesMax)})
	}
	s.leave(req)
	f.first = (f.first + 1) % max(len(p.fetch), 1)
	for i := range p.fetch {
		at := (f.first + i) % len(p.fetch)
		if !s.knows(&s.next[at]) {
			want(req, p.fetch[at], s.next[at].bytes)
		}
	}
	return req
}

// knows tells whether the broker remembers a member as it is to be.
func (s *session) knows(m *member) bool {
	was := find(s.members, m)
	return was != nil && *was == *m
}

// leave has the broker forget the members that aren't to be any more.
func (s *session) leave(req *kmsg.FetchRequest) {
	for i := range s.members {
		if m := &s.members[i]; find(s.next, m) == nil {
			forget(req, m)
		}
	}
}

// find looks a member up, whatever is asked of it.
func find(in []member, m *member) *member {
	at, ok := slices.BinarySearchFunc(in, m.Partition, func(o member, p event.Partition) int { return byName(o.Partition, p) })
	if !ok || in[at].topic != m.topic {
		return nil
	}
	return &in[at]
}

// forget has the broker drop a partition from the session: else it answered
// for it, again and again, from where it stood.
func forget(req *kmsg.FetchRequest, m *member) {
	n := len(req.ForgottenTopics)
	if n == 0 || req.ForgottenTopics[n-1].Topic != m.Topic || req.ForgottenTopics[n-1].TopicID != m.topic {
		t := kmsg.NewFetchRequestForgottenTopic()
		t.Topic, t.TopicID = m.Topic, m.topic
		req.ForgottenTopics = append(req.ForgottenTopics, t)
		n++
	}
	t := &req.ForgottenTopics[n-1]
	t.Partitions = append(t.Partitions, m.Number)
}

// done takes up the answer to a request. A broker that has no room for a
// session says 0; each request is a full one then, and asks again.
func (s *session) done(req *kmsg.FetchRequest, resp *kmsg.FetchResponse) {
	switch {
	case kerr.ErrorForCode(resp.ErrorCode) != nil:
		s.reset()
	case resp.SessionID == 0:
		s.id = 0
		s.reset()
	default:
		s.id, s.members, s.next = resp.SessionID, s.next, s.members
		if s.epoch = req.SessionEpoch + 1; s.epoch <= 0 {
			s.epoch = 1 // after the largest comes 1; 0 would be a new one
		}
	}
}
