package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

const (
	// recreatedAfter answers in a row must show another incarnation before it
	// is believed: a broker that lags behind shows the one before.
	recreatedAfter = 3
	// rewoundAfter answers in a row must show an earlier leader epoch.
	rewoundAfter = 5
	// kickPause lets wishes for metadata gather.
	kickPause = 10 * time.Millisecond
	// kickMax is the longest pause between wishes, however many fail: an
	// election is to be noticed soon.
	kickMax = 500 * time.Millisecond
)

var (
	errMissing  = errors.New("topic is missing")
	errNoNumber = errors.New("topic has no such partition")
	errNoLeader = errors.New("no leader")
	errOther    = errors.New("topic was made anew")
	errRewound  = errors.New("metadata shows an earlier leader epoch")
)

// topicState is what metadata says of a topic.
type topicState struct {
	id    event.TopicID
	err   error
	parts map[int32]leader
}

type leader struct {
	broker, epoch int32
	err           error
}

// watch keeps the leaders known: every MetadataRefresh, and soon after
// somebody met a sign that they changed.
func (s *Source) watch() {
	for wished := 0; s.ctx.Err() == nil; {
		s.refresh()
		select {
		case <-s.ctx.Done():
		case <-time.After(time.Duration(s.metadataRefresh.Load())):
			wished = 0
		case <-s.kick:
			wished++
			s.pause(kickPause)
			if wished > 1 {
				s.pause(min(delay(wished-1), kickMax))
			}
		}
	}
}

// pause waits, unless the Source is closed.
func (s *Source) pause(d time.Duration) {
	select {
	case <-s.ctx.Done():
	case <-time.After(d):
	}
}

func (s *Source) refresh() {
	topics, brokers, err := askLeaders(s.ctx, s.live, s.wanted())
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		err = s.login.hint(err)
		if s.metadata.set(err); s.metadata.times == 1 {
			s.o.Log.Debug("metadata can't be had", "err", err)
		}
		s.wantMetadata()
		return
	}
	s.topics, s.brokers = topics, brokers
	if s.metadata.err != nil {
		s.metadata = trouble{}
		for _, f := range s.fetchers {
			f.nudge() // their brokers may be back as well
		}
	}
	for _, a := range s.parts {
		if !a.rests() && !s.adopt(a) {
			s.wantMetadata()
		}
	}
}

// wanted names the topics of the options and of what is assigned.
func (s *Source) wanted() map[string]bool {
	topics := make(map[string]bool, len(s.o.Topics))
	for _, t := range s.o.Topics {
		topics[t] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.parts {
		topics[p.Topic] = true
	}
	return topics
}

// askLeaders asks for the leaders of topics, and where each broker is. It never
// has a topic made.
func askLeaders(ctx context.Context, c *kgo.Client, topics map[string]bool) (states map[string]topicState, brokers map[int32]string, err error) {
	resp, err := askMetadata(ctx, c, topics)
	if err != nil {
		return nil, nil, err
	}
	brokers = make(map[int32]string, len(resp.Brokers))
	for _, b := range resp.Brokers {
		brokers[b.NodeID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	states = make(map[string]topicState, len(resp.Topics))
	for i := range resp.Topics {
		if t := &resp.Topics[i]; t.Topic != nil {
			states[*t.Topic] = newTopicState(t)
		}
	}
	return states, brokers, nil
}

// askMetadata asks a broker, or by a client any, and the next one next time: one
// that is frozen mustn't hold up for long what the others know.
func askMetadata(ctx context.Context, c kmsg.Requestor, topics map[string]bool) (*kmsg.MetadataResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none; nil would mean all
	for topic := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(topic)
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return nil, err
	}
	return resp, kerr.ErrorForCode(resp.ErrorCode)
}

func newTopicState(t *kmsg.MetadataResponseTopic) topicState {
	s := topicState{id: t.TopicID, err: kerr.ErrorForCode(t.ErrorCode), parts: make(map[int32]leader, len(t.Partitions))}
	if errors.Is(s.err, kerr.UnknownTopicOrPartition) {
		s.err = errMissing
	}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		s.parts[p.Partition] = leader{p.Leader, p.LeaderEpoch, kerr.ErrorForCode(p.ErrorCode)}
	}
	return s
}

// adopt takes up what metadata says of a partition. False: it wants more.
func (s *Source) adopt(a *part) bool {
	t, ok := s.topics[a.Topic]
	if !ok {
		return false
	}
	l, err := s.find(a, t)
	if err != nil {
		if a.trouble.err == nil || a.leader == nobody {
			a.trouble.set(err)
		}
		return false
	}
	if l.broker != a.leader || l.epoch != a.leaderEpoch {
		s.move(a, l)
	}
	return true
}

// find looks a partition's leader up, and for signs that it isn't the
// partition that it was.
func (s *Source) find(a *part, t topicState) (leader, error) {
	if t.err != nil {
		return leader{}, t.err
	}
	if !s.same(a, t.id) {
		return leader{}, errOther
	}
	l, ok := t.parts[a.Number]
	switch {
	case !ok:
		return l, errNoNumber
	case l.broker < 0 && l.err != nil:
		return l, fmt.Errorf("%w: %w", errNoLeader, l.err)
	case l.broker < 0:
		return l, errNoLeader
	case l.epoch < a.leaderEpoch && (l.epoch < 0 || a.rewound < rewoundAfter):
		a.rewound++ // from a broker that lags behind, or else it comes again
		return l, errRewound
	}
	a.rewound = 0
	return l, nil
}

// same tells whether a topic's incarnation is the one that a partition's
// offsets belong to, and raises the fault once it is certain that it isn't.
func (s *Source) same(a *part, id event.TopicID) bool {
	none := event.TopicID{}
	if a.topic == none {
		a.topic = id
	}
	if id == a.topic || id == none || id == s.retired[a.Topic] {
		a.strange = 0
		return id == a.topic || id == none
	}
	if a.strange++; a.strange >= recreatedAfter {
		s.retired[a.Topic] = a.topic
		s.raise(a, Fault{Kind: Recreated, Topic: id, Err: errOther})
	}
	return false
}

// move gives a partition to the fetcher of its new leader. What the old one
// has under way is ignored; what it fetched and nobody has taken comes first.
func (s *Source) move(a *part, l leader) {
	if a.leader != l.broker {
		s.fetchers[a.leader].remove(a)
		a.leader = l.broker
		s.fetcher(l.broker).add(a)
	}
	a.leaderEpoch = l.epoch
	a.checked = a.epoch < 0 || l.epoch < 0
	a.flight = 0
	a.notBefore = time.Time{}
	s.fetcher(l.broker).nudge()
}

// raise stops a partition and has it told why.
func (s *Source) raise(a *part, f Fault) {
	a.fault = f
	a.flight = 0
	s.faults = append(s.faults, a)
	s.o.Log.Debug("a partition rests", "topic", a.Topic, "partition", a.Number, "reason", f.Kind.String(), "offset", f.Offset, "err", f.Err)
	nudge(s.faulty)
}
