package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// producer fills one topic. What fails is produced no more: the log is what the
// clients are held to.
type producer struct {
	world  *world
	topic  *topic
	random *rand.Rand
	client *kgo.Client
	made   int
}

func (w *world) producer(t *topic) *producer {
	return &producer{world: w, topic: t, random: rand.New(rand.NewPCG(w.options.seed, uint64(len(t.name))+uint64(w.ledger.topics[t.name])<<8))}
}

// run produces until the context ends, and leaves nothing under way.
func (p *producer) run(ctx context.Context) {
	defer p.close()
	for tick := time.Tick(beat); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		p.topic.gate.RLock()
		if err := p.round(ctx); err != nil && ctx.Err() == nil {
			p.world.say("producer of %s: %v", p.topic.name, err)
			p.close()
		}
		p.topic.gate.RUnlock()
	}
}

const (
	beat       = 50 * time.Millisecond
	roundMax   = 60 * time.Second // a broker may be away
	abortedOf  = 4                // one transaction in so many is
	binaryOf   = 100
	tombstone  = 8
	valueBytes = 400
)

// round produces what is due, now and then much more.
func (p *producer) round(ctx context.Context) error {
	if err := p.open(); err != nil {
		return err
	}
	n := p.topic.rate * beat.Seconds() * p.random.ExpFloat64()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), roundMax)
	defer cancel()
	count := int(n + p.random.Float64())
	if count == 0 {
		return nil
	}
	if p.topic.transactional {
		return p.transaction(ctx, count)
	}
	return p.client.ProduceSync(ctx, p.records(count)...).FirstErr()
}

func (p *producer) transaction(ctx context.Context, count int) error {
	if err := p.client.BeginTransaction(); err != nil {
		return err
	}
	if err := p.client.ProduceSync(ctx, p.records(count)...).FirstErr(); err != nil {
		return err
	}
	if p.random.IntN(20) == 0 { // one that stays open
		time.Sleep(time.Duration(p.random.IntN(1500)) * time.Millisecond)
	}
	end := kgo.TryCommit
	if p.random.IntN(abortedOf) == 0 {
		end = kgo.TryAbort
	}
	return p.client.EndTransaction(ctx, end)
}

func (p *producer) records(count int) []*kgo.Record {
	all := make([]*kgo.Record, count)
	for i := range all {
		n := p.random.IntN(subjects)
		all[i] = &kgo.Record{Topic: p.topic.name, Key: []byte(subject(n)), Partition: int32(n) % p.topic.partitions.Load(), Value: p.value()}
	}
	return all
}

// into makes records of one partition.
func (p *producer) into(partition int32, count int) (all []*kgo.Record) {
	for len(all) < count {
		for _, r := range p.records(1) {
			if r.Partition == partition {
				all = append(all, r)
			}
		}
	}
	return all
}

func (p *producer) value() []byte {
	p.made++
	switch {
	case p.topic.tombstones && p.random.IntN(tombstone) == 0:
		return nil
	case p.random.IntN(binaryOf) == 0:
		return fmt.Appendf(nil, "\xff not JSON %d", p.made)
	}
	return fmt.Appendf(nil, `{"n":%d,"pad":"%s"}`, p.made, strings.Repeat("x", p.random.IntN(valueBytes)))
}

func (p *producer) open() (err error) {
	if p.client != nil {
		return nil
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(p.world.cluster.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(100 * time.Millisecond), kgo.ProducerLinger(0),
	}
	if p.topic.transactional {
		// Kafka 4 refuses a batch that overtakes the first of its transaction.
		opts = append(opts, kgo.TransactionalID("chaos"), kgo.MaxProduceRequestsInflightPerBroker(1))
	}
	p.client, err = kgo.NewClient(opts...)
	return err
}

// close forgets the client: the next one knows nothing of what failed, or of a
// topic of the same name that is no more.
func (p *producer) close() {
	if p.client != nil {
		p.client.Close()
		p.client = nil
	}
}
