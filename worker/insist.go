package worker

import (
	"time"

	"github.com/odin-ws/odin/internal/replica"
)

// insist tries what a replica has asked for until that worked, or the term or the
// era is another one: then the replica asks anew. It has one of the places only
// while it tries: else what can't be had for long, as the partitions of a broker
// that is away, kept all others from what can.
func (p *process) insist(places chan struct{}, pt *partition, e replica.Effect, try func() error) {
	for {
		select {
		case places <- struct{}{}:
		case <-p.ctx.Done():
			return
		}
		if p.segment.Owner(pt.index).Term != e.Term || p.segment.EraNumber(pt.index) != e.Era {
			<-places
			return
		}
		err := try()
		<-places
		if err == nil {
			return
		}
		select {
		case <-p.ctx.Done():
			return
		case <-time.After(retryAfter):
		}
	}
}
