package worker

import (
	"context"
	"reflect"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// scout watches the topology for all workers, and reports it to the
// supervisor, which alone decides what it means. One worker at a time does.
type scout struct {
	source  *kafka.Source
	segment *shm.Segment
	start   kafka.Start
	refresh time.Duration
	tell    func(control.Message)
	failed  func(error)
}

func startOf(s config.Start) kafka.Start {
	switch {
	case s.Beginning:
		return kafka.Beginning()
	case s.Ago > 0:
		return kafka.Ago(s.Ago)
	}
	return kafka.End()
}

// retryAfter is how soon a look at the topology that failed is repeated.
const retryAfter = 500 * time.Millisecond

// run looks at the topology until ctx ends.
func (c *scout) run(ctx context.Context) {
	var last control.Message
	for ctx.Err() == nil {
		m, err := c.look(ctx)
		wait := c.refresh
		switch {
		case err != nil:
			c.failed(err)
			wait = min(retryAfter, c.refresh)
		case !reflect.DeepEqual(m, last):
			c.tell(m)
			last = m
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// look makes a report: complete and without an error, or none (rule 14).
func (c *scout) look(ctx context.Context) (control.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	known := c.segment.TopologyVersion() != 0
	topology, err := c.source.Topology(ctx)
	if err != nil {
		return control.Message{}, err
	}
	bases, err := c.bases(ctx, topology, known)
	if err != nil {
		return control.Message{}, err
	}
	m := control.Message{Type: control.Topology, Missing: topology.Missing}
	for _, t := range topology.Topics {
		report := control.Topic{Name: t.Name, ID: t.ID}
		for n := range t.Partitions {
			name := event.Partition{Topic: t.Name, Number: int32(n)}
			report.Partitions = append(report.Partitions, control.Partition{Number: name.Number, Base: bases[name]})
		}
		m.Topics = append(m.Topics, report)
	}
	return m, nil
}

// bases resolves where the partitions begin that the table doesn't have: as
// configured when no topology was known before, and otherwise at their start,
// since an earlier look lacked them.
func (c *scout) bases(ctx context.Context, topology kafka.Topology, known bool) (map[event.Partition]int64, error) {
	var missing []event.Partition
	for _, t := range topology.Topics {
		for n := range t.Partitions {
			name := event.Partition{Topic: t.Name, Number: int32(n)}
			if _, ok := c.segment.Find(name); !ok {
				missing = append(missing, name)
			}
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	at := c.start
	if known {
		at = kafka.Beginning()
	}
	return c.source.Resolve(ctx, missing, at)
}

// scouting starts or ends the watch.
func (p *process) scouting(on bool) {
	if p.endScout != nil {
		p.endScout()
		p.endScout = nil
	}
	if !on {
		return
	}
	ctx, cancel := context.WithCancel(p.ctx)
	p.endScout = cancel
	c := &scout{
		source: p.source, segment: p.segment, start: startOf(p.config.Kafka.Start),
		refresh: p.config.Limits.TopologyRefresh, tell: p.tell,
		failed: func(err error) { p.log.Debug("the topology can't be read", "err", err) },
	}
	p.beside("the scout", func() { c.run(ctx) })
}
