package kafka

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

func TestHealthHasPatience(t *testing.T) {
	now := time.Now()
	fresh := trouble{err: errors.New("x"), since: now.Add(-patience + time.Second), times: 9}
	old := trouble{err: errors.New("x"), since: now.Add(-patience), times: 1}
	if fresh.lasts(now) || !old.lasts(now) || (&trouble{}).lasts(now) {
		t.Error("patience is not two seconds")
	}
	var row trouble
	row.set(errors.New("a"))
	first := row.since
	row.set(errors.New("b"))
	if row.since != first || row.times != 2 || row.err.Error() != "b" {
		t.Errorf("%+v", row)
	}
}

func TestHealthTellsSomeReasonsOnly(t *testing.T) {
	_, s, _ := rig(t, 0)
	eventually(t, "metadata", func() bool { ok, _ := s.Health(); return ok })
	s.mu.Lock()
	for n := range int32(10) {
		a := newPart(event.Partition{Topic: "t", Number: 100 + n}, Tag{}, 0, 0)
		a.trouble = trouble{err: fmt.Errorf("trouble %d", n), since: time.Now().Add(-time.Hour), times: 1}
		s.parts[a.Partition] = a
	}
	s.mu.Unlock()
	ok, why := s.Health()
	if want := "t:100: trouble 0; t:101: trouble 1; t:102: trouble 2; and 7 more"; ok || why != want {
		t.Errorf("%v, %q", ok, why)
	}
}

// TestAFrozenBrokerIsTold: it takes connections and requests, and says nothing.
func TestAFrozenBrokerIsTold(t *testing.T) {
	c, s, k := rig(t, 3)
	k.assign(tee, Tag{}, 0, event.NoEpoch)
	k.untilTo(0, 2)
	thaw := make(chan struct{})
	c.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.SleepControl(func() { <-thaw })
		return nil, nil, false
	})
	eventually(t, "told", func() bool {
		ok, why := s.Health()
		return !ok && strings.HasPrefix(why, "broker 0: no answer for ")
	})
	close(thaw)
	eventually(t, "well again", func() bool { ok, _ := s.Health(); return ok })
	produceN(t, client(t, c.ListenAddrs()), tee, 3, 3)
	numbers(t, k.untilTo(0, 5).values(), 0, 6)
}

// TestReaches: what is told of a partition is the same for whoever asks, but a
// leader that doesn't answer may answer others.
func TestReaches(t *testing.T) {
	long := trouble{err: errors.New("x"), since: time.Now().Add(-time.Hour), times: 9}
	led := func(by int32) map[string]topicState {
		return map[string]topicState{"t": {parts: map[int32]leader{0: {by, 5, nil}}}}
	}
	for name, c := range map[string]struct {
		topics                    map[string]topicState
		metadata, broker, ailment trouble
		want                      bool
	}{
		"all is well":                    {topics: led(3), want: true},
		"a partition ails":               {topics: led(3), ailment: long, want: true},
		"its leader doesn't answer":      {topics: led(3), broker: long, want: false},
		"nor does it lead any more":      {topics: led(nobody), broker: long, want: true},
		"nor is there such a topic":      {topics: map[string]topicState{}, broker: long, want: true},
		"nobody tells who leads":         {topics: led(3), metadata: long, want: false},
		"nobody has told yet, who leads": {want: false},
	} {
		a := newPart(tee, Tag{}, 0, event.NoEpoch)
		a.leader, a.trouble = 3, c.ailment
		s := &Source{ctx: t.Context(), topics: c.topics, metadata: c.metadata}
		s.fetchers = map[int32]*fetcher{3: {s: s, id: 3, parts: []*part{a}, trouble: c.broker}}
		if got := s.Reaches(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestNoLeaderIsTold: metadata without a leader keeps what is known, and says
// so once it lasts.
func TestNoLeaderIsTold(t *testing.T) {
	c, s, k := rig(t, 3)
	k.assign(tee, Tag{}, 0, event.NoEpoch)
	k.untilTo(0, 2)
	leaderless := topicState{id: s.parts[tee].topic, parts: map[int32]leader{0: {nobody, 5, nil}}}
	s.mu.Lock()
	a := s.parts[tee]
	if _, err := s.find(a, leaderless); !errors.Is(err, errNoLeader) {
		t.Errorf("%v", err)
	}
	// an earlier epoch comes from a broker that lags behind, unless it stays
	a.leaderEpoch = 7
	behind := topicState{id: a.topic, parts: map[int32]leader{0: {0, 6, nil}}}
	for range rewoundAfter {
		if _, err := s.find(a, behind); !errors.Is(err, errRewound) {
			t.Errorf("%v", err)
		}
	}
	if l, err := s.find(a, behind); err != nil || l.epoch != 6 {
		t.Errorf("%+v, %v", l, err)
	}
	a.leaderEpoch = 0
	s.mu.Unlock()
	if h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Count: -1}); true {
		eventually(t, "told", func() bool {
			ok, why := s.Health()
			return !ok && strings.HasPrefix(why, "t:0: UNKNOWN_SERVER_ERROR")
		})
		h.Remove()
	}
	eventually(t, "well again", func() bool { ok, _ := s.Health(); return ok })
}
