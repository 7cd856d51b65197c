package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// Topology is what the cluster has of the wanted topics.
type Topology struct {
	Topics  []Topic  // in the order of Options.Topics
	Missing []string // wanted and not there, in the same order
}

// Topic is one topic: its partitions are 0 to Partitions-1.
type Topic struct {
	Name       string
	ID         event.TopicID // zero: the brokers have no ids
	Partitions int
}

// Topology asks for the wanted topics, once, and never has one made. It is
// complete or an error: each topic is there or missing for certain, and no
// partition is left out. A partition that has no leader at the moment is part
// of it; any other error within the answer is returned.
func (s *Source) Topology(ctx context.Context) (Topology, error) {
	topics := make(map[string]bool, len(s.o.Topics))
	for _, t := range s.o.Topics {
		topics[t] = true
	}
	resp, err := askMetadata(ctx, s.side, topics)
	if s.ctx.Err() != nil {
		return Topology{}, ErrClosed
	}
	if err != nil {
		return Topology{}, fmt.Errorf("kafka: metadata: %w", err)
	}
	return newTopology(s.o.Topics, resp)
}

var (
	errAbsent  = errors.New("not in the answer")
	errNumbers = errors.New("its partitions aren't numbered from 0 without a gap")
)

func newTopology(wanted []string, resp *kmsg.MetadataResponse) (Topology, error) {
	var t Topology
	byName := make(map[string]*kmsg.MetadataResponseTopic, len(resp.Topics))
	for i := range resp.Topics {
		if name := resp.Topics[i].Topic; name != nil {
			byName[*name] = &resp.Topics[i]
		}
	}
	for _, name := range wanted {
		r := byName[name]
		if r == nil {
			return Topology{}, fmt.Errorf("kafka: metadata of %s: %w", name, errAbsent)
		}
		err := kerr.ErrorForCode(r.ErrorCode)
		if errors.Is(err, kerr.UnknownTopicOrPartition) {
			t.Missing = append(t.Missing, name)
			continue
		}
		if err == nil {
			err = checkPartitions(r.Partitions)
		}
		if err != nil {
			return Topology{}, fmt.Errorf("kafka: metadata of %s: %w", name, err)
		}
		t.Topics = append(t.Topics, Topic{Name: name, ID: r.TopicID, Partitions: len(r.Partitions)})
	}
	return t, nil
}

func checkPartitions(ps []kmsg.MetadataResponseTopicPartition) error {
	seen := make([]bool, len(ps))
	for i := range ps {
		p := &ps[i]
		if p.Partition < 0 || int(p.Partition) >= len(ps) || seen[p.Partition] {
			return errNumbers
		}
		seen[p.Partition] = true
		switch err := kerr.ErrorForCode(p.ErrorCode); {
		case err == nil, errors.Is(err, kerr.LeaderNotAvailable), errors.Is(err, kerr.ReplicaNotAvailable), errors.Is(err, kerr.ListenerNotFound):
		default:
			return fmt.Errorf("partition %d: %w", p.Partition, err)
		}
	}
	if len(ps) == 0 {
		return errNumbers
	}
	return nil
}
