package supervisor

import (
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// lend carries out what lending decides.
func (c *crew) lend() {
	for _, o := range c.lending.step(c.now(), c.views()) {
		if o.take {
			c.tell(c.slots[o.to], control.Message{Type: control.Unlisten, Slot: o.slot})
			continue
		}
		c.give(o)
	}
	for i, s := range c.slots {
		s.shm.SetLent(c.lending.loans[i].to)
	}
}

func (c *crew) give(o order) {
	file, err := c.listen(o.slot)
	if err != nil {
		c.log.Error("listener can't be handed to its worker: the worker is started anew", "worker", o.to, "slot", o.slot, "err", err)
		c.kill(c.slots[o.to]) // without it connects would wait for nobody
		return
	}
	if o.to != o.slot {
		c.count(shm.Lends)
		c.log.Info("listener lent", "slot", o.slot, "worker", o.to)
	}
	c.tell(c.slots[o.to], control.Message{Type: control.Listener, Slot: o.slot}, file)
}
