//go:build realkafka

package kafka

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/kafkatest"
)

// realRestored takes a partition's directory back to what it held before, as
// after a crash that lost what wasn't written: the log is shorter under the same
// topic id. (Were the cluster's metadata taken back as well, leader epochs would
// be given twice, and no client could tell once the log is long enough again.)
func realRestored(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1)
	p := client(t, c.Addrs())
	produceN(t, p, part, 0, 50)
	n := c.Nodes[0]
	n.Stop(t)
	dir, then := filepath.Join(n.LogDir(), part.Topic+"-0"), filepath.Join(t.TempDir(), "then")
	if err := os.CopyFS(then, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	n.Restart(t)
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic}})
	k := drink(t, s)
	k.assign(part, Tag{Term: 1}, 0, event.NoEpoch)
	produceN(t, client(t, c.Addrs()), part, 50, 30)
	k.untilTo(0, 79)
	n.Kill(t)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(then)); err != nil {
		t.Fatal(err)
	}
	n.Restart(t)
	produceN(t, client(t, c.Addrs()), part, 100, 60) // longer than it ever was
	f := k.untilFault(0)
	if f.Kind != Truncated || f.Offset != 50 {
		t.Errorf("%+v", f)
	}
	g := k.until(0, "", func(*got) bool { return true })
	numbers(t, g.values(), 0, 80)
	k.assign(part, Tag{Term: 2, Era: 1}, f.Offset, f.Epoch)
	numbers(t, k.untilTo(0, 109).values(), 100, 60)
}

// TestRealElections runs against three brokers.
func TestRealElections(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{Brokers: 3})
	t.Run("leader killed", func(t *testing.T) { realLeaderKilled(t, c) })
	t.Run("leader frozen", func(t *testing.T) { realLeaderFrozen(t, c) })
	t.Run("unclean", func(t *testing.T) { realUnclean(t, c) })
}

func leaderOf(t *testing.T, addrs []string, c *kafkatest.Cluster, p event.Partition) *kafkatest.Node {
	t.Helper()
	var id int32
	eventually(t, "a leader", func() bool {
		topics, err := admin(t, addrs).ListTopics(t.Context(), p.Topic)
		if err != nil {
			return false
		}
		id = topics[p.Topic].Partitions[p.Number].Leader
		return id > 0
	})
	return c.Nodes[id-1]
}

func realLeaderKilled(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 3, "min.insync.replicas", "2")
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic}})
	k := drink(t, s)
	k.assign(part, Tag{}, 0, event.NoEpoch)
	p := client(t, c.Addrs())
	produceN(t, p, part, 0, 100)
	k.untilTo(0, 99)
	leader := leaderOf(t, c.Addrs(), c, part)
	leader.Kill(t)
	began := time.Now()
	produceN(t, p, part, 100, 100)
	produced := time.Since(began)
	numbers(t, k.untilTo(0, 199).values(), 0, 200)
	t.Logf("produced after %v, read after %v", produced, time.Since(began))
	leader.Restart(t)
	produceN(t, p, part, 200, 100)
	numbers(t, k.untilTo(0, 299).values(), 0, 300)
}

func realLeaderFrozen(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 3, "min.insync.replicas", "2")
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic}})
	k := drink(t, s)
	k.assign(part, Tag{}, 0, event.NoEpoch)
	p := client(t, c.Addrs())
	produceN(t, p, part, 0, 100)
	k.untilTo(0, 99)
	leader := leaderOf(t, c.Addrs(), c, part)
	leader.Freeze(t)
	t.Cleanup(func() { leader.Thaw(t) })
	began := time.Now()
	eventually(t, "another leader", func() bool { return leaderOf(t, without(c, leader), c, part) != leader })
	t.Logf("elected after %v", time.Since(began))
	others := client(t, without(c, leader))
	produceN(t, others, part, 100, 100)
	produced := time.Since(began)
	numbers(t, k.untilTo(0, 199).values(), 0, 200)
	t.Logf("produced after %v, read after %v", produced, time.Since(began))
	leader.Thaw(t)
	produceN(t, others, part, 200, 100)
	numbers(t, k.untilTo(0, 299).values(), 0, 300)
}

func without(c *kafkatest.Cluster, n *kafkatest.Node) (addrs []string) {
	for _, other := range c.Nodes {
		if other != n {
			addrs = append(addrs, other.Addr())
		}
	}
	return addrs
}

// realUnclean has a replica elected that lacks what was read.
func realUnclean(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 2, "min.insync.replicas", "1", "unclean.leader.election.enable", "true")
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic}})
	k := drink(t, s)
	k.assign(part, Tag{Term: 1}, 0, event.NoEpoch)
	p := client(t, c.Addrs())
	produceN(t, p, part, 0, 40)
	leader := leaderOf(t, c.Addrs(), c, part)
	topics, err := admin(t, c.Addrs()).ListTopics(t.Context(), part.Topic)
	if err != nil {
		t.Fatal(err)
	}
	var follower *kafkatest.Node
	for _, id := range topics[part.Topic].Partitions[0].Replicas {
		if id != leader.ID {
			follower = c.Nodes[id-1]
		}
	}
	follower.Kill(t)
	produceN(t, p, part, 40, 30) // once it is out of sync, the leader has them alone
	k.untilTo(0, 69)
	leader.Kill(t)
	follower.Launch(t) // two of three again
	follower.Await(t)
	produceN(t, client(t, without(c, leader)), part, 100, 80) // to the unclean leader
	f := k.untilFault(0)
	if f.Kind != Truncated || f.Offset != 40 {
		t.Errorf("%+v", f)
	}
	numbers(t, k.until(0, "", func(*got) bool { return true }).values(), 0, 70)
	k.assign(part, Tag{Term: 2, Era: 1}, f.Offset, f.Epoch)
	numbers(t, k.untilTo(0, 119).values(), 100, 80)
	leader.Restart(t)
	eventually(t, "well", func() bool { ok, _ := s.Health(); return ok })
}
