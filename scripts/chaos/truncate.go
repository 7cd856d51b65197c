package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/kafkatest"
	"github.com/odin-ws/odin/scripts/chaos/check"
	"github.com/odin-ws/odin/scripts/chaos/plan"
)

// truncation is one under way.
type truncation struct {
	*world
	topic         *topic
	partition     int32
	leader, other *kafkatest.Node
	witness       kmsg.Requestor // a broker that nothing is done to
	epoch         int32          // of the leader
	pick          uint64
}

// doomedMax is how many records a truncation takes at most.
const doomedMax = 60

// truncate has the log of a partition lose what was read of it, by odind and
// back, as it happens to operators: the one replica in sync ends, and one that
// lacks the last records is made leader. What lasts as long as the fault is how
// long those can be had. Nothing else is produced to the topic meanwhile.
func (w *world) truncate(ctx context.Context, t *topic, f plan.Fault) (string, error) {
	if len(w.cluster.Nodes) < 3 {
		return "", errFew
	}
	t.gate.Lock()
	release := sync.OnceFunc(t.gate.Unlock)
	defer release()
	w.producers[t].close()
	c := &truncation{world: w, topic: t, partition: int32(f.Pick % uint64(t.partitions.Load())), pick: f.Pick / 97, witness: w.client}
	if err := c.choose(ctx); err != nil {
		return "", err
	}
	if err := c.doom(ctx); err != nil {
		c.other.Thaw(w.stage)
		return "", err
	}
	time.Sleep(f.For)
	if err := c.allow(ctx, true); err != nil {
		c.other.Thaw(w.stage)
		return "", err
	}
	what, err := c.elect(ctx, release)
	if err := errors.Join(err, c.allow(ctx, false)); err != nil {
		return what, fmt.Errorf("%w: %w", errUnknown, err)
	}
	return what, nil
}

// allow has a replica be elected that lacks records, or not: other faults of
// brokers may come while one is out of sync, and the log is to lose nothing by
// them that nobody enters.
func (c *truncation) allow(ctx context.Context, unclean bool) error {
	value := strconv.FormatBool(unclean)
	return retry(ctx, func(ctx context.Context) error {
		altered, err := c.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "unclean.leader.election.enable", Value: &value}}, c.topic.name)
		if err != nil {
			return err
		}
		return altered[0].Err
	})
}

// choose waits until both replicas are in sync, and all of the topic is read
// back.
func (c *truncation) choose(ctx context.Context) error {
	p, err := c.until(ctx, "two replicas are in sync", func(p partition) bool {
		return p.Leader >= 0 && len(p.Replicas) == 2 && len(p.ISR) == 2
	})
	if err != nil {
		return err
	}
	c.epoch = p.LeaderEpoch
	for _, n := range c.cluster.Nodes {
		switch {
		case n.ID == p.Leader:
			c.leader = n
		case slices.Contains(p.Replicas, n.ID):
			c.other = n
		default:
			c.witness = c.client.Broker(int(n.ID))
		}
	}
	_, err = c.ends(ctx, c.topic)
	return err
}

// doom produces what only the leader gets, and has it read back.
func (c *truncation) doom(ctx context.Context) error {
	c.other.Freeze(c.stage)
	if _, err := c.until(ctx, "one replica is in sync", func(p partition) bool {
		return p.Leader == c.leader.ID && len(p.ISR) == 1
	}); err != nil {
		return err
	}
	last, err := c.produce(ctx, 1+int(c.pick%doomedMax))
	if err != nil {
		return err
	}
	return c.grown(ctx, last)
}

// produce gives the last offset of what it produces.
func (c *truncation) produce(ctx context.Context, count int) (last int64, err error) {
	p := c.producers[c.topic]
	err = retry(ctx, func(ctx context.Context) error {
		if err := p.open(); err != nil {
			return err
		}
		all := p.into(c.partition, count)
		err := p.client.ProduceSync(ctx, all...).FirstErr()
		if err != nil {
			p.close()
		}
		last = all[count-1].Offset
		return err
	})
	return last, err
}

// grown waits until the partition is read back to an offset.
func (c *truncation) grown(ctx context.Context, to int64) error {
	return retry(ctx, func(context.Context) error {
		if had := c.topic.reader.last(c.partition); had < to {
			return fmt.Errorf("%s:%d is read to %d of %d", c.topic.name, c.partition, had, to)
		}
		return nil
	})
}

// elect ends the leader, by a kill or so that it comes back as one that believes
// it leads, and has the other one take its place. Then the topic may go on.
func (c *truncation) elect(ctx context.Context, release func()) (string, error) {
	c.topic.reader.stop()
	at := time.Since(c.began)
	kill := c.pick/doomedMax%2 == 0
	if kill {
		c.leader.Kill(c.stage)
	} else {
		c.leader.Freeze(c.stage)
	}
	c.other.Thaw(c.stage)
	what, from, err := c.goOn(ctx, at)
	if err != nil {
		return what, err
	}
	if kill {
		release()
		c.leader.Restart(c.stage)
	} else {
		c.leader.Thaw(c.stage)
	}
	if _, err := c.until(ctx, "both replicas are in sync again", func(p partition) bool { return len(p.ISR) == 2 }); err != nil {
		return what, err
	}
	// Not before: who still believes that it leads would give what is gone.
	last := c.topic.reader.last(c.partition)
	if c.topic.reader, err = c.read(c.topic, c.topic.reader.incarnation, from); err != nil {
		return what, err
	}
	release()
	return what, c.grown(ctx, last+1)
}

// goOn enters what was lost, and gives where the topic is to be read from. Half
// of the time the log is as long as before at once.
func (c *truncation) goOn(ctx context.Context, at time.Duration) (what string, from map[int32]int64, err error) {
	from = map[int32]int64{}
	for p := range c.topic.partitions.Load() {
		from[p] = c.topic.reader.last(p) + 1
	}
	last := from[c.partition] - 1
	end, err := c.end(ctx)
	if err != nil {
		return "", nil, err
	}
	what = fmt.Sprintf("partition %d from %d on, which had come to %d", c.partition, end, last)
	if end <= last {
		from[c.partition] = end
		c.ledger.cut(c.topic.reader.incarnation, c.partition, check.Cut{From: end, At: at.Truncate(time.Millisecond), Last: last})
	}
	if c.pick/(2*doomedMax)%2 == 0 {
		_, err = c.produce(ctx, doomedMax+1)
	}
	return what, from, err
}

// end waits for the other replica to lead, and gives where its log ended.
func (c *truncation) end(ctx context.Context) (offset int64, err error) {
	if _, err := c.until(ctx, "the other replica leads", func(p partition) bool { return p.Leader == c.other.ID }); err != nil {
		return 0, err
	}
	request := kmsg.NewPtrOffsetForLeaderEpochRequest()
	topic, asked := kmsg.NewOffsetForLeaderEpochRequestTopic(), kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	asked.Partition, asked.LeaderEpoch = c.partition, c.epoch
	topic.Topic, topic.Partitions = c.topic.name, append(topic.Partitions, asked)
	request.Topics = append(request.Topics, topic)
	err = retry(ctx, func(ctx context.Context) error {
		answer, err := request.RequestWith(ctx, c.client.Broker(int(c.other.ID)))
		if err != nil {
			return err
		}
		told := answer.Topics[0].Partitions[0]
		offset = told.EndOffset
		return kerr.ErrorForCode(told.ErrorCode)
	})
	return offset, err
}

// partition is what brokers tell of one.
type partition = kmsg.MetadataResponseTopicPartition

// until waits for the partition to be so.
func (c *truncation) until(ctx context.Context, what string, fits func(partition) bool) (p partition, err error) {
	request := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &c.topic.name
	request.Topics = append(request.Topics, topic)
	err = retry(ctx, func(ctx context.Context) error {
		answer, err := request.RequestWith(ctx, c.witness)
		if err != nil {
			return err
		}
		all := answer.Topics[0].Partitions
		i := slices.IndexFunc(all, func(p partition) bool { return p.Partition == c.partition })
		if i < 0 {
			return fmt.Errorf("%s:%d is not known (error %d)", c.topic.name, c.partition, answer.Topics[0].ErrorCode)
		}
		if p = all[i]; !fits(p) {
			return fmt.Errorf("waited for that %s: %+v", what, p)
		}
		return nil
	})
	return p, err
}
