//go:build realkafka

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/odin-ws/odin/internal/kafkatest"
)

// realBroker runs Apache Kafka with the topics of the default routes.
func realBroker(t *testing.T, brokers int, partitions int32, replicas int16) (*kafkatest.Cluster, *broker) {
	t.Helper()
	cluster := kafkatest.Start(t, kafkatest.Options{Brokers: brokers})
	addr := strings.Join(cluster.Addrs(), ",")
	b := &broker{addr: addr, producer: newProducer(t, addr), ledger: &ledger{}}
	created, err := kadm.NewClient(b.producer).CreateTopics(t.Context(), partitions, replicas, nil, allTopics()...)
	must(t, err)
	must(t, created.Error())
	return cluster, b
}

// TestRealExactly is the promise at its full size: 2,000 clients on 4 workers,
// 100,000 records over 96 partitions, from producers of both kinds.
func TestRealExactly(t *testing.T) {
	_, b := realBroker(t, 1, 12, 1)
	exactly(t, b.addr, scale{workers: 4, partitions: 12, subjects: 25, clients: 2000, wild: 20, records: 100_000, within: 5 * time.Minute})
}

// TestRealBrokerKilled kills the only broker, twice: connections stay, what is
// wrong is said, and nothing is missing when it is back.
func TestRealBrokerKilled(t *testing.T) {
	cluster, b := realBroker(t, 1, 2, 1)
	s := startOdind(t, options{brokers: b.addr})
	clients := clientsOnEach(t, s, 2)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	b.produce(t, batch(20, everyChannel("BEFORE")...)...)
	for _, c := range clients {
		b.settle(t, c)
	}
	for round := range 2 {
		cluster.Nodes[0].Kill(t)
		waitDegraded(t, s)
		for _, c := range clients {
			c.heartbeat(t)
		}
		cluster.Nodes[0].Restart(t)
		b.produce(t, batch(20, everyChannel(fmt.Sprint("AFTER", round))...)...)
		for _, c := range clients {
			b.settleWithin(t, c, longer)
		}
		waitHealthy(t, s)
	}
	s.stop(t)
}

// inSync waits until every partition has so many replicas in sync.
func inSync(t *testing.T, b *broker, replicas int) {
	t.Helper()
	admin := kadm.NewClient(b.producer)
	eventually(t, longer, "all replicas are in sync", func() (bool, string) {
		topics, err := admin.ListTopics(t.Context(), allTopics()...)
		if err != nil {
			return false, err.Error()
		}
		lagging := 0
		topics.EachPartition(func(p kadm.PartitionDetail) {
			if len(p.ISR) < replicas {
				lagging++
			}
		})
		return lagging == 0, fmt.Sprint(lagging, " partitions lag")
	})
}

// TestRealLeadersKilled kills one broker of three, then another, while records
// come in: leaders move, nothing is missing and nothing arrives twice.
func TestRealLeadersKilled(t *testing.T) {
	cluster, b := realBroker(t, 3, 2, 3)
	s := startOdind(t, options{brokers: b.addr})
	clients := clientsOnEach(t, s, 2)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	stop := b.produceOn(t, 100, everyChannel("LEAD")...)
	for _, node := range cluster.Nodes[:2] {
		inSync(t, b, 3) // or the kill would take the only replica that is up to date
		before := records(clients[0].entries())
		node.Kill(t)
		eventually(t, longer, "records come in again", func() (bool, string) {
			n := records(clients[0].entries())
			return n > before+1000, fmt.Sprint(n - before)
		})
		node.Restart(t)
	}
	stop()
	for _, c := range clients {
		b.settleWithin(t, c, longer)
	}
	s.stop(t)
}
