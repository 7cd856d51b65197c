package supervisor

import (
	"slices"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/election"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// elect gives every partition the owner that it should have now, one atomic
// store each (rule 1), and wakes every worker if any changed.
func (c *crew) elect() {
	live := candidates(c.views())
	for _, candidate := range live {
		c.slots[candidate.Slot].worker.founder = true // once elected it stays a candidate
	}
	current := make([]event.Owner, c.segment.Partitions())
	for i := range current {
		current[i] = c.segment.Owner(i)
	}
	changed := 0
	for i, next := range election.Assign(live, current) {
		if next != current[i] {
			c.segment.SetOwner(i, next)
			changed++
		}
	}
	if changed == 0 {
		return
	}
	c.count(shm.Elections)
	c.segment.Process().Add(shm.OwnerChanges, uint64(changed))
	c.log.Info("owners elected", "partitions", len(current), "changed", changed, "candidates", len(live))
	c.ring()
}

// ring wakes every worker to look at the owner words and the topology.
func (c *crew) ring() {
	for _, s := range c.slots {
		if s.worker != nil {
			s.worker.ring()
		}
	}
}

// appoint makes one worker watch the topology.
func (c *crew) appoint() {
	present := c.scout
	if present != nobody && c.slots[present].worker == nil {
		present = nobody
	}
	next := scout(c.views(), present)
	if next == present && next == c.scout {
		return
	}
	if present != nobody {
		c.tell(c.slots[present], control.Message{Type: control.Scout})
	}
	c.scout = next
	if next != nobody {
		c.log.Info("worker watches the topology", "worker", next)
		c.tell(c.slots[next], control.Message{Type: control.Scout, On: true, Kept: c.eras.keptOf(c.inForce.Topics())})
	}
}

// topology takes the scout's complete, error-free report: new partitions get
// their place in the table and their first era, all get an owner.
func (c *crew) topology(topics []control.Topic, missing []string) {
	c.miss(missing)
	added := 0
	for _, t := range topics {
		for _, p := range t.Partitions {
			if c.add(event.Partition{Topic: t.Name, Number: p.Number}, p, t.ID) {
				added++
			}
		}
	}
	if added == 0 && c.segment.TopologyVersion() > 0 {
		c.refresh()
		return
	}
	c.elect()
	c.segment.SetTopologyVersion(c.segment.TopologyVersion() + 1)
	c.count(shm.TopologyChanges)
	c.log.Info("topology changed", "topics", len(topics), "partitions", c.segment.Partitions(), "added", added)
	c.ring()
	c.refresh()
}

// miss takes note of the topics that the brokers lack.
func (c *crew) miss(topics []string) {
	if len(topics) > 0 && !slices.Equal(topics, c.missing) {
		c.log.Warn("topics of routes are missing: each is read from its start once it is there", "missing", topics)
	}
	c.missing = topics
}

// add puts a partition that is new into the table. The first report of its
// base wins: nobody resolves it again (rule 3).
func (c *crew) add(p event.Partition, told control.Partition, id event.TopicID) bool {
	if _, ok := c.index[p]; ok {
		return false
	}
	era, mark := c.eras.begin(p, id, told.Cut)
	i, err := c.segment.AddPartitionInEra(p, told.Base, era, mark)
	if err != nil {
		c.index[p] = -1 // said once
		c.log.Error("partition is left out: there is no place for it, and nobody gets its records", "topic", p.Topic, "partition", p.Number, "err", err)
		return false
	}
	c.index[p] = i
	if told.Cut != nil {
		c.log.Warn("a partition was truncated while odind was down: clients of before are told", "topic", p.Topic, "partition", p.Number, "from", told.Cut.From)
	}
	return true
}
