package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/odin-ws/odin/internal/event"
	"github.com/twmb/franz-go/pkg/kgo"
)

// receipt is a record that was stored.
type receipt struct {
	Pos string `json:"pos"` // TOPIC:PARTITION:OFFSET
}

// receipts prints the position of each record that is stored, and keeps the
// first failure. franz-go calls it from goroutines of its own.
type receipts struct {
	program *program

	mu  sync.Mutex
	err error
}

func newReceipts(p *program) *receipts { return &receipts{program: p} }

// produce hands a record (topic, key, value) to franz-go, which may wait until
// there is room. An empty key is none.
func (r *receipts) produce(ctx context.Context, client *kgo.Client, words []string) {
	record := &kgo.Record{Topic: words[0], Value: []byte(words[2])}
	if words[1] != "" {
		record.Key = []byte(words[1])
	}
	client.Produce(ctx, record, r.stored)
}

func (r *receipts) stored(record *kgo.Record, err error) {
	if err != nil {
		r.fail(fmt.Errorf("produce to %s: %w", record.Topic, err))
		return
	}
	pos := fmt.Sprintf("%s:%d", event.Partition{Topic: record.Topic, Number: record.Partition}, record.Offset)
	if r.program.json {
		err = printLine(r.program.stdout, receipt{pos})
	} else {
		err = r.program.print("%s", pos)
	}
	if err != nil {
		r.fail(err)
	}
}

func (r *receipts) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// fine tells whether nothing has failed so far.
func (r *receipts) fine() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err == nil
}

// wait returns when every record is stored or has failed.
func (r *receipts) wait(ctx context.Context, client *kgo.Client) error {
	if err := client.Flush(ctx); err != nil {
		r.fail(fmt.Errorf("wait for the brokers: %w", err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
