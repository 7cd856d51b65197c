package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// What a group's coordinator may have against positions, in words for operators.
var (
	ErrGroupInUse      = errors.New("the group has consumers of its own, among whose positions those of others are not taken: give Odin a group that nobody else uses")
	ErrGroupNotAllowed = errors.New("the account may not write positions into the group: allow it Read on the group")
	ErrGroupName       = errors.New("the brokers take no group of that name")
)

// Commit writes into a consumer group that all up to each mark was had, as a
// client does that assigns its partitions itself: it joins nothing, and a group
// that has members stays as it is (ErrGroupInUse). Nothing of it is ever read
// back. It is tried for ten seconds at most; after an error, any part of it may have
// been taken.
func (s *Source) Commit(ctx context.Context, group string, marks map[event.Partition]Mark) error {
	err := once(ctx, requestTimeout, func(ctx context.Context) error { return s.commit(ctx, group, marks) })
	switch {
	case err == nil:
		return nil
	case s.ctx.Err() != nil:
		return ErrClosed
	}
	return fmt.Errorf("kafka: commit: %w", err)
}

func (s *Source) commit(ctx context.Context, group string, marks map[event.Partition]Mark) error {
	resp, err := newCommit(group, marks).RequestWith(ctx, s.side)
	if err != nil {
		return meaning(err)
	}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			if err := kerr.ErrorForCode(t.Partitions[j].ErrorCode); err != nil {
				return fmt.Errorf("%s: %w", nameIn(marks, t, t.Partitions[j].Partition), meaning(err))
			}
		}
	}
	return nil
}

// newCommit names the topics by name and id: which of them travels is decided
// by the version (10 has ids).
func newCommit(group string, marks map[event.Partition]Mark) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = group
	for _, p := range slices.SortedFunc(maps.Keys(marks), byName) {
		m, n := marks[p], len(req.Topics)
		if n == 0 || req.Topics[n-1].Topic != p.Topic || req.Topics[n-1].TopicID != m.Topic {
			t := kmsg.NewOffsetCommitRequestTopic()
			t.Topic, t.TopicID = p.Topic, m.Topic
			req.Topics = append(req.Topics, t)
			n++
		}
		r := kmsg.NewOffsetCommitRequestTopicPartition()
		r.Partition, r.Offset, r.LeaderEpoch = p.Number, m.Offset+1, m.Epoch
		req.Topics[n-1].Partitions = append(req.Topics[n-1].Partitions, r)
	}
	return req
}

// nameIn names a partition of an answer, which may have its topic's id only.
func nameIn(marks map[event.Partition]Mark, t *kmsg.OffsetCommitResponseTopic, number int32) event.Partition {
	for p, m := range marks {
		if p.Number == number && (p.Topic == t.Topic || t.Topic == "" && m.Topic == t.TopicID) {
			return p
		}
	}
	return event.Partition{Topic: t.Topic, Number: number}
}

// meaning says what to do about a coordinator's word, where something can be done.
func meaning(err error) error {
	switch {
	case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.IllegalGeneration),
		errors.Is(err, kerr.RebalanceInProgress), errors.Is(err, kerr.StaleMemberEpoch):
		return fmt.Errorf("%w (%w)", ErrGroupInUse, err)
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return ErrGroupNotAllowed
	case errors.Is(err, kerr.InvalidGroupID):
		return ErrGroupName
	}
	return err
}
