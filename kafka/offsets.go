package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// Timestamps that ListOffsets understands as places.
const (
	atEnd   = -1
	atStart = -2
)

const readUncommitted = 0

var errNoAnswer = errors.New("not answered")

// Ends are the bounds of a partition's log: the first offset in it, the last
// stable offset (all below it is decided: committed or aborted) and the high
// watermark (all below it is replicated). LogStart ≤ Stable ≤ High.
type Ends struct{ LogStart, Stable, High int64 }

// Ends asks a partition's leader for the bounds of its log. It tries again until
// ctx is done, but for a topic that is another incarnation: ErrRecreated. The
// zero topic is any.
func (s *Source) Ends(ctx context.Context, p event.Partition, topic event.TopicID) (Ends, error) {
	all, err := s.ends(ctx, []event.Partition{p})
	ends := all[p]
	if err != nil || topic == (event.TopicID{}) {
		return ends, err
	}
	// It went by name. If the topic is this one now, it was when it answered.
	r := reader{s: s, part: *newPart(p, Tag{Topic: topic}, 0, event.NoEpoch)}
	if err := s.persistUnlessAnew(ctx, r.locate); err != nil {
		return Ends{}, fmt.Errorf("kafka: ends of %v: %w", p, err)
	}
	return ends, nil
}

// ends are those of all, or an error.
func (s *Source) ends(ctx context.Context, ps []event.Partition) (map[event.Partition]Ends, error) {
	// in this order, so that one may not overtake the next meanwhile
	start, err := s.offsets(ctx, ps, atStart, readCommitted)
	if err != nil {
		return nil, err
	}
	stable, err := s.offsets(ctx, ps, atEnd, readCommitted)
	if err != nil {
		return nil, err
	}
	high, err := s.offsets(ctx, ps, atEnd, readUncommitted)
	if err != nil {
		return nil, err
	}
	ends := make(map[event.Partition]Ends, len(ps))
	for _, p := range ps {
		ends[p] = Ends{LogStart: start[p], Stable: stable[p], High: high[p]}
	}
	return ends, nil
}

// offsets asks for one place in each partition's log, until it has all.
func (s *Source) offsets(ctx context.Context, ps []event.Partition, at int64, isolation int8) (map[event.Partition]int64, error) {
	found := make(map[event.Partition]int64, len(ps))
	err := s.persist(ctx, func(ctx context.Context) error { return s.listOffsets(ctx, ps, at, isolation, found) })
	if err != nil {
		return nil, fmt.Errorf("kafka: list offsets: %w", err)
	}
	return found, nil
}

// listOffsets asks once for those that aren't found yet.
func (s *Source) listOffsets(ctx context.Context, ps []event.Partition, at int64, isolation int8, found map[event.Partition]int64) error {
	req := newListOffsets(ps, at, isolation, found)
	if len(req.Topics) == 0 {
		return nil
	}
	var failed error
	for _, shard := range s.side.RequestSharded(ctx, req) {
		if shard.Err != nil {
			failed = shard.Err
			continue
		}
		if err := readListOffsets(shard.Resp, found); err != nil {
			failed = err
		}
	}
	if failed != nil {
		return failed
	}
	for _, p := range ps {
		if _, ok := found[p]; !ok {
			return fmt.Errorf("%v: %w", p, errNoAnswer)
		}
	}
	return nil
}

func newListOffsets(ps []event.Partition, at int64, isolation int8, found map[event.Partition]int64) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	req.IsolationLevel = isolation
	index := make(map[string]int)
	for _, p := range ps {
		if _, ok := found[p]; ok {
			continue
		}
		i, ok := index[p.Topic]
		if !ok {
			i = len(req.Topics)
			index[p.Topic] = i
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = p.Topic
			req.Topics = append(req.Topics, t)
		}
		r := kmsg.NewListOffsetsRequestTopicPartition()
		r.Partition, r.Timestamp = p.Number, at
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, r)
	}
	return req
}

func readListOffsets(in kmsg.Response, found map[event.Partition]int64) (failed error) {
	resp, ok := in.(*kmsg.ListOffsetsResponse)
	if !ok {
		return fmt.Errorf("answered by %T", in)
	}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			r := &t.Partitions[j]
			p := event.Partition{Topic: t.Topic, Number: r.Partition}
			if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
				failed = fmt.Errorf("%v: %w", p, err)
				continue
			}
			found[p] = r.Offset
		}
	}
	return failed
}

// once tries once, for so long.
func once(ctx context.Context, most time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return try(ctx)
}

// persist tries until it worked, the Source is closed or ctx is done; then it
// returns the last failure, which says more than the context's end.
func (s *Source) persist(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	for n := 1; ; n++ {
		err := once(ctx, min(time.Duration(n)*askTimeout, requestTimeout), try)
		if err == nil {
			return nil
		}
		t := time.NewTimer(delay(n))
		select {
		case <-t.C:
			continue
		case <-ctx.Done():
			t.Stop()
		}
		if s.ctx.Err() != nil {
			return ErrClosed
		}
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
}

// persistUnlessAnew is persist, which a topic that was made anew ends.
func (s *Source) persistUnlessAnew(ctx context.Context, try func(context.Context) error) error {
	anew := false
	err := s.persist(ctx, func(ctx context.Context) error {
		err := try(ctx)
		if anew = errors.Is(err, ErrRecreated); anew {
			return nil
		}
		return err
	})
	if anew {
		return ErrRecreated
	}
	return err
}
