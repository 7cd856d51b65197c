package worker

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// sum is a counter over all workers.
func (st *theatre) sum(c shm.Counter) (n uint64) {
	for _, a := range st.workers {
		n += st.segment.Slot(a.slot).Counter(c)
	}
	return n
}

func shortHistory(c *configType) { c.Limits.HistoryRecordsMax = 10 }

func TestThePastHasChunksOfItsOwn(t *testing.T) {
	if !(replica.Ref{Chunk: hub.Past}).Past() || (replica.Ref{Chunk: hub.Past - 1}).Past() {
		t.Error("hub and replica don't agree on which chunks are of the past")
	}
}

// What lies below the history is read from the log, once a partition whoever
// asks and however many, and comes before what is in the history and live.
func TestBackfillIsReadOnceForAll(t *testing.T) {
	st := newTheatre(t, 3, shortHistory)
	cursor := st.visit(0).subscribe("BTC.trade").Cursor
	const n, clients = 1200, 60
	st.produceMany("odin.trades", "BTC", 4, n)
	st.settled()
	var group sync.WaitGroup
	for i := range clients {
		g := st.visit(i % 3)
		group.Go(func() {
			missed, ack := g.resume(cursor, "BTC.trade")
			if !ack.Recovered || len(missed) != n {
				t.Errorf("client %d: %d records, %+v", i, len(missed), ack)
			}
			last := map[string]int64{}
			for _, m := range missed {
				pl := placeOf(t, m)
				part := fmt.Sprint(pl.partition)
				if before, ok := last[part]; ok && pl.offset != before+1 || !ok && pl.offset != 0 {
					t.Errorf("client %d: partition %s: %d behind %d", i, part, pl.offset, before)
				}
				last[part] = pl.offset
			}
		})
	}
	group.Wait()
	if reads := st.sum(shm.PastReads); reads > 4 {
		t.Errorf("%d reads of 4 partitions", reads)
	}
	if asked := st.sum(shm.PastsAsked); asked < 12 {
		t.Errorf("asked %d times, by 3 workers of 4 partitions", asked)
	}
	late, ack := st.visit(1).resume(cursor, "BTC.trade")
	if !ack.Recovered || len(late) != n || st.sum(shm.PastReads) > 4 {
		t.Errorf("who comes late: %d records, %+v, %d reads", len(late), ack, st.sum(shm.PastReads))
	}
}

// Records go on arriving while the past is read, and the history moves on: what
// leaves it is kept for them, and nothing is read twice.
func TestBackfillWhileRecordsArrive(t *testing.T) {
	st := newTheatre(t, 3, func(c *configType) { c.Limits.HistoryRecordsMax = 300 })
	cursor := st.visit(0).subscribe("K.trade").Cursor
	st.produceMany("odin.trades", "K", 4, 4000)
	st.settled()
	const more = 2000
	var group sync.WaitGroup
	group.Go(func() {
		for range 20 {
			st.produceMany("odin.trades", "K", 4, more/20)
		}
	})
	for i := range 30 {
		g := st.visit(i % 3)
		group.Go(func() {
			seen, at, have := map[string]int64{}, i, clone(cursor)
			total := 0
			g.ask(have, "K.trade")
			for total < 4000+more {
				m, err := g.try()
				if err != nil && strings.Contains(err.Error(), "replay_broken") {
					g = st.visit(at % 3) // as it is told to: with what it has got so far
					g.ask(have, "K.trade")
					continue
				}
				if err != nil || m.Type == "reconnect_ack" && !m.Recovered {
					t.Errorf("client %d: %+v, %v", i, m, err)
					return
				}
				keep(t, have, m)
				if m.Type != "message" {
					continue
				}
				pl := placeOf(t, m)
				part := fmt.Sprint(pl.partition)
				if before, ok := seen[part]; ok && pl.offset != before+1 || !ok && pl.offset != 0 {
					t.Errorf("client %d: partition %s: %d behind %d", i, part, pl.offset, before)
					return
				}
				seen[part] = pl.offset
				total++
			}
		})
	}
	group.Wait()
	if reads, broken := st.sum(shm.PastReads), st.sum(shm.ReplaysBroken); reads > 4 || broken > 0 {
		t.Errorf("%d reads of 4 partitions, %d replays broken", reads, broken)
	}
}

// answered is what a reconnect with a cursor comes to.
func (st *theatre) answered(worker int, cursor wire.Cursor, channel string) string {
	st.t.Helper()
	missed, ack := st.visit(worker).resume(cursor, channel)
	return strings.TrimSpace(fmt.Sprintf("%t %d %s", ack.Recovered, len(missed), ack.Reason))
}

// A worker that is new has no history of what was before it: it asks the owner,
// who needn't ask the broker.
func TestResumeOnAFreshWorker(t *testing.T) {
	st := newTheatre(t, 2, nil)
	cursor := st.visit(0).subscribe("BTC.trade").Cursor
	st.produceMany("odin.trades", "BTC", 4, 400)
	st.settled()
	for i := range st.segment.Partitions() {
		st.elect(i, 0)
	}
	_ = st.workers[1].conn.Send(stopNow)
	<-st.workers[1].ended
	st.workers[1] = st.start(1)
	st.link(st.workers[0], st.workers[1])
	st.await("the new worker is ready", func() bool { return st.segment.Slot(1).State() == shm.Ready })
	if got := st.answered(1, cursor, "BTC.trade"); got != "true 400" {
		t.Error(got)
	}
	if reads := st.sum(shm.PastReads); reads != 0 {
		t.Errorf("%d reads", reads)
	}
}

// Whoever owned a partition, or had a link to its owner, may be gone while
// somebody waits for its past.
func TestBackfillWhileOwnersAndLinksChange(t *testing.T) {
	st := newTheatre(t, 3, func(c *configType) {
		shortHistory(c)
		c.Limits.BackfillMax = time.Minute // on a busy machine each owner's term ends before much was read
	})
	cursor := st.visit(0).subscribe("BTC.trade").Cursor
	const n = 4000
	st.produceMany("odin.trades", "BTC", 4, n)
	st.settled()
	stop := make(chan struct{})
	var changes, group sync.WaitGroup
	changes.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond):
			}
			st.elect(i%st.segment.Partitions(), i%3)
			if i%7 == 0 {
				st.link(st.workers[i%3], st.workers[(i+1)%3])
			}
		}
	})
	for i := range 30 {
		g := st.visit(i % 3)
		group.Go(func() {
			if missed, ack := g.resume(cursor, "BTC.trade"); !ack.Recovered || len(missed) != n {
				t.Errorf("client %d: %d records, %+v", i, len(missed), ack)
			}
		})
	}
	group.Wait()
	close(stop)
	changes.Wait()
}
