package e2e

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// topicsByEvent are the default routes.
var topicsByEvent = map[string]string{
	"trade": "odin.trades", "liquidity": "odin.liquidity", "metadata": "odin.metadata", "social": "odin.social",
	"community": "odin.community", "creation": "odin.creation", "analytics": "odin.analytics", "balances": "odin.balances",
}

func allTopics() []string {
	var all []string
	for _, topic := range topicsByEvent {
		all = append(all, topic)
	}
	return all
}

func eventOf(topic string) string {
	for event, t := range topicsByEvent {
		if t == topic {
			return event
		}
	}
	return ""
}

// broker is a fake Kafka in the test's own process, with a producer and a
// ledger of what that produced.
type broker struct {
	*kfake.Cluster
	addr     string
	producer *kgo.Client
	*ledger
}

// valueBytesMax is the largest record that the test's brokers take.
const valueBytesMax = 8 << 20

// startBroker runs a broker with all topics of the default routes.
func startBroker(t testing.TB, partitions int32, more ...kfake.Opt) *broker {
	t.Helper()
	addr := nextHost() + ":9092"
	more = append(more, kfake.SeedTopics(partitions, allTopics()...))
	return &broker{startCluster(t, addr, more...), addr, newProducer(t, addr), &ledger{}}
}

// startCluster runs a fake Kafka of one node at the address.
func startCluster(t testing.TB, addr string, more ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c := mustDo[*kfake.Cluster](t)(kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(0),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": fmt.Sprint(valueBytesMax)}),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) { return net.Listen(network, addr) }),
	}, more...)...))
	t.Cleanup(c.Close)
	return c
}

func newProducer(t testing.TB, addr string, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	p := mustDo[*kgo.Client](t)(kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(strings.Split(addr, ",")...), kgo.ProducerBatchMaxBytes(valueBytesMax), kgo.ProducerLinger(0),
		kgo.RecordPartitioner(kgo.UniformBytesPartitioner(64<<10, false, true, nil)),
	}, more...)...))
	t.Cleanup(p.Close)
	return p
}

// record makes what belongs into a channel of the default routes.
func record(channel, value string) *kgo.Record {
	subject, event, _ := strings.Cut(channel, ".")
	return &kgo.Record{Topic: topicsByEvent[event], Key: []byte(subject), Value: []byte(value)}
}

// produce stores records and enters them into the ledger.
func (b *broker) produce(t testing.TB, records ...*kgo.Record) {
	t.Helper()
	must(t, b.tryProduce(records...))
}

func (b *broker) tryProduce(records ...*kgo.Record) error {
	ctx, cancel := context.WithTimeout(context.Background(), longer)
	defer cancel()
	for _, r := range b.producer.ProduceSync(ctx, records...) {
		if r.Err != nil {
			return fmt.Errorf("produce: %w", r.Err)
		}
		b.enter(r.Record)
	}
	return nil
}
