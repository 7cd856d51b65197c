package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"
)

const trades = "odin.trades"

// anew makes the topic of trades anew, and the ledger with it.
func (b *broker) anew(t *testing.T, partitions int32) {
	t.Helper()
	admin := kadm.NewClient(b.producer)
	deleted, err := admin.DeleteTopics(t.Context(), trades)
	must(t, err)
	must(t, deleted.Error())
	eventually(t, soon, "the topic is made anew", func() (bool, string) {
		created, err := admin.CreateTopics(t.Context(), partitions, 1, nil, trades)
		if err == nil {
			err = created.Error()
		}
		return err == nil, fmt.Sprint(err)
	})
	b.ledger = &ledger{}
	b.producer.PurgeTopicsFromClient(trades) // or it goes on with the old one's id
}

// trade produces n trades of each of some subjects, which spreads them.
func (b *broker) trade(t *testing.T, subject string, n int) {
	t.Helper()
	var channels []string
	for i := range 12 {
		channels = append(channels, fmt.Sprint(subject, i, ".trade"))
	}
	b.produce(t, batch(n, channels...)...)
}

// wandering is a client that has all trades so far.
func wandering(t *testing.T, b *broker, s *server, patterns ...string) *wanderer {
	t.Helper()
	w := wander(connect(t, s))
	w.subscribe(t, patterns...)
	return w
}

// abroad ends the client's connection, once it has all, so that it comes back
// later.
func (w *wanderer) abroad(t *testing.T, b *broker) {
	t.Helper()
	if len(w.before) > 0 {
		w.settle(t, b.ledger)
	} else {
		b.settle(t, w.client)
	}
	w.close()
	<-w.over()
	w.learn()
}

// toldOf wants an answer that not all could be had, and why.
func (w *wanderer) toldOf(t *testing.T, s *server, reason string) {
	t.Helper()
	ack := w.comeBack(t, s)
	if ack.Recovered || ack.Reason != reason {
		t.Errorf("%s comes back: %s, want %s", w.name, ack.raw, reason)
	}
	for _, m := range w.entries() {
		if m.Type == "message" {
			t.Errorf("%s is sent %s before it is told", w.name, m.raw)
			return
		}
		if m.Type == "reconnect_ack" {
			return
		}
	}
}

// heard waits for a reset of a session.
func (c *client) heard(t *testing.T, reason string, lost bool) {
	t.Helper()
	c.find(t, "reset "+reason, func(m message) bool {
		return m.Type == "reset" && m.Reason == reason && m.Lost != nil && *m.Lost == lost
	})
}

// awaitEras waits until every worker has come into so many new eras. (Who comes
// back before that may be sent away again.)
func awaitEras(t *testing.T, s *server, partitions int) {
	t.Helper()
	eventually(t, soon, "new eras everywhere", func() (bool, string) {
		n := s.metrics(t).sum(t, "odin_era_changes_total")
		return n >= float64(partitions*s.options.workers), fmt.Sprint(n)
	})
}

// fresh wants a new client to get all that comes from now on, exactly.
func fresh(t *testing.T, b *broker, s *server) {
	t.Helper()
	for _, c := range clientsOnEach(t, s, 1) {
		c.subscribe(t, "*.trade")
		b.trade(t, "FRESH", 3)
		b.settle(t, c)
	}
}

// madeAnewWhileRunning: who is connected hears a reset, who comes back hears
// `epoch`, although the new topic is longer than the old one was.
func madeAnewWhileRunning(t *testing.T, b *broker) {
	s := startOdind(t, options{brokers: b.addr})
	stays, away := wandering(t, b, s, "*.trade"), wandering(t, b, s, "*.trade")
	other := wandering(t, b, s, "*.balances")
	b.trade(t, "OLD", 10)
	b.settle(t, stays.client)
	away.abroad(t, b)
	b.anew(t, 2)
	b.trade(t, "NEW", 30)
	stays.heard(t, "epoch", true)
	awaitEras(t, s, 2)
	away.toldOf(t, s, "epoch")
	fresh(t, b, s)
	for _, m := range other.entries() {
		if m.Type == "reset" {
			t.Errorf("who has none of it hears %s", m.raw)
		}
	}
	s.stop(t)
}

func TestTopicMadeAnewWhileRunning(t *testing.T) {
	t.Parallel()
	madeAnewWhileRunning(t, startBroker(t, 2))
}

// madeAnewWhileDown: the same with odind away meanwhile.
func madeAnewWhileDown(t *testing.T, b *broker) {
	s := startOdind(t, options{brokers: b.addr})
	away := wandering(t, b, s, "*.trade")
	b.trade(t, "OLD", 10)
	away.abroad(t, b)
	s.stop(t)
	b.anew(t, 2)
	b.trade(t, "NEW", 30)
	s = startOdind(t, s.options)
	away.toldOf(t, s, "epoch")
	fresh(t, b, s)
	s.stop(t)
}

func TestTopicMadeAnewWhileDown(t *testing.T) {
	t.Parallel()
	madeAnewWhileDown(t, startBroker(t, 2))
}

// TestTopicMadeAnewWithoutIDs: brokers of before Kafka 2.8 have no ids, so the
// new topic looks like the old one. A start has epochs of its own there.
func TestTopicMadeAnewWithoutIDs(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2, kfake.MaxVersions(kversion.V2_7_0()))
	s := startOdind(t, options{brokers: b.addr})
	away, back := wandering(t, b, s, "*.trade"), wandering(t, b, s, "*.trade")
	b.trade(t, "OLD", 10)
	away.abroad(t, b)
	back.abroad(t, b)
	for topic, c := range back.cursor {
		if !strings.HasPrefix(c.Epoch, strings.Repeat("0", 16)) {
			t.Fatalf("%s has epoch %s: the broker has ids", topic, c.Epoch)
		}
	}
	b.trade(t, "OLD", 3)
	if ack := back.comeBack(t, s); !ack.Recovered {
		t.Errorf("from a memory without a break: %s", ack.raw)
	}
	back.settle(t, b.ledger)
	s.stop(t)
	b.anew(t, 2)
	b.trade(t, "NEW", 10)
	s = startOdind(t, s.options)
	b.trade(t, "NEW", 30)
	away.toldOf(t, s, "epoch")
	s.stop(t)
}

// trimmed moves the start of each partition's log of trades to an offset.
func (b *broker) trim(t *testing.T, offset int64) {
	t.Helper()
	var offsets kadm.Offsets
	for p := range b.ends() {
		offsets.AddOffset(p.topic, p.number, offset, -1)
	}
	deleted, err := kadm.NewClient(b.producer).DeleteRecords(t.Context(), offsets)
	must(t, err)
	must(t, deleted.Error())
}

// trimmed: what the log lost below a cursor doesn't matter; above it, what is
// still in memory is had from there, and after a restart `trimmed` is told.
func trimmed(t *testing.T, b *broker) {
	s := startOdind(t, options{brokers: b.addr})
	early, late, memory := wandering(t, b, s, "*.trade"), wandering(t, b, s, "*.trade"), wandering(t, b, s, "*.trade")
	b.trade(t, "SOME", 10)
	early.abroad(t, b)
	memory.abroad(t, b)
	b.trade(t, "MORE", 10)
	late.abroad(t, b)
	b.trade(t, "LAST", 5)
	least := int64(1 << 60)
	for _, c := range late.cursor[trades].Offsets {
		least = min(least, *c)
	}
	b.trim(t, least)
	if ack := memory.comeBack(t, s); !ack.Recovered {
		t.Errorf("from memory: %s", ack.raw)
	}
	memory.settle(t, b.ledger)
	s.stop(t)
	s = startOdind(t, s.options)
	early.toldOf(t, s, "trimmed")
	if ack := late.comeBack(t, s); !ack.Recovered {
		t.Errorf("trimmed below: %s", ack.raw)
	}
	late.settle(t, b.ledger)
	s.stop(t)
}

func TestTopicTrimmed(t *testing.T) {
	t.Parallel()
	trimmed(t, startBroker(t, 2))
}

// partitionsAdded: all of a partition that a cursor lacks is owed, whether it was
// made while odind ran or was down.
func partitionsAdded(t *testing.T, b *broker) {
	s := startOdind(t, options{brokers: b.addr, limits: map[string]string{"topology_refresh_ms": "100"}})
	stays, away := wandering(t, b, s, "*.trade"), wandering(t, b, s, "*.trade")
	b.trade(t, "TWO", 5)
	away.abroad(t, b)
	rounds := 0
	add := func(partitions int) {
		added, err := kadm.NewClient(b.producer).UpdatePartitions(t.Context(), partitions, trades)
		must(t, err)
		must(t, added.Error())
		eventually(t, soon, "the new partitions are used", func() (bool, string) {
			b.producer.ForceMetadataRefresh()
			rounds++
			b.trade(t, fmt.Sprint("P", rounds, "-"), 3)
			used := 0
			for p := range maps.Keys(b.ends()) {
				if p.topic == trades {
					used++
				}
			}
			return used == partitions, fmt.Sprint(used)
		})
	}
	add(4)
	stays.heard(t, "topology", false)
	if ack := away.comeBack(t, s); !ack.Recovered {
		t.Errorf("two partitions are new: %s", ack.raw)
	}
	away.settle(t, b.ledger)
	b.settle(t, stays.client)
	away.abroad(t, b)
	s.stop(t)
	add(6)
	s = startOdind(t, s.options)
	if ack := away.comeBack(t, s); !ack.Recovered {
		t.Errorf("two more were made while odind was down: %s", ack.raw)
	}
	away.settle(t, b.ledger)
	s.stop(t)
}

func TestPartitionsAddedAreOwed(t *testing.T) {
	t.Parallel()
	partitionsAdded(t, startBroker(t, 2))
}

// TestStateThatIsBroken: whatever lies where eras are kept, odind starts, and
// proves nothing that it can't.
func TestStateThatIsBroken(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s := startOdind(t, options{brokers: b.addr})
	away := wandering(t, b, s, "*.trade")
	b.trade(t, "SOME", 5)
	away.abroad(t, b)
	s.stop(t)
	must(t, os.WriteFile(filepath.Join(s.dir, "eras.json"), []byte("{\x00"), 0o600))
	s = startOdind(t, s.options)
	away.toldOf(t, s, "epoch")
	fresh(t, b, s)
	away.abroad(t, b)
	s.stop(t)
	s = startOdind(t, s.options)
	if ack := away.comeBack(t, s); !ack.Recovered {
		t.Errorf("kept again since: %s", ack.raw)
	}
	s.stop(t)
}

// TestStateThatIsLost: as long as no era had begun, what a cursor says is proven by
// the log itself. Those that were numbered nobody knows any more.
func TestStateThatIsLost(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s := startOdind(t, options{brokers: b.addr})
	lost := func(away *wanderer) (ack message) {
		b.trade(t, "SOME", 5)
		away.abroad(t, b)
		s.stop(t)
		must(t, os.Remove(filepath.Join(s.dir, "eras.json")))
		b.trade(t, "MISSED", 5)
		s = startOdind(t, s.options)
		return away.comeBack(t, s)
	}
	away := wandering(t, b, s, "*.trade")
	if ack := lost(away); !ack.Recovered {
		t.Errorf("no era had begun: %s", ack.raw)
	}
	away.settle(t, b.ledger)
	b.anew(t, 2)
	awaitEras(t, s, 2)
	if ack := lost(wandering(t, b, s, "*.trade")); ack.Recovered {
		t.Errorf("of an era that is not known any more: %s", ack.raw)
	}
	fresh(t, b, s)
	s.stop(t)
}
