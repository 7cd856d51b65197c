package kafka

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// answerEpochs answers every OffsetForLeaderEpoch alike, until lifted.
func answerEpochs(c *kfake.Cluster, epoch int32, end int64) (lift func()) {
	var lifted atomic.Bool
	c.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(in kmsg.Request) (kmsg.Response, error, bool) {
		if lifted.Load() {
			return nil, nil, false
		}
		c.KeepControl()
		req := in.(*kmsg.OffsetForLeaderEpochRequest)
		resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
		for _, rt := range req.Topics {
			t := kmsg.NewOffsetForLeaderEpochResponseTopic()
			t.Topic = rt.Topic
			for _, rp := range rt.Partitions {
				p := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
				p.Partition, p.LeaderEpoch, p.EndOffset = rp.Partition, epoch, end
				t.Partitions = append(t.Partitions, p)
			}
			resp.Topics = append(resp.Topics, t)
		}
		return resp, nil, true
	})
	return func() { lifted.Store(true) }
}

func TestTruncationAtAssignment(t *testing.T) {
	for name, c := range map[string]struct {
		epoch int32 // what the leader says of the one asked for
		end   int64
		want  Fault
	}{
		"its end is below":  {0, 6, Fault{Kind: Truncated, Offset: 6, Epoch: 0}},
		"it is unknown":     {-1, -1, Fault{Kind: Truncated, Offset: 9, Epoch: event.NoEpoch}}, // and 9 is of another
		"only earlier ones": {-1, 4, Fault{Kind: Truncated, Offset: 4, Epoch: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			cl, s, k := rig(t, 20)
			lift := answerEpochs(cl, c.epoch, c.end)
			epoch := int32(0)
			if c.end < 0 {
				epoch = 1
			}
			k.assign(tee, Tag{Term: 1}, 10, epoch)
			f := k.untilFault(0)
			f.Err = nil
			if f != c.want {
				t.Errorf("%+v, want %+v", f, c.want)
			}
			g := k.until(0, "", func(*got) bool { return true })
			if g.last.To != 9 || len(g.records) != 0 {
				t.Errorf("%+v", g.last)
			}
			if ok, why := s.Health(); !ok {
				t.Errorf("a partition that rests makes sick: %s", why)
			}
			// goes on from where it says
			lift()
			k.assign(tee, Tag{Term: 2, Era: 1}, f.Offset, event.NoEpoch)
			numbers(t, k.untilTo(0, 19).values(), int(f.Offset), 20-int(f.Offset))
		})
	}
}

func TestTruncationAtALeadersChange(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(2), kfake.SeedTopics(1, "t"))
	p := client(t, c.ListenAddrs())
	produceN(t, p, tee, 0, 10)
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	k := drink(t, s)
	k.assign(tee, Tag{}, 0, event.NoEpoch)
	epoch := k.untilTo(0, 9).last.ToEpoch
	answerEpochs(c, epoch, 7) // the new leader has less of that epoch
	if err := c.MoveTopicPartition("t", 0, 1-c.LeaderFor("t", 0)); err != nil {
		t.Fatal(err)
	}
	produceN(t, p, tee, 10, 1) // must not come
	f := k.untilFault(0)
	if f.Kind != Truncated || f.Offset != 7 || f.Epoch != epoch {
		t.Errorf("%+v", f)
	}
	if g := k.until(0, "", func(*got) bool { return true }); g.last.To != 9 {
		t.Errorf("%+v", g.last)
	}
}

// TestTruncationThatABrokerTells: Kafka compares the epoch of the last record
// with each fetch (KIP-595); kfake doesn't, so its answer is made up.
func TestTruncationThatABrokerTells(t *testing.T) {
	c, _, k := rig(t, 10)
	k.assign(tee, Tag{}, 0, event.NoEpoch)
	k.untilTo(0, 9)
	id := topicID(t, c, "t")
	c.ControlKey(int16(kmsg.Fetch), func(in kmsg.Request) (kmsg.Response, error, bool) {
		resp := in.ResponseKind().(*kmsg.FetchResponse)
		resp.SessionID = in.(*kmsg.FetchRequest).SessionID
		p := kmsg.NewFetchResponseTopicPartition()
		p.DivergingEpoch.Epoch, p.DivergingEpoch.EndOffset = 0, 8
		top := kmsg.NewFetchResponseTopic()
		top.TopicID, top.Partitions = id, []kmsg.FetchResponseTopicPartition{p}
		resp.Topics = []kmsg.FetchResponseTopic{top}
		return resp, nil, true
	})
	if f := k.untilFault(0); f.Kind != Truncated || f.Offset != 8 || f.Epoch != 0 {
		t.Errorf("%+v", f)
	}
}

func TestTruncationBelowTheWantedOffset(t *testing.T) {
	_, _, k := rig(t, 10)
	k.assign(tee, Tag{}, 15, event.NoEpoch) // no epoch that could tell more
	if f := k.untilFault(0); f.Kind != Truncated || f.Offset != 10 || f.Epoch != event.NoEpoch {
		t.Errorf("%+v", f)
	}
}
