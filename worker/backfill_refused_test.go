package worker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

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
