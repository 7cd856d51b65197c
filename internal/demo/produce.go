package demo

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Limits of the producer.
const (
	bufferedMax = 10_000               // records not yet acknowledged; more wait
	linger      = 5 * time.Millisecond // for a batch to fill
	tickMin     = 2 * time.Millisecond // between two looks at the clock
	flushMax    = 2 * time.Second      // for the last records at the end
)

// RateMax is the highest rate of Produce, in events a second.
const RateMax = 1_000_000

// Produce sends the market's events to the broker until ctx ends: trades at
// least rate/3 a second, each other topic at least rate/10, none at all for a
// rate of 0. It returns nil then; what can't be delivered is logged.
func Produce(ctx context.Context, broker string, rate float64, m *Market, log *slog.Logger) error {
	if rate <= 0 {
		return nil
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(broker), kgo.ClientID("odin-demo"), kgo.DisableClientMetrics(),
		kgo.ProducerLinger(linger), kgo.MaxBufferedRecords(bufferedMax),
	)
	if err != nil {
		return fmt.Errorf("demo: produce to %s: %w", broker, err)
	}
	defer client.Close()
	p := producer{client: client, market: m, log: log}
	p.run(ctx, newPace(rate, time.Now()))
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushMax)
	defer cancel()
	if err := client.Flush(last); err != nil {
		return fmt.Errorf("demo: produce the last records to %s: %w", broker, err)
	}
	return nil
}

type producer struct {
	client *kgo.Client
	market *Market
	log    *slog.Logger
}

func (p *producer) run(ctx context.Context, pace *pace) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		n, next := pace.due(time.Now())
		for range n {
			p.send(ctx, p.market.Next())
		}
		timer.Reset(max(time.Until(next), tickMin))
	}
}

// send waits while too much is buffered. The event's partition is its key's,
// by Kafka's own hash, as any producer would have it.
func (p *producer) send(ctx context.Context, e Event) {
	record := &kgo.Record{Topic: string(e.Topic), Key: []byte(e.Key), Value: e.Value}
	p.client.Produce(ctx, record, func(_ *kgo.Record, err error) {
		if err != nil && ctx.Err() == nil {
			p.log.Error("an event of the demo is lost", "topic", e.Topic, "err", err)
		}
	})
}
