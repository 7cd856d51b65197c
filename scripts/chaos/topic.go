package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// subjects is how many there are: every topic has a channel of each.
const subjects = 20

// topic is one of the run, with its producer's manners.
type topic struct {
	name, event   string
	slow          string // the route's policy
	rate          float64
	transactional bool
	compacted     bool
	tombstones    bool
	loses         bool // records that were committed
	unclean       bool // a truncation has a replica lead that lacks some
	partitions    atomic.Int32

	gate   sync.RWMutex // held for writing while the topic is made anew: nothing is produced
	reader *reader
	id     string
}

func newTopics(rate float64) []*topic {
	list := []*topic{
		{event: "steady", slow: "close", rate: 200},
		{event: "drop", slow: "drop", rate: 120},
		{event: "conflate", slow: "conflate", rate: 120},
		{event: "compact", slow: "close", rate: 40, compacted: true, tombstones: true, loses: true},
		{event: "tx", slow: "close", rate: 60, transactional: true},
		{event: "grow", slow: "close", rate: 40},
		{event: "trim", slow: "close", rate: 40, loses: true},
		{event: "again", slow: "close", rate: 40, loses: true},
		{event: "cut", slow: "close", rate: 40, loses: true, unclean: true},
	}
	for i, n := range []int32{6, 3, 3, 2, 3, 2, 2, 2, 2} {
		list[i].name = "chaos." + list[i].event
		list[i].rate *= rate
		list[i].partitions.Store(n)
	}
	return list
}

// partitionsMax is where a topic grows no more.
const partitionsMax = subjects

func subject(n int) string { return fmt.Sprintf("K%d", n) }

func (t *topic) channel(n int) string { return subject(n) + "." + t.event }

// create makes the topic and begins to read it.
func (w *world) create(ctx context.Context, t *topic) error {
	var id kadm.TopicID
	err := retry(ctx, func(ctx context.Context) error {
		answers, err := w.admin.CreateTopics(ctx, t.partitions.Load(), int16(t.replicas(len(w.cluster.Nodes))), t.configs(len(w.cluster.Nodes)), t.name)
		if err != nil {
			return err
		}
		if id, err = answers[t.name].ID, answers[t.name].Err; errors.Is(err, kerr.TopicAlreadyExists) {
			id, err = w.madeMeanwhile(ctx, t) // by an attempt whose answer was lost
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("create %s: %w", t.name, err)
	}
	t.id = hex.EncodeToString(id[:])
	t.reader, err = w.read(t, w.ledger.begin(t.id, t), nil)
	return err
}

// madeMeanwhile gives the id of the topic, unless it is still the last one's.
func (w *world) madeMeanwhile(ctx context.Context, t *topic) (id kadm.TopicID, err error) {
	details, err := w.admin.ListTopics(ctx, t.name)
	if err != nil {
		return id, err
	}
	if id = details[t.name].ID; hex.EncodeToString(id[:]) == t.id {
		return id, errors.New("it is not deleted yet")
	}
	return id, details[t.name].Err
}

// replicas is how many there are of each partition.
func (t *topic) replicas(brokers int) int {
	if t.unclean {
		return min(2, brokers)
	}
	return brokers
}

func (t *topic) configs(brokers int) map[string]*string {
	c := map[string]string{"min.insync.replicas": fmt.Sprint(min(2, brokers))}
	if t.unclean {
		c["min.insync.replicas"] = "1"
	}
	if t.compacted {
		c["cleanup.policy"] = "compact"
		c["segment.ms"] = "5000"
		c["min.cleanable.dirty.ratio"] = "0.01"
		c["min.compaction.lag.ms"] = "60000"
		c["delete.retention.ms"] = "15000"
	}
	configs := map[string]*string{}
	for k, v := range c {
		configs[k] = kadm.StringPtr(v)
	}
	return configs
}

// retry tries for as long as brokers may be away.
func retry(ctx context.Context, try func(context.Context) error) error {
	deadline := time.Now().Add(90 * time.Second)
	for {
		once, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := try(once)
		cancel()
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(200 * time.Millisecond)
	}
}
