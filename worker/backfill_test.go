package worker

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

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

func TestBackfillLimits(t *testing.T) {
	st := newTheatre(t, 2, func(c *configType) {
		shortHistory(c)
		c.Limits.BackfillRecordsMax = 100
		c.Limits.HistoryRefill = 0 // where it comes late, it has the past kept from then on
	})
	var cursors []wire.Cursor
	for range 6 {
		cursors = append(cursors, st.visit(0).subscribe("BTC.trade").Cursor)
		st.produceMany("odin.trades", "BTC", 4, 200)
		st.settled()
	}
	for worker := range 2 {
		for i, want := range []string{"false 0 limit", "false 0 limit", "false 0 limit", "false 0 limit", "true 400", "true 200"} {
			if got := st.answered(worker, cursors[i], "BTC.trade"); got != want {
				t.Errorf("worker %d, %d missed: %s, want %s", worker, 200*(6-i), got, want)
			}
		}
	}
	if n := st.sum(shm.ResumesFailedLimit); n != 8 {
		t.Errorf("counted %d", n)
	}
}

// Who is allowed nothing from the log gets nothing, whoever owns the partition.
func TestBackfillOfNothing(t *testing.T) {
	for name, none := range map[string]func(*configType){
		"records": func(c *configType) { c.Limits.BackfillRecordsMax = 0 },
		"bytes":   func(c *configType) { c.Limits.BackfillBytesMax = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			st := newTheatre(t, 1, func(c *configType) {
				shortHistory(c)
				none(c)
			})
			cursor := st.visit(0).subscribe("BTC.trade").Cursor
			st.produceMany("odin.trades", "BTC", 4, 400)
			st.settled()
			if got := st.answered(0, cursor, "BTC.trade"); got != "false 0 limit" {
				t.Error(got)
			}
			if reads := st.sum(shm.PastRecords); reads != 0 {
				t.Errorf("%d records were read", reads)
			}
		})
	}
}

func (st *theatre) request(r kmsg.Request) {
	st.t.Helper()
	_, err := st.client.Request(st.t.Context(), r)
	st.must(err)
}

// trim has the log of a partition begin at an offset.
func (st *theatre) trim(name string, partition int32, offset int64) {
	st.t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	topic := kmsg.NewDeleteRecordsRequestTopic()
	topic.Topic = name
	part := kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Partition, part.Offset = partition, offset
	topic.Partitions = append(topic.Partitions, part)
	req.Topics, req.TimeoutMillis = append(req.Topics, topic), 5000
	st.request(req)
}

func TestBackfillOfWhatIsGone(t *testing.T) {
	st := newTheatre(t, 2, shortHistory)
	cursor := st.visit(0).subscribe("BTC.trade").Cursor
	st.produceMany("odin.trades", "BTC", 4, 400)
	st.settled()
	st.trim("odin.trades", 2, 5)
	for worker := range 2 {
		if got := st.answered(worker, cursor, "BTC.trade"); got != "false 0 trimmed" {
			t.Errorf("worker %d: %s", worker, got)
		}
	}
	kept := clone(cursor)
	kept["odin.trades"].Offsets[2] = number(4)
	for worker := range 2 {
		if got := st.answered(worker, kept, "BTC.trade"); got != "true 395" {
			t.Errorf("worker %d, behind the log's start: %s", worker, got)
		}
	}
}

// answeredAtLast is answered for who comes back as often as an era that begins
// meanwhile breaks off what was asked.
func (st *theatre) answeredAtLast(worker int, cursor wire.Cursor, channel string) string {
	st.t.Helper()
	for {
		g := st.visit(worker)
		g.ask(cursor, channel)
		m, err := g.try()
		switch {
		case err == nil:
			return strings.TrimSpace(fmt.Sprintf("%s %t %s", m.Type, m.Recovered, m.Reason))
		case !strings.Contains(err.Error(), "replay_broken"):
			st.t.Fatal(err)
		}
	}
}

// TestBackfillOfATopicMadeAnew: who comes back may be the first to meet the new
// topic. Nothing of it is replayed as if it were the old one's, and the answer
// waits for the era that tells why.
func TestBackfillOfATopicMadeAnew(t *testing.T) {
	st := newTheatre(t, 2, shortHistory)
	cursor := st.visit(0).subscribe("BTC.trade").Cursor
	st.produceMany("odin.trades", "BTC", 4, 400)
	st.settled()
	ahead := clone(cursor)
	for i := range ahead["odin.trades"].Offsets {
		ahead["odin.trades"].Offsets[i] = number(150)
	}
	st.must(st.broker.DeleteTopic("odin.trades"))
	st.must(st.broker.CreateTopic("odin.trades", 4, nil))
	for worker := range 2 {
		for what, c := range map[string]wire.Cursor{"behind": cursor, "ahead": ahead} {
			if got := st.answeredAtLast(worker, c, "BTC.trade"); got != "reconnect_ack false epoch" {
				t.Errorf("worker %d, %s: %s", worker, what, got)
			}
		}
	}
}

// TestBackfillOfAnotherLogThanThatWhichWasTrimmed: where a log began says nothing
// of the one that took its place.
func TestBackfillOfAnotherLogThanThatWhichWasTrimmed(t *testing.T) {
	st := newTheatre(t, 2, shortHistory)
	cursor := st.visit(0).subscribe("BTC.trade").Cursor
	st.produceMany("odin.trades", "BTC", 4, 800)
	st.settled()
	for part := range int32(4) {
		st.trim("odin.trades", part, 180)
	}
	for worker := range 2 {
		if got := st.answered(worker, cursor, "BTC.trade"); got != "false 0 trimmed" {
			t.Errorf("worker %d: %s", worker, got)
		}
	}
	st.must(st.broker.DeleteTopic("odin.trades"))
	st.must(st.broker.CreateTopic("odin.trades", 4, nil))
	st.client.PurgeTopicsFromProducing("odin.trades")
	var next wire.Cursor
	st.await("a worker has met all of it", func() bool {
		next = st.visit(1).subscribe("BTC.trade").Cursor
		return strings.HasSuffix(next["odin.trades"].Epoch, ".4")
	})
	st.produceMany("odin.trades", "BTC", 4, 400)
	st.settled()
	for worker := range 2 {
		if got := st.answered(worker, next, "BTC.trade"); got != "true 400" {
			t.Errorf("worker %d, of the new log: %s", worker, got)
		}
	}
}

func TestBackfillOfACompactedTopic(t *testing.T) {
	st := newTheatre(t, 2, shortHistory)
	cursor := st.visit(0).subscribe("BTC.trade").Cursor
	st.produceMany("odin.trades", "BTC", 4, 400)
	st.settled()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, "odin.trades"
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name, config.Value = "cleanup.policy", kmsg.StringPtr("compact")
	resource.Configs = append(resource.Configs, config)
	req.Resources = append(req.Resources, resource)
	st.request(req)
	for worker := range 2 {
		if got := st.answered(worker, cursor, "BTC.trade"); got != "false 0 trimmed" {
			t.Errorf("worker %d: %s", worker, got)
		}
	}
}

func TestBackfillWithoutABroker(t *testing.T) {
	st := newTheatre(t, 2, func(c *configType) {
		shortHistory(c)
		c.Limits.BackfillMax = 500 * time.Millisecond
	})
	cursor := st.visit(0).subscribe("BTC.trade").Cursor
	st.produceMany("odin.trades", "BTC", 4, 400)
	st.settled()
	st.broker.Close()
	ahead := clone(cursor)
	for i := range ahead["odin.trades"].Offsets {
		ahead["odin.trades"].Offsets[i] = number(5000)
	}
	for worker := range 2 {
		if got := st.answered(worker, cursor, "BTC.trade"); got != "false 0 unavailable" {
			t.Errorf("worker %d: %s", worker, got)
		}
		if got := st.answered(worker, ahead, "BTC.trade"); got != "false 0 unavailable" {
			t.Errorf("worker %d, ahead of all: %s", worker, got)
		}
	}
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

// TestBackfillWithoutTheRight: whether a topic is compacted must be known. An
// account that may only read is told to its operators, and clients hear the
// truth.
func TestBackfillWithoutTheRight(t *testing.T) {
	st := newTheatre(t, 1, shortHistory)
	st.broker.ControlKey(int16(kmsg.DescribeConfigs), func(in kmsg.Request) (kmsg.Response, error, bool) {
		st.broker.KeepControl()
		req := in.(*kmsg.DescribeConfigsRequest)
		resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
		for _, asked := range req.Resources {
			r := kmsg.NewDescribeConfigsResponseResource()
			r.ResourceType, r.ResourceName, r.ErrorCode = asked.ResourceType, asked.ResourceName, kerr.TopicAuthorizationFailed.Code
			resp.Resources = append(resp.Resources, r)
		}
		return resp, nil, true
	})
	cursor := st.visit(0).subscribe("BTC.trade").Cursor
	st.produceMany("odin.trades", "BTC", 4, 400)
	st.settled()
	if got := st.answered(0, cursor, "BTC.trade"); got != "false 0 unavailable" {
		t.Error(got)
	}
	st.await("it is logged, beside the loop", func() bool {
		log := st.workers[0].logged.String()
		return strings.Contains(log, "a right is missing") && strings.Contains(log, "DescribeConfigs")
	})
}
