package worker

import (
	"context"
	"reflect"
	"slices"
	"sync"
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
	kept    map[event.Partition]control.Kept
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
	missing := c.missing(topology)
	bases, err := c.bases(ctx, missing, known)
	if err != nil {
		return control.Message{}, err
	}
	cuts, err := c.cuts(ctx, topology, missing)
	if err != nil {
		return control.Message{}, err
	}
	m := control.Message{Type: control.Topology, Missing: topology.Missing}
	for _, t := range topology.Topics {
		report := control.Topic{Name: t.Name, ID: t.ID}
		for n := range t.Partitions {
			name := event.Partition{Topic: t.Name, Number: int32(n)}
			report.Partitions = append(report.Partitions, control.Partition{Number: name.Number, Base: bases[name], Cut: cuts[name]})
		}
		m.Topics = append(m.Topics, report)
	}
	return m, nil
}

// missing are the partitions that the table doesn't have.
func (c *scout) missing(topology kafka.Topology) (missing []event.Partition) {
	for _, t := range topology.Topics {
		for n := range t.Partitions {
			name := event.Partition{Topic: t.Name, Number: int32(n)}
			if _, ok := c.segment.Find(name); !ok {
				missing = append(missing, name)
			}
		}
	}
	return missing
}

// bases resolves where new partitions begin: as configured when no topology was
// known before, and otherwise at their start, since an earlier look lacked them.
func (c *scout) bases(ctx context.Context, missing []event.Partition, known bool) (map[event.Partition]int64, error) {
	if len(missing) == 0 {
		return nil, nil
	}
	at := c.start
	if known {
		at = kafka.Beginning()
	}
	return c.source.Resolve(ctx, missing, at)
}

// cuts finds out which of the new partitions have lost, since, what was held
// before odind started (rule 12). A topic that was made anew needs no answer: it
// has another id.
func (c *scout) cuts(ctx context.Context, topology kafka.Topology, missing []event.Partition) (map[event.Partition]*control.Cut, error) {
	ids := make(map[string]event.TopicID, len(topology.Topics))
	for _, t := range topology.Topics {
		ids[t.Name] = t.ID
	}
	missing = slices.DeleteFunc(slices.Clone(missing), func(p event.Partition) bool {
		k, ok := c.kept[p]
		return !ok || k.ID != ids[p.Topic]
	})
	if len(missing) == 0 {
		return nil, nil
	}
	epochs, err := c.source.Epochs(ctx, ids)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	var failed error
	cuts, free := make(map[event.Partition]*control.Cut), make(chan struct{}, askingMax)
	for _, p := range missing {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			cut, err := c.cut(ctx, p, epochs[p])
			mu.Lock()
			defer mu.Unlock()
			if cuts[p] = cut; err != nil {
				failed = err
			}
		})
	}
	group.Wait()
	return cuts, failed
}

// cut asks the leader of an epoch that some broker knows of already.
func (c *scout) cut(ctx context.Context, p event.Partition, met int32) (*control.Cut, error) {
	k := c.kept[p]
	f, err := c.source.Compare(ctx, p, kafka.Mark{Topic: k.ID, Offset: k.Held, Epoch: k.Epoch}, met)
	if err != nil || f.Kind != kafka.Truncated {
		return nil, err
	}
	return &control.Cut{From: f.Offset, Epoch: f.Epoch}, nil
}

func keptBefore(list []control.Kept) map[event.Partition]control.Kept {
	kept := make(map[event.Partition]control.Kept, len(list))
	for _, k := range list {
		kept[event.Partition{Topic: k.Topic, Number: k.Number}] = k
	}
	return kept
}

// scouting starts or ends the watch.
func (p *process) scouting(on bool, kept []control.Kept) {
	if p.endScout != nil {
		p.endScout()
		p.endScout = nil
	}
	if !on {
		return
	}
	ctx, cancel := context.WithCancel(p.ctx)
	p.endScout, p.kept = cancel, kept
	c := &scout{
		source: p.source, segment: p.segment, start: startOf(p.config.Kafka.Start),
		refresh: p.config.Limits.TopologyRefresh, tell: p.tell,
		kept:   keptBefore(kept),
		failed: func(err error) { p.log.Debug("the topology can't be read", "err", err) },
	}
	p.beside("the scout", func() { c.run(ctx) })
	if committer := p.newCommitter(); committer != nil {
		p.beside("the committer", func() { committer.run(ctx) })
	}
}
