package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/odin-ws/odin/internal/event"
)

func TestRecordsComeInOrderWithoutAGap(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(3), kfake.SeedTopics(4, "a", "b"))
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"a", "b"}})
	k := drink(t, s)
	p := client(t, c.ListenAddrs())
	var parts []event.Partition
	for _, topic := range []string{"a", "b"} {
		for n := range int32(4) {
			parts = append(parts, event.Partition{Topic: topic, Number: n})
		}
	}
	for i, part := range parts {
		k.assign(part, Tag{Index: i, Term: 1}, 0, event.NoEpoch)
	}
	for round := range 20 {
		for _, part := range parts {
			produceN(t, p, part, round*7, 7)
		}
	}
	for i := range parts {
		g := k.untilTo(i, 139)
		numbers(t, g.values(), 0, 140)
	}
	if ok, why := s.Health(); !ok {
		t.Errorf("not healthy: %s", why)
	}
}
