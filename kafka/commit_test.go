package kafka

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/odin-ws/odin/internal/event"
)

// committed are a group's positions of the topics, as tools see them.
func committed(t *testing.T, addrs []string, group string, opts ...kgo.Opt) map[event.Partition]kadm.Offset {
	t.Helper()
	found := make(map[event.Partition]kadm.Offset)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	all, err := kadm.NewClient(client(t, addrs, opts...)).FetchOffsets(ctx, group)
	if err != nil {
		t.Fatal(err)
	}
	all.Each(func(r kadm.OffsetResponse) {
		found[event.Partition{Topic: r.Topic, Number: r.Partition}] = r.Offset
	})
	return found
}

// marksOf are marks in what topics are now.
func marksOf(t *testing.T, addrs []string, offsets map[event.Partition]int64, epoch int32) map[event.Partition]Mark {
	t.Helper()
	topics, err := kadm.NewClient(client(t, addrs)).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	marks := make(map[event.Partition]Mark)
	for p, offset := range offsets {
		marks[p] = Mark{Topic: event.TopicID(topics[p.Topic].ID), Offset: offset, Epoch: epoch}
	}
	return marks
}

// What was had is written down as what comes next, for brokers that go by
// topics' names and for those that go by their ids.
func TestCommit(t *testing.T) {
	for name, opts := range map[string][]kfake.Opt{
		"by id": nil, "by name": {kfake.MaxVersions(kversion.V4_1_0())}, "without epochs": {kfake.MaxVersions(kversion.V2_0_0())},
	} {
		t.Run(name, func(t *testing.T) {
			c := cluster(t, append(opts, kfake.NumBrokers(3), kfake.SeedTopics(2, "t", "u"))...)
			s := open(t, Options{Brokers: c.ListenAddrs()})
			ps := map[event.Partition]int64{{Topic: "t"}: 41, {Topic: "t", Number: 1}: event.None, {Topic: "u", Number: 1}: 7}
			if err := s.Commit(t.Context(), "g", marksOf(t, c.ListenAddrs(), ps, 0)); err != nil {
				t.Fatal(err)
			}
			found := committed(t, c.ListenAddrs(), "g")
			if len(found) != len(ps) {
				t.Errorf("committed %v", found)
			}
			for p, offset := range ps {
				if o := found[p]; o.At != offset+1 || name != "without epochs" && o.LeaderEpoch != 0 {
					t.Errorf("%v: %+v, want what is behind %d", p, o, offset)
				}
			}
			back := map[event.Partition]int64{{Topic: "t"}: 3}
			if err := s.Commit(t.Context(), "g", marksOf(t, c.ListenAddrs(), back, event.NoEpoch)); err != nil {
				t.Fatal(err)
			}
			if o := committed(t, c.ListenAddrs(), "g")[event.Partition{Topic: "t"}]; o.At != 4 || o.LeaderEpoch != -1 {
				t.Errorf("a position that goes back: %+v", o)
			}
		})
	}
}

// joined is a consumer that has joined a group, and leaves it by being closed.
func joined(t *testing.T, addrs []string, group, topic string) *kgo.Client {
	t.Helper()
	m := client(t, addrs, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit())
	eventually(t, "the consumer has joined", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		m.PollFetches(ctx)
		_, generation := m.GroupMetadata()
		return generation >= 0
	})
	return m
}

// A group that consumers use keeps their positions, and Odin's are taken once
// they have left.
func TestCommitSparesAGroupInUse(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	sparesAGroupInUse(t, c.ListenAddrs(), tee)
}

func sparesAGroupInUse(t *testing.T, addrs []string, p event.Partition) {
	produceN(t, client(t, addrs), p, 0, 20)
	s := open(t, Options{Brokers: addrs})
	marks := marksOf(t, addrs, map[event.Partition]int64{p: 11}, 0)
	m := joined(t, addrs, "busy", p.Topic)
	theirs := map[string]map[int32]kgo.EpochOffset{p.Topic: {p.Number: {Offset: 3}}}
	var failed error
	m.CommitOffsetsSync(t.Context(), theirs, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, _ *kmsg.OffsetCommitResponse, err error) {
		failed = err
	})
	if failed != nil {
		t.Fatal(failed)
	}
	if err := s.Commit(t.Context(), "busy", marks); !errors.Is(err, ErrGroupInUse) || !strings.Contains(err.Error(), "give Odin a group") {
		t.Fatalf("committed among consumers: %v", err)
	}
	if at := committed(t, addrs, "busy")[p].At; at != 3 {
		t.Errorf("the consumers' position is %d, was 3", at)
	}
	m.Close()
	eventually(t, "the group takes positions again", func() bool { return s.Commit(t.Context(), "busy", marks) == nil })
	if at := committed(t, addrs, "busy")[p].At; at != 12 {
		t.Errorf("committed %d, want 12", at)
	}
}

// What a coordinator says is told in words that help, whether it refuses to be
// found, the group, or a partition.
func TestCommitSaysWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		key  kmsg.Key
		says *kerr.Error
		want error
		text string
	}{
		"no coordinator for it": {kmsg.FindCoordinator, kerr.GroupAuthorizationFailed, ErrGroupNotAllowed, "allow it Read on the group"},
		"no right":              {kmsg.OffsetCommit, kerr.GroupAuthorizationFailed, ErrGroupNotAllowed, "allow it Read on the group"},
		"members":               {kmsg.OffsetCommit, kerr.UnknownMemberID, ErrGroupInUse, "UNKNOWN_MEMBER_ID"},
		"members of a moment":   {kmsg.OffsetCommit, kerr.RebalanceInProgress, ErrGroupInUse, "REBALANCE_IN_PROGRESS"},
		"no name":               {kmsg.OffsetCommit, kerr.InvalidGroupID, ErrGroupName, "of that name"},
		"no topic":              {kmsg.OffsetCommit, kerr.TopicAuthorizationFailed, kerr.TopicAuthorizationFailed, "t:0"},
	} {
		t.Run(name, func(t *testing.T) {
			c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
			c.Fault(kfake.Fault{Keys: []kmsg.Key{test.key}, Err: test.says})
			s := open(t, Options{Brokers: c.ListenAddrs()})
			err := s.Commit(t.Context(), "g", marksOf(t, c.ListenAddrs(), map[event.Partition]int64{tee: 1}, 0))
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// A commit ends by its context, whatever the brokers do, and with the Source.
func TestCommitEnds(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	marks := marksOf(t, c.ListenAddrs(), map[event.Partition]int64{tee: 1}, 0)
	s := open(t, Options{Brokers: c.ListenAddrs()})
	c.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return nil, errors.New("the connection breaks"), true
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.Commit(ctx, "g", marks); err == nil {
		t.Error("committed without an answer")
	}
	s.Close()
	if err := s.Commit(t.Context(), "g", marks); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
