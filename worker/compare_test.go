package worker

import (
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// furthest plays a worker that is gone and held more of partition 0 than anybody
// who is left, of the leader epoch that the owner has now.
func (st *theatre) furthest(held int64) {
	st.t.Helper()
	pos, ok := st.segment.Slot(st.segment.Owner(0).Slot).Position(0)
	if !ok {
		st.t.Fatal("no position")
	}
	pos.Held = held
	st.segment.Slot(st.config.Workers).PublishPosition(0, pos)
	st.segment.Bury(st.config.Workers)
}

// withOneGone is a theatre with a slot whose worker is gone.
func withOneGone(t *testing.T, workers int) *theatre {
	t.Helper()
	return newTheatreOf(t, workers, workers+1, nil)
}

// nextEpoch moves the partition to a later leader epoch.
func (st *theatre) nextEpoch(topic string, partition int32) {
	st.t.Helper()
	st.must(st.broker.MoveTopicPartition(topic, partition, 0))
}

// TestWhatTheDeadHeld: the log lacks what a worker had that is gone. The others
// hold nothing of that, so they keep all, and only who had it can't come back.
func TestWhatTheDeadHeld(t *testing.T) {
	st := withOneGone(t, 2)
	name, _ := st.segment.Partition(0)
	guests := []*guest{st.visit(0), st.visit(1)}
	channel := "A." + map[string]string{"odin.trades": "trade", "odin.balances": "balances"}[name.Topic]
	for _, g := range guests {
		g.subscribe(channel)
	}
	for range 10 {
		st.produce(name.Topic, name.Number, "A", "1")
	}
	var cursor wire.Cursor
	for _, g := range guests {
		for range 10 {
			g.next()
		}
		cursor = g.cursor()
	}
	st.furthest(20)
	ahead := clone(cursor)
	ahead[name.Topic].Offsets[name.Number] = number(20)
	st.nextEpoch(name.Topic, name.Number)
	for range 30 {
		st.produce(name.Topic, name.Number, "A", "2")
	}
	for _, g := range guests {
		if m := g.next(); m.Type != "reset" || m.Reason != "epoch" || m.Lost {
			t.Fatalf("told %+v", m)
		}
		for offset := int64(10); offset < 40; offset++ {
			if pl := placeOf(t, g.next()); pl.offset != offset {
				t.Fatalf("got %d, not %d", pl.offset, offset)
			}
		}
	}
	for worker := range 2 {
		if got := st.answered(worker, ahead, channel); got != "false 0 epoch" {
			t.Errorf("worker %d: %s", worker, got)
		}
		if n := len(st.visit(worker).latestOf(40, `"`+channel+`"`)); n != 40 {
			t.Errorf("worker %d has %d of 40 records: the history was kept", worker, n)
		}
		if e := st.segment.EraNumber(0); e != 1 {
			t.Errorf("era %d", e)
		}
		st.crosses(worker, cursor, name, channel)
	}
}

// crosses has a client come back who has all up to 9, from where an era has begun
// since: it is told so before the first of the 30 records that follow.
func (st *theatre) crosses(worker int, cursor wire.Cursor, name event.Partition, channel string) {
	st.t.Helper()
	g := st.visit(worker)
	g.ask(cursor, channel)
	m := g.next()
	told, before := m.Cursor[name.Topic], cursor[name.Topic]
	if m.Type != "reset" || m.Reason != "epoch" || m.Lost || told.Epoch == before.Epoch || *told.Offsets[name.Number] != 9 {
		st.t.Errorf("worker %d: who comes back is told %+v", worker, m)
	}
	for offset := int64(10); offset < 40; offset++ {
		if pl := placeOf(st.t, g.next()); pl.offset != offset {
			st.t.Fatalf("worker %d: got %d, not %d", worker, pl.offset, offset)
		}
	}
	if ack := g.next(); !ack.Recovered || ack.MessagesReplayed != 30 || ack.Cursor[name.Topic].Epoch != told.Epoch {
		st.t.Errorf("worker %d: %+v", worker, ack)
	}
	halfway := clone(m.Cursor) // as the client has it whose connection ends there
	halfway[name.Topic].Offsets[name.Number] = number(25)
	if got := st.answered(worker, halfway, channel); got != "true 14" {
		st.t.Errorf("worker %d: from the middle of that: %s", worker, got)
	}
}

// TestWhatTheDeadHeldIsInTheLog: the same with a log that has it.
func TestWhatTheDeadHeldIsInTheLog(t *testing.T) {
	st := withOneGone(t, 2)
	name, _ := st.segment.Partition(0)
	for range 10 {
		st.produce(name.Topic, name.Number, "A", "1")
	}
	st.settled()
	st.furthest(9)
	for range 3 { // each of a later leader epoch than what the dead held
		st.nextEpoch(name.Topic, name.Number)
		st.elect(0, 1-st.segment.Owner(0).Slot)
		for range 10 {
			st.produce(name.Topic, name.Number, "A", "2")
		}
		st.settled()
	}
	if e := st.segment.EraNumber(0); e != 0 {
		t.Errorf("era %d", e)
	}
	if gaps := st.sum(shm.BusGaps); gaps != 0 {
		t.Errorf("%d gaps", gaps)
	}
}

// TestWhatIsPublishedLate: a worker that was frozen publishes what the log has
// lost, when the owner is far beyond it. All come to the same era.
func TestWhatIsPublishedLate(t *testing.T) {
	st := withOneGone(t, 2)
	name, _ := st.segment.Partition(0)
	for range 10 {
		st.produce(name.Topic, name.Number, "A", "1")
	}
	st.settled()
	late, _ := st.segment.Slot(0).Position(0)
	late.Held = 20
	st.nextEpoch(name.Topic, name.Number)
	for range 30 {
		st.produce(name.Topic, name.Number, "A", "2")
	}
	st.settled()
	st.segment.Slot(2).PublishPosition(0, late)
	st.await("an era begins", func() bool { return st.segment.EraNumber(0) == 1 })
	if e := st.segment.Era(0); e.From != 10 {
		t.Errorf("it begins at %d", e.From)
	}
	st.settled()
}
