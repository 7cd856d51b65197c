package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// Mark is a record as somebody read it.
type Mark struct {
	Topic  event.TopicID // the incarnation that it was read of; zero: not known
	Offset int64
	Epoch  int32 // leader epoch; event.NoEpoch: not known, and then nothing can be told
}

// Compare asks a partition's leader whether a record is in its log as it was
// read (KIP-101): no Fault, or Truncated and where the logs part. The leader must
// be of the epoch met at least: one that was deposed and doesn't know it can't
// tell. It tries again until ctx is done, but for a topic that was made anew:
// ErrRecreated.
func (s *Source) Compare(ctx context.Context, p event.Partition, m Mark, met int32) (Fault, error) {
	if m.Offset < 0 || m.Epoch < 0 {
		return Fault{}, nil
	}
	var f Fault
	err := s.persistUnlessAnew(ctx, func(ctx context.Context) (err error) {
		f, err = s.compare(ctx, p, m, met)
		return err
	})
	if err != nil {
		return Fault{}, fmt.Errorf("kafka: compare %v at %d of epoch %d: %w", p, m.Offset, m.Epoch, err)
	}
	return f, nil
}

func (s *Source) compare(ctx context.Context, p event.Partition, m Mark, met int32) (Fault, error) {
	r := reader{s: s, part: *newPart(p, Tag{Topic: m.Topic}, m.Offset+1, m.Epoch)}
	a := &r.part
	if err := r.locate(ctx); err != nil {
		return Fault{}, err
	}
	if a.leaderEpoch < met && a.leaderEpoch >= 0 {
		return Fault{}, errRewound
	}
	answer, err := s.askEpoch(ctx, a)
	if err != nil || !a.diverges(answer) {
		return Fault{}, err
	}
	if answer.end < 0 {
		if same, err := a.found(ctx, s.side); same || err != nil {
			return Fault{}, err
		}
	}
	return a.truncated(answer), nil
}

// askEpoch asks the leader of one partition.
func (s *Source) askEpoch(ctx context.Context, a *part) (epochEnd, error) {
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID = -1
	wantEpoch(req, a.Partition, a.leaderEpoch, a.epoch)
	in, err := s.side.Broker(int(a.leader)).Request(ctx, req)
	if err != nil {
		return epochEnd{}, err
	}
	answer := epochAnswer{err: errNoAnswer}
	eachEpoch(in, func(of event.Partition, e epochAnswer) {
		if of == a.Partition {
			answer = e
		}
	})
	return answer.epochEnd, answer.err
}
