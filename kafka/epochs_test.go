package kafka

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// knows is metadata of one topic as a broker sees it.
func knows(t *testing.T, c *kfake.Cluster, in kmsg.Request, id event.TopicID, epoch int32) *kmsg.MetadataResponse {
	resp := in.ResponseKind().(*kmsg.MetadataResponse)
	for i, addr := range c.ListenAddrs() {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Error(err)
		}
		b := kmsg.NewMetadataResponseBroker()
		number, _ := strconv.Atoi(port)
		b.NodeID, b.Host, b.Port = int32(i), host, int32(number)
		resp.Brokers = append(resp.Brokers, b)
	}
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic, topic.TopicID = kmsg.StringPtr("t"), id
	part := kmsg.NewMetadataResponseTopicPartition()
	part.LeaderEpoch = epoch
	topic.Partitions = append(topic.Partitions, part)
	resp.Topics = append(resp.Topics, topic)
	return resp
}

// TestEpochsOfTheBrokerThatKnowsBest: one names the leader before, one another
// incarnation, one nothing at all.
func TestEpochsOfTheBrokerThatKnowsBest(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(4), kfake.SeedTopics(1, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	id := event.TopicID{7}
	c.ControlKey(int16(kmsg.Metadata), func(in kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		switch c.CurrentNode() {
		case 0:
			return knows(t, c, in, id, 6), nil, true
		case 1:
			return knows(t, c, in, event.TopicID{8}, 99), nil, true
		case 2:
			return knows(t, c, in, id, 7), nil, true
		}
		time.Sleep(10 * time.Millisecond) // the others are asked beside it
		return nil, net.ErrClosed, true
	})
	answers := 0
	for range 8 { // whichever is asked first: it may be the one that says nothing
		epochs, err := s.Epochs(t.Context(), map[string]event.TopicID{"t": id, "missing": {}})
		if err == nil && (len(epochs) != 1 || epochs[tee] != 7) {
			t.Fatal(epochs)
		}
		if err == nil {
			answers++
		}
	}
	if answers == 0 {
		t.Error("no answer")
	}
}
