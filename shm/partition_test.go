package shm

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

func TestPartitionTable(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	equal(t, "partitions", r.Partitions(), 0)
	want := []event.Partition{
		{Topic: "odin.trades", Number: 0},
		{Topic: "odin.trades", Number: math.MaxInt32},
		{Topic: strings.Repeat("x", TopicMax), Number: 1},
		{Topic: "o", Number: 0},
	}
	for i, p := range want {
		equal(t, "index", added(t, s, p.Topic, p.Number, int64(i)*1000-1), i)
	}
	for i, p := range want {
		got, base := r.Partition(i)
		equal(t, "partition", got, p)
		equal(t, "base", base, int64(i)*1000-1)
		equal(t, "owner", r.Owner(i), event.Owner{Slot: event.Nobody, Generation: 0})
		found, ok := r.Find(p)
		equal(t, "found", ok, true)
		equal(t, "index", found, i)
	}
	_, ok := r.Find(event.Partition{Topic: "odin.trades", Number: 1})
	equal(t, "found", ok, false)

	equal(t, "index of one that is there", added(t, s, "odin.trades", 0, 5), 0)
	_, base := r.Partition(0)
	equal(t, "its base", base, -1)
	equal(t, "partitions", r.Partitions(), len(want))
}

func TestPartitionTableRefuses(t *testing.T) {
	s, _ := created(t, Layout{1, 2})
	for _, p := range []event.Partition{{Topic: ""}, {Topic: strings.Repeat("x", TopicMax+1)}, {Topic: "t", Number: -1}} {
		if _, err := s.AddPartition(p, 0); err == nil {
			t.Errorf("%s was taken", p)
		}
	}
	added(t, s, "t", 0, 0)
	added(t, s, "t", 1, 0)
	if _, err := s.AddPartition(event.Partition{Topic: "t", Number: 2}, 0); !errors.Is(err, ErrTableFull) {
		t.Errorf("a third of two: %v", err)
	}
	equal(t, "partitions", s.Partitions(), 2)
}

func TestPartitionsAppearWhole(t *testing.T) {
	const n = 500
	s, path := created(t, Layout{1, n})
	r := opened(t, path)
	var reader sync.WaitGroup
	reader.Go(func() {
		for i := 0; i < n; {
			if r.Partitions() <= i {
				continue
			}
			p, base := r.Partition(i)
			equal(t, "partition", p, event.Partition{Topic: fmt.Sprintf("topic-%d", i), Number: int32(i)})
			equal(t, "base", base, int64(i))
			equal(t, "owner", r.Owner(i).Slot, event.Nobody)
			i++
		}
	})
	for i := range n {
		added(t, s, fmt.Sprintf("topic-%d", i), int32(i), int64(i))
	}
	reader.Wait()
}

func TestOwnerAndTopologyVersion(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	i := added(t, s, "t", 0, 0)
	for _, o := range []event.Owner{
		{Term: 1, Slot: 0, Generation: 1},
		{Term: math.MaxUint32, Slot: event.MaxSlots - 1, Generation: generationMask},
		{Term: 3, Slot: event.Nobody},
	} {
		s.SetOwner(i, o)
		equal(t, "owner", r.Owner(i), o)
	}
	equal(t, "topology", r.TopologyVersion(), 0)
	s.SetTopologyVersion(7)
	equal(t, "topology", r.TopologyVersion(), 7)
	equal(t, "partitions", r.Partitions(), 1)
}
