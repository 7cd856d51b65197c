package worker

import (
	"errors"
	"maps"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// Only what an owner holds in the present era is committed.
func TestCommittedIsWhatOwnersHold(t *testing.T) {
	t.Parallel()
	segment, err := shm.Create(filepath.Join(t.TempDir(), "stats.shm"), shm.Layout{Slots: 2, Partitions: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer segment.Close()
	topic := event.TopicID{7}
	held := func(generation, era uint32, at int64) shm.Position {
		return shm.Position{Generation: generation, Era: era, Held: at, Epoch: 4, Positioned: true}
	}
	unpositioned := held(1, 1, 5)
	unpositioned.Positioned = false
	for i, c := range []struct {
		owner event.Owner
		slot0 shm.Position
	}{
		{event.Owner{Term: 1, Slot: 0, Generation: 1}, held(1, 1, 41)},
		{event.Owner{Term: 1, Slot: 0, Generation: 1}, held(1, 1, event.None)},
		{event.Owner{Term: 1, Slot: 0, Generation: 2}, held(1, 1, 41)}, // the worker before published it
		{event.Owner{Term: 1, Slot: 1, Generation: 1}, held(1, 1, 41)}, // the owner has said nothing
		{event.Owner{Term: 1, Slot: event.Nobody}, held(1, 1, 41)},
		{event.Owner{Term: 1, Slot: 0, Generation: 1}, held(1, 0, 41)}, // of what was truncated
		{event.Owner{Term: 1, Slot: 0, Generation: 1}, unpositioned},
		{event.Owner{Term: 1, Slot: 5, Generation: 1}, held(1, 1, 41)}, // a slot that there isn't
	} {
		if _, err := segment.AddPartitionInEra(event.Partition{Topic: "t", Number: int32(i)}, 0, event.Era{Number: 1, Topic: topic}, shm.NoMark); err != nil {
			t.Fatal(err)
		}
		segment.SetOwner(i, c.owner)
		segment.Slot(0).PublishPosition(i, c.slot0)
	}
	c := &committer{segment: segment}
	want := map[event.Partition]kafka.Mark{
		{Topic: "t", Number: 0}: {Topic: topic, Offset: 41, Epoch: 4},
		{Topic: "t", Number: 1}: {Topic: topic, Offset: event.None, Epoch: 4},
	}
	if got := c.marks(func(event.Owner) bool { return true }); !maps.Equal(got, want) {
		t.Errorf("marks %v, want %v", got, want)
	}
	if got := c.marks(func(o event.Owner) bool { return o.Is(1, 1) }); len(got) > 0 {
		t.Errorf("of the other worker: %v", got)
	}
}

// committing is a theatre whose workers commit to a group.
func committing(t *testing.T, workers int) *theatre {
	t.Helper()
	return newTheatre(t, workers, func(c *configType) {
		c.Kafka.Group, c.Limits.CommitInterval, c.Log.Level = "g", tick, "info"
	})
}

// committed sums up what a group has of all partitions.
func (st *theatre) committed(group string) (sum int64) {
	st.t.Helper()
	all, err := kadm.NewClient(st.client).FetchOffsets(st.t.Context(), group)
	if !errors.Is(err, kerr.GroupIDNotFound) { // nobody has committed yet
		st.must(err)
	}
	all.Each(func(r kadm.OffsetResponse) { sum += r.At })
	return sum
}

// Who isn't the scout doesn't commit, but for its own at its end; what hasn't
// moved is not committed again and again.
func TestScoutCommitsForAll(t *testing.T) {
	st := committing(t, 2)
	commits := func(worker int) uint64 { return st.segment.Slot(worker).Counter(shm.GroupCommits) }
	g := st.visit(1)
	g.subscribe("BTC.trade")
	for partition := range int32(4) {
		st.produce("odin.trades", partition, "BTC", `{}`)
		g.next()
	}
	st.await("all is committed", func() bool { return st.committed("g") == 4 })
	before := commits(0) // the last of them may not be counted yet
	st.produce("odin.trades", 0, "BTC", `{}`)
	st.await("one more is", func() bool { return st.committed("g") == 5 })
	beat, _ := st.segment.Slot(0).LastBeat()
	st.await("ten more intervals pass", func() bool { now, _ := st.segment.Slot(0).LastBeat(); return now >= beat+10 })
	if n := commits(0) - before; n > 2 {
		t.Errorf("%d commits for one record", n)
	}
	if n := commits(1); n != 0 {
		t.Errorf("%d commits of a worker that isn't the scout", n)
	}
	st.stop()
	for worker := range 2 {
		if n := st.segment.Slot(worker).Counter(shm.GroupCommitsFailed); n > 0 {
			t.Errorf("worker %d: %d commits failed", worker, n)
		}
	}
	if commits(1) != 1 {
		t.Errorf("%d commits at the end of the other worker", commits(1))
	}
}
