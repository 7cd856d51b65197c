//go:build realkafka

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/internal/kafkatest"
)

// TestRealEras is what becomes of a topic, by Kafka itself.
func TestRealEras(t *testing.T) {
	for name, happens := range map[string]func(*testing.T, *broker){
		"made anew while it runs": madeAnewWhileRunning, "made anew while it is down": madeAnewWhileDown,
		"trimmed": trimmed, "partitions added": partitionsAdded, "compacted": compacted,
	} {
		t.Run(name, func(t *testing.T) {
			_, b := realBroker(t, 1, 2, 1)
			happens(t, b)
		})
	}
}

// compacted: what the history holds is had, deletions included; below it nobody
// knows what compaction took, and is told so.
func compacted(t *testing.T, b *broker) {
	admin := kadm.NewClient(b.producer)
	set := func(name, value string) {
		altered, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}, trades)
		must(t, err)
		must(t, altered[0].Err)
	}
	for name, value := range map[string]string{
		"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.001", "segment.ms": "100", "delete.retention.ms": "100", "max.compaction.lag.ms": "100",
	} {
		set(name, value)
	}
	s := startOdind(t, options{brokers: b.addr})
	memory, away := wandering(t, b, s, "*.trade"), wandering(t, b, s, "*.trade")
	b.trade(t, "KEY", 3)
	memory.abroad(t, b)
	away.abroad(t, b)
	for i := range 12 {
		dead := &kgo.Record{Topic: trades, Key: fmt.Append(nil, "KEY", i)} // a tombstone
		b.produce(t, dead)
	}
	b.trade(t, "KEY", 3)
	if ack := memory.comeBack(t, s); !ack.Recovered {
		t.Errorf("from memory: %s", ack.raw)
	}
	memory.settle(t, b.ledger)
	s.stop(t)
	s = startOdind(t, s.options)
	away.toldOf(t, s, "trimmed")
	fresh(t, b, s)
	s.stop(t)
}

// TestRealUncleanElection cuts a log as it happens to operators: the only replica
// in sync dies, and one that lacks the last records is made leader. Who had them
// is told, whether odind saw it or not.
func TestRealUncleanElection(t *testing.T) {
	cluster, b := realBroker(t, 3, 1, 1)
	admin := kadm.NewClient(b.producer)
	name := "odin.trades"
	deleted, err := admin.DeleteTopics(t.Context(), name)
	must(t, err)
	must(t, deleted.Error())
	unclean := map[string]*string{"unclean.leader.election.enable": pointer("true"), "min.insync.replicas": pointer("1")}
	eventually(t, longer, "the topic has two replicas", func() (bool, string) {
		created, err := admin.CreateTopics(t.Context(), 1, 2, unclean, name)
		if err == nil {
			err = created.Error()
		}
		return err == nil, fmt.Sprint(err)
	})
	b.producer.PurgeTopicsFromClient(name)
	s := startOdind(t, options{brokers: b.addr})
	early := wandering(t, b, s, "*.trade")
	b.trade(t, "KEPT", 5)
	early.abroad(t, b)
	first, second := replicasOf(t, b, cluster)
	second.Kill(t)
	eventually(t, longer, "one replica is left in sync", func() (bool, string) {
		d := detail(t, b)
		return len(d.ISR) == 1, fmt.Sprintf("%+v", d)
	})
	before := b.ledger.copy()
	stays, away := wandering(t, b, s, "*.trade"), wandering(t, b, s, "*.trade")
	b.trade(t, "CUT", 5)
	b.settle(t, stays.client)
	away.abroad(t, b)
	down := wandering(t, b, s, "*.trade")
	down.abroad(t, b)
	first.Kill(t)
	second.Restart(t)
	eventually(t, 2*time.Minute, "the other replica leads", func() (bool, string) {
		d := detail(t, b)
		return d.Leader >= 0 && d.Err == nil, fmt.Sprintf("%+v", d)
	})
	b.producer.Close()
	b.producer, b.ledger = newProducer(t, b.addr), before
	b.trade(t, "NEW", 20)
	stays.find(t, "reset epoch", func(m message) bool { return m.Type == "reset" && m.Reason == "epoch" })
	awaitEras(t, s, 1)
	away.toldOf(t, s, "epoch")
	if ack := early.comeBack(t, s); !ack.Recovered {
		t.Errorf("who has nothing that was cut comes back: %s", ack.raw)
	}
	early.settle(t, b.ledger)
	s.stop(t)
	first.Restart(t) // or the other topics' partitions that it leads keep odind waiting
	s = startOdind(t, s.options)
	down.toldOf(t, s, "epoch")
	fresh(t, b, s)
	s.stop(t)
}

func nodeOf(c *kafkatest.Cluster, id int32) *kafkatest.Node {
	for _, n := range c.Nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}

func pointer(s string) *string { return &s }

func detail(t *testing.T, b *broker) kadm.PartitionDetail {
	t.Helper()
	topics, err := kadm.NewClient(b.producer).ListTopics(t.Context(), trades)
	must(t, err)
	return topics[trades].Partitions[0]
}

// replicasOf gives the leader of the topic's only partition, and the other one.
func replicasOf(t *testing.T, b *broker, c *kafkatest.Cluster) (leader, other *kafkatest.Node) {
	t.Helper()
	eventually(t, longer, "both replicas are in sync", func() (bool, string) {
		d := detail(t, b)
		return len(d.ISR) == 2 && d.Leader >= 0, fmt.Sprintf("%+v", d)
	})
	d := detail(t, b)
	for _, id := range d.Replicas {
		if id == d.Leader {
			leader = nodeOf(c, id)
		} else {
			other = nodeOf(c, id)
		}
	}
	return leader, other
}
