package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
)

// health is what /health says.
type health struct {
	Status string `json:"status"`
	Checks map[string]struct {
		Value  any    `json:"value"`
		Limit  any    `json:"limit"`
		Status string `json:"status"`
	} `json:"checks"`
}

func (s *server) health(t testing.TB) (int, health, string) {
	t.Helper()
	code, body := s.get(t, "/health")
	var h health
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		t.Fatalf("/health: %v: %s", err, body)
	}
	return code, h, body
}

func waitDegraded(t *testing.T, s *server) {
	t.Helper()
	eventually(t, soon, "/health is degraded", func() (bool, string) {
		code, h, body := s.health(t)
		return code == 200 && h.Status == "degraded" && h.Checks["kafka"].Status != "healthy" && strings.Contains(body, "kafka"), body
	})
}

func waitHealthy(t *testing.T, s *server) {
	t.Helper()
	eventually(t, soon, "/health is healthy", func() (bool, string) {
		_, h, body := s.health(t)
		return h.Status == "healthy", body
	})
}

// TestBrokerGone takes the broker away and brings it back. Connections stay,
// /health says what is wrong, /readyz doesn't care, and nothing is missing
// afterwards.
func TestBrokerGone(t *testing.T) {
	t.Parallel()
	addr, dir := nextHost()+":9092", t.TempDir()
	cluster := startCluster(t, addr, kfake.DataDir(dir), kfake.SeedTopics(2, allTopics()...))
	b := &broker{cluster, addr, newProducer(t, addr), &ledger{}}
	s := startOdind(t, options{brokers: addr})
	clients := clientsOnEach(t, s, 2)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	b.produce(t, batch(5, everyChannel("BEFORE")...)...)
	for _, c := range clients {
		b.settle(t, c)
	}
	for round := range 2 {
		cluster.Close()
		waitDegraded(t, s)
		if code, body := s.get(t, "/readyz"); code != 200 {
			t.Errorf("/readyz says %d %s while the broker is away", code, body)
		}
		if st := s.apiStatus(t); st.State != "degraded" {
			t.Errorf("status says %s", st.State)
		}
		for _, c := range clients {
			c.heartbeat(t)
		}
		cluster = startCluster(t, addr, kfake.DataDir(dir))
		b.produce(t, batch(5, everyChannel(fmt.Sprint("AFTER", round))...)...)
		for _, c := range clients {
			b.settleWithin(t, c, longer)
		}
		waitHealthy(t, s)
	}
	s.stop(t)
}

// TestPartitionsAdded grows a topic under the clients. They are told, lose
// nothing, and get the new partitions from their start.
func TestPartitionsAdded(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{brokers: b.addr, limits: map[string]string{"topology_refresh_ms": "500"}})
	clients := clientsOnEach(t, s, 2)
	for _, c := range clients {
		c.subscribe(t, "*.trade", "SAME.social")
	}
	aside := connect(t, s)
	aside.subscribe(t, "*.balances")
	b.produce(t, batch(5, "OLD.trade")...)
	admin := kadm.NewClient(b.producer)
	must(t, mustDo[kadm.CreatePartitionsResponses](t)(admin.CreatePartitions(context.Background(), 2, "odin.trades")).Error())
	direct := newProducer(t, b.addr) // knows the new partitions at once
	fresh := &broker{b.Cluster, b.addr, direct, b.ledger}
	fresh.produce(t, batch(5, manyChannels("NEW%d.trade", 20)...)...)
	if _, used := b.ends()[partition{"odin.trades", 2}]; !used {
		t.Fatal("nothing was produced into the new partitions")
	}
	for _, c := range clients {
		reset := c.find(t, "reset", func(m message) bool { return m.Type == "reset" })
		if reset.Reason != "topology" || reset.Lost == nil || *reset.Lost || len(reset.Cursor["odin.trades"].Offsets) != 3 {
			t.Errorf("%s: %s", c.name, reset.raw)
		}
		b.settle(t, c)
		for _, m := range c.entries() {
			if m.Type == "reset" {
				break
			}
			if m.Type == "message" && m.pos.number > 0 {
				t.Errorf("%s: %v before the reset", c.name, m.pos)
			}
		}
	}
	aside.heartbeat(t)
	for _, m := range aside.entries() {
		if m.Type == "reset" {
			t.Errorf("%s, who has nothing to do with it: %s", aside.name, m.raw)
		}
	}
	s.stop(t)
}

func manyChannels(format string, n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(format, i))
	}
	return list
}

// TestTopicMadeAnew deletes a topic under the clients and makes it again: what is
// in the new one arrives from its start, behind a notice that something was lost.
func TestTopicMadeAnew(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{brokers: b.addr, limits: map[string]string{"topology_refresh_ms": "500"}})
	clients := clientsOnEach(t, s, 2)
	var epochs []string
	for _, c := range clients {
		epochs = append(epochs, c.subscribe(t, "*.trade", "*.social").Cursor["odin.trades"].Epoch)
	}
	b.produce(t, batch(5, "OLD.trade", "OLD.social")...)
	for _, c := range clients {
		b.settle(t, c)
	}
	must(t, b.DeleteTopic("odin.trades"))
	must(t, b.CreateTopic("odin.trades", 1, nil))
	// Its ledger begins anew; the first has what was before.
	anew := &broker{b.Cluster, b.addr, newProducer(t, b.addr), &ledger{}}
	anew.produce(t, batch(4, "NEW.trade")...)
	for i, c := range clients {
		reset := c.find(t, "reset", func(m message) bool { return m.Type == "reset" })
		if reset.Reason != "epoch" || reset.Lost == nil || !*reset.Lost || reset.Cursor["odin.trades"].Epoch == epochs[i] {
			t.Errorf("%s: %s", c.name, reset.raw)
		}
		c.find(t, "last record of the new topic", func(m message) bool { return m.Pos == "odin.trades:0:3" && m.Channel == "NEW.trade" })
		want := anew.between(partition{"odin.trades", 0}, -1, 3, c.patterns)
		var got []message
		for _, m := range c.entries() {
			if m.Channel == "NEW.trade" {
				got = append(got, m)
			}
		}
		if faults := compare(partition{"odin.trades", 0}, want, got); len(faults) > 0 {
			t.Errorf("%s: %v", c.name, faults)
		}
	}
	b.produce(t, batch(2, "STILL.social")...)
	for _, c := range clients {
		c.find(t, "the other topic's record", func(m message) bool { return m.Channel == "STILL.social" })
	}
	s.stop(t)
}
