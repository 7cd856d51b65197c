package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// session is a fetch session (KIP-227): the broker remembers what it was
// asked for, and a request names only what differs. The zero value is none.
type session struct {
	id, epoch int32
	members   map[member]asked // what the broker remembers
	next      map[member]asked // the same once it answered the request under way
}

type member struct {
	event.Partition
	topic event.TopicID
}

type asked struct {
	offset             int64
	leaderEpoch, epoch int32
	bytes              int32
}

// reset begins a new session with the next request, which also ends the one
// that the broker may have.
func (s *session) reset() { s.epoch, s.members = 0, nil }

// request makes the fetch that a plan stands for.
func (f *fetcher) request(p plan) *kmsg.FetchRequest {
	s := &f.session
	req := newFetch(p.bytes)
	req.SessionID, req.SessionEpoch = s.id, s.epoch
	if p.in > 0 { // so that those that are put off needn't wait longer
		req.MaxWaitMillis = int32(min(p.in, fetchWait)/time.Millisecond) + 1
	}
	if s.next == nil {
		s.next = make(map[member]asked, len(p.fetch))
	}
	clear(s.next)
	f.s.mu.Lock() // the parts are read
	defer f.s.mu.Unlock()
	if len(p.fetch) > 0 {
		f.first = (f.first + 1) % len(p.fetch)
	}
	for i := range p.fetch {
		a := p.fetch[(f.first+i)%len(p.fetch)]
		m := member{a.Partition, a.topic}
		q := asked{a.next, a.leaderEpoch, a.epoch, min(p.bytes, partBytesMax)}
		s.next[m] = q
		if was, ok := s.members[m]; !ok || was != q {
			want(req, a, q.bytes)
		}
	}
	for m := range s.members {
		if _, ok := s.next[m]; !ok {
			forget(req, m)
		}
	}
	return req
}

// forget has the broker drop a partition from the session: else it answered
// for it, again and again, from where it stood.
func forget(req *kmsg.FetchRequest, m member) {
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
