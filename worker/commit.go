package worker

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// committer tells a consumer group how far the partitions' owners are, so that
// tools for lag show Odin beside all others. Nothing is ever read back from there,
// and no record waits for it. The scout commits for all owners, from what they
// publish; at its end each worker does so once more for what it owns.
type committer struct {
	source  *kafka.Source
	segment *shm.Segment
	block   *shm.Block
	log     *slog.Logger
	group   string
	every   time.Duration

	taken   map[event.Partition]kafka.Mark
	anew    time.Time // all positions are committed again from then on
	failure string    // that was logged last
	known   bool      // it was logged that commits are taken, or why not
}

const (
	// commitAnew is how often what has not changed is committed all the same: a
	// coordinator forgets positions that are old, and a worker that was frozen may
	// have put one back.
	commitAnew = time.Minute
	// lastCommitMax bounds how long the end of a worker waits for its last commit.
	lastCommitMax = time.Second
)

// newCommitter is nil where no group is configured.
func (p *process) newCommitter() *committer {
	if p.config.Kafka.Group == "" {
		return nil
	}
	return &committer{
		source: p.source, segment: p.segment, block: p.block, log: p.log.Logger,
		group: p.config.Kafka.Group, every: p.config.Limits.CommitInterval, taken: make(map[event.Partition]kafka.Mark),
	}
}

// run commits for all owners until ctx ends.
func (c *committer) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.commit(ctx, func(event.Owner) bool { return true })
		select {
		case <-ctx.Done():
		case <-time.After(c.every):
		}
	}
}

// commitLast commits what this worker owns, at the end of an orderly stop.
func (p *process) commitLast() {
	c := p.newCommitter()
	if c == nil || p.exit != 0 || !p.farewell.last {
		return
	}
	c.known = true // that all is well was said before
	ctx, cancel := context.WithTimeout(context.Background(), lastCommitMax)
	defer cancel()
	c.commit(ctx, func(o event.Owner) bool { return o.Is(p.slot, p.generation) })
}

func (c *committer) commit(ctx context.Context, of func(event.Owner) bool) {
	marks, now := c.marks(of), time.Now()
	all := !now.Before(c.anew)
	if !all {
		maps.DeleteFunc(marks, func(p event.Partition, m kafka.Mark) bool {
			taken, ok := c.taken[p]
			return ok && taken == m
		})
	}
	if len(marks) == 0 {
		return
	}
	err := c.source.Commit(ctx, c.group, marks)
	if err != nil && ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return // somebody else's turn
	}
	c.tell(err)
	if err != nil {
		return
	}
	maps.Copy(c.taken, marks)
	if all {
		c.anew = now.Add(commitAnew)
	}
}

// marks are the owners' positions in the present eras.
func (c *committer) marks(of func(event.Owner) bool) map[event.Partition]kafka.Mark {
	marks := make(map[event.Partition]kafka.Mark)
	for i := range c.segment.Partitions() {
		owner, era := c.segment.Owner(i), c.segment.Era(i)
		if owner.Slot < 0 || owner.Slot >= c.segment.Layout().Slots || !of(owner) {
			continue
		}
		pos, ok := c.segment.Slot(owner.Slot).Position(i)
		if ok && pos.Positioned && owner.Is(owner.Slot, pos.Generation) && pos.Era == era.Number {
			name, _ := c.segment.Partition(i)
			marks[name] = kafka.Mark{Topic: era.Topic, Offset: pos.Held, Epoch: pos.Epoch}
		}
	}
	return marks
}

// tell counts how a commit went, and says so when that changes.
func (c *committer) tell(err error) {
	if err == nil {
		c.block.Add(shm.GroupCommits, 1)
		if !c.known || c.failure != "" {
			c.log.Info("the group takes the positions", "group", c.group)
		}
		c.known, c.failure = true, ""
		return
	}
	c.block.Add(shm.GroupCommitsFailed, 1)
	if err.Error() != c.failure {
		c.log.Warn("the group doesn't take the positions: tools for lag show old ones, and it is tried again", "group", c.group, "err", err)
	}
	c.known, c.failure = true, err.Error()
}
