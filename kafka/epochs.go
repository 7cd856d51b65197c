package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// epochsWithin is how long a broker has for telling which leaders it knows.
const epochsWithin = time.Second

// Epochs asks every broker for the leader epochs of topics, given with their
// incarnation, and gives of each partition the highest: a broker that was deposed
// and doesn't know it names itself, and only the others tell. Those that don't
// answer within a second, or name another incarnation, are passed over.
func (s *Source) Epochs(ctx context.Context, topics map[string]event.TopicID) (map[event.Partition]int32, error) {
	names := make(map[string]bool, len(topics))
	for name := range topics {
		names[name] = true
	}
	first, err := askMetadata(ctx, s.side, names)
	if err != nil {
		return nil, fmt.Errorf("kafka: leader epochs: %w", err)
	}
	all := make([]*kmsg.MetadataResponse, len(first.Brokers))
	ctx, cancel := context.WithTimeout(ctx, epochsWithin)
	defer cancel()
	var asking sync.WaitGroup
	for i, b := range first.Brokers {
		asking.Go(func() { all[i], _ = askMetadata(ctx, s.side.Broker(int(b.NodeID)), names) })
	}
	asking.Wait()
	epochs := make(map[event.Partition]int32)
	for _, resp := range append(all, first) {
		if resp != nil {
			raise(epochs, resp, topics)
		}
	}
	return epochs, nil
}

// raise takes up the leader epochs that a broker names.
func raise(epochs map[event.Partition]int32, resp *kmsg.MetadataResponse, topics map[string]event.TopicID) {
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic == nil || t.TopicID != topics[*t.Topic] {
			continue
		}
		for j := range t.Partitions {
			p := event.Partition{Topic: *t.Topic, Number: t.Partitions[j].Partition}
			epochs[p] = max(epochs[p], t.Partitions[j].LeaderEpoch)
		}
	}
}
