package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/scripts/chaos/check"
)

// reader reads an incarnation of a topic back, committed records alone, as
// soon as they are there: before they can be deleted or compacted.
type reader struct {
	client      *kgo.Client
	ledger      *ledger
	incarnation *check.Incarnation
	done        chan struct{}

	mu  sync.Mutex
	had map[int32]int64 // the last offset seen, control records included
}

// read begins where each partition is to be gone on with, or at the start.
func (w *world) read(t *topic, i *check.Incarnation, from map[int32]int64) (*reader, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(w.cluster.Addrs()...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.KeepControlRecords(), kgo.MetadataMinAge(100 * time.Millisecond), kgo.MetadataMaxAge(time.Second),
	}
	r := &reader{ledger: w.ledger, incarnation: i, done: make(chan struct{}), had: map[int32]int64{}}
	if from == nil {
		opts = append(opts, kgo.ConsumeTopics(t.name))
	} else {
		offsets := map[int32]kgo.Offset{}
		for p, offset := range from {
			offsets[p], r.had[p] = kgo.NewOffset().At(offset), offset-1
		}
		opts = append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.name: offsets}))
	}
	var err error
	if r.client, err = kgo.NewClient(opts...); err != nil {
		return nil, err
	}
	go r.run()
	return r, nil
}

func (r *reader) run() {
	defer close(r.done)
	for {
		fetches := r.client.PollFetches(context.Background())
		if fetches.IsClientClosed() {
			return
		}
		fetches.EachRecord(r.take)
	}
}

func (r *reader) take(record *kgo.Record) {
	r.mu.Lock()
	last, seen := r.had[record.Partition]
	r.had[record.Partition] = max(last, record.Offset)
	r.mu.Unlock()
	if record.Attrs.IsControl() || seen && record.Offset <= last {
		return
	}
	channel := string(record.Key) + "." + r.incarnation.Topic[len("chaos."):]
	r.ledger.enter(r.incarnation, int(record.Partition),
		check.Entry{Offset: record.Offset, Channel: r.ledger.channels[channel], Sum: sum(record.Value)})
}

func (r *reader) last(partition int32) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.had[partition]; ok {
		return last
	}
	return -1
}

func (r *reader) stop() {
	r.client.Close()
	<-r.done
}

// ends waits until the topic is read to its end, and gives the last offset of
// each partition.
func (w *world) ends(ctx context.Context, t *topic) (ends []int64, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		ends = nil
		listed, err := w.admin.ListCommittedOffsets(ctx, t.name)
		if err != nil {
			return err
		}
		for p := range t.partitions.Load() {
			end, ok := listed.Lookup(t.name, p)
			switch {
			case !ok:
				return fmt.Errorf("no end of %s:%d", t.name, p)
			case end.Err != nil:
				return end.Err
			case t.reader.last(p) < end.Offset-1:
				return fmt.Errorf("%s:%d is read to %d of %d", t.name, p, t.reader.last(p), end.Offset-1)
			}
			ends = append(ends, end.Offset-1)
		}
		return nil
	})
	return ends, err
}
