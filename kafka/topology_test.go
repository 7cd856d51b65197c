package kafka

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestTopology(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(3), kfake.SeedTopics(4, "b"), kfake.SeedTopics(1, "a"), kfake.SeedTopics(2, "unwanted"), kfake.AllowAutoTopicCreation())
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"b", "missing", "a"}})
	for range 2 { // asking makes no topic
		top, err := s.Topology(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(top.Topics) != 2 || top.Topics[0].Name != "b" || top.Topics[0].Partitions != 4 || top.Topics[1].Name != "a" || top.Topics[1].Partitions != 1 {
			t.Errorf("%+v", top)
		}
		if !slices.Equal(top.Missing, []string{"missing"}) {
			t.Errorf("missing %v", top.Missing)
		}
		for _, topic := range top.Topics {
			if topic.ID == [16]byte{} {
				t.Errorf("%s has no id", topic.Name)
			}
		}
	}
}

func TestTopologyIsCompleteOrAnError(t *testing.T) {
	name := func(s string) *string { return &s }
	part := func(n int32, code *kerr.Error) kmsg.MetadataResponseTopicPartition {
		p := kmsg.MetadataResponseTopicPartition{Partition: n}
		if code != nil {
			p.ErrorCode = code.Code
		}
		return p
	}
	type parts = []kmsg.MetadataResponseTopicPartition
	for what, c := range map[string]struct {
		topics []kmsg.MetadataResponseTopic
		err    error
		n      int
	}{
		"whole":           {[]kmsg.MetadataResponseTopic{{Topic: name("t"), Partitions: parts{part(1, nil), part(0, nil)}}}, nil, 2},
		"without leader":  {[]kmsg.MetadataResponseTopic{{Topic: name("t"), Partitions: parts{part(0, kerr.LeaderNotAvailable), part(1, kerr.ReplicaNotAvailable)}}}, nil, 2},
		"left out":        {nil, errAbsent, 0},
		"refused":         {[]kmsg.MetadataResponseTopic{{Topic: name("t"), ErrorCode: kerr.TopicAuthorizationFailed.Code}}, kerr.TopicAuthorizationFailed, 0},
		"being made":      {[]kmsg.MetadataResponseTopic{{Topic: name("t"), ErrorCode: kerr.LeaderNotAvailable.Code}}, kerr.LeaderNotAvailable, 0},
		"no partition":    {[]kmsg.MetadataResponseTopic{{Topic: name("t")}}, errNumbers, 0},
		"one left out":    {[]kmsg.MetadataResponseTopic{{Topic: name("t"), Partitions: parts{part(0, nil), part(2, nil)}}}, errNumbers, 0},
		"one twice":       {[]kmsg.MetadataResponseTopic{{Topic: name("t"), Partitions: parts{part(0, nil), part(0, nil)}}}, errNumbers, 0},
		"partition error": {[]kmsg.MetadataResponseTopic{{Topic: name("t"), Partitions: parts{part(0, kerr.UnknownServerError)}}}, kerr.UnknownServerError, 0},
	} {
		top, err := newTopology([]string{"t"}, &kmsg.MetadataResponse{Topics: c.topics})
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", what, err, c.err)
		}
		if c.err == nil && (len(top.Topics) != 1 || top.Topics[0].Partitions != c.n) {
			t.Errorf("%s: %+v", what, top)
		}
		if c.err != nil && (len(top.Topics) > 0 || len(top.Missing) > 0 || !strings.Contains(err.Error(), "metadata of t")) {
			t.Errorf("%s: %+v, %v", what, top, err)
		}
	}
}

func TestTopologyEndsWithItsContext(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	c.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return nil, nil, true // never answers
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Topology(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	s.Close()
	if _, err := s.Topology(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}
