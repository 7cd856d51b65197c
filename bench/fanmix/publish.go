package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// publisher produces at a fixed rate, to channels drawn evenly, and keeps the
// ledger.
type publisher struct {
	plan       *plan
	partitions int
	client     *kgo.Client
	ledger     ledger
	rng        *rand.Rand
	seq        []int64
	pad        string
	size       int
	json       bool // quotes instead of padding

	published int64
	lateMost  time.Duration
	stop      atomic.Bool
	paused    atomic.Bool
	over      chan struct{}
}

func newPublisher(p *plan, broker string, partitions, size int, seed uint64) (*publisher, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(100000))
	if err != nil {
		return nil, err
	}
	return &publisher{
		plan: p, partitions: partitions, client: client, rng: rand.New(rand.NewPCG(seed, 2)),
		seq: make([]int64, p.channels), pad: strings.Repeat("x", size), size: size, over: make(chan struct{}),
	}, nil
}

// run publishes so many records a second until it is told to stop, but for
// pauses. The schedule is absolute: a late record doesn't shift the next.
func (p *publisher) run(rate float64) {
	defer close(p.over)
	start := time.Now()
	for !p.stop.Load() {
		if p.paused.Load() {
			time.Sleep(tick)
			start = start.Add(tick)
			continue
		}
		due := start.Add(time.Duration(float64(p.published) / rate * 1e9))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		} else {
			p.lateMost = max(p.lateMost, -wait)
		}
		p.publish(p.rng.IntN(p.plan.channels))
		p.published++
	}
}

func (p *publisher) publish(channel int) {
	p.seq[channel]++
	b := make([]byte, 0, p.size+64)
	b = append(strconv.AppendInt(append(b, channelStart...), int64(channel), 10), `,"bseq":`...)
	b = append(strconv.AppendInt(b, p.seq[channel], 10), ',')
	b = strconv.AppendInt(append(b, timeStart...), time.Now().UnixNano(), 10)
	if p.json {
		b = p.appendQuotes(b)
	}
	b = append(b, `,"pad":"`...)
	if n := p.size - len(b) - 2; n > 0 {
		b = append(b, p.pad[:n]...)
	}
	topic := channel % p.plan.topics
	r := &kgo.Record{Topic: events[topic].topic, Key: []byte(p.plan.subject(channel)), Value: append(b, `"}`...)}
	p.client.Produce(context.Background(), r, func(r *kgo.Record, err error) {
		p.ledger.book(entry{int32(channel), position{int32(topic*p.partitions) + r.Partition, r.Offset}}, err)
	})
}

// appendQuotes fills a record with what markets tell.
func (p *publisher) appendQuotes(b []byte) []byte {
	sides := [2]string{"buy", "sell"}
	b = append(b, `,"quotes":[`...)
	for i := 0; len(b) < p.size-100; i++ {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"price":"%d.%02d","amount":"%d.%04d","side":"%s","id":%d}`, 64000+p.rng.IntN(200), p.rng.IntN(100),
			p.rng.IntN(10), p.rng.IntN(10000), sides[p.rng.IntN(2)], 70312000+p.rng.IntN(100000))
	}
	return append(b, ']')
}

// finish stops and waits until the broker has all.
func (p *publisher) finish() error {
	p.stop.Store(true)
	<-p.over
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("what was published can't be flushed: %w", err)
	}
	p.client.Close()
	if p.ledger.failed != nil {
		return fmt.Errorf("what was published can't be accounted for: %w", p.ledger.failed)
	}
	return nil
}
