package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// keeper is a broker whose data can be put back to what it was, as a leader that
// lacked the last records does.
type keeper struct {
	*broker
	dir string
}

func startKeeper(t *testing.T, partitions int32) *keeper {
	t.Helper()
	addr, dir := nextHost()+":9092", t.TempDir()
	cluster := startCluster(t, addr, kfake.DataDir(dir), kfake.SeedTopics(partitions, allTopics()...))
	return &keeper{&broker{cluster, addr, newProducer(t, addr), &ledger{}}, dir}
}

// save copies the data while the broker is away for a moment.
func (k *keeper) save(t *testing.T) (copied string) {
	t.Helper()
	k.Close()
	copied = t.TempDir()
	must(t, os.CopyFS(filepath.Join(copied, "data"), os.DirFS(k.dir)))
	k.open(t)
	return copied
}

func (k *keeper) open(t *testing.T) { k.Cluster = startCluster(t, k.addr, kfake.DataDir(k.dir)) }

// cut puts the data back, in a later leader epoch.
func (k *keeper) cut(t *testing.T, copied string, partitions int32, l *ledger) {
	t.Helper()
	k.Close()
	k.dir = filepath.Join(copied, "data")
	k.open(t)
	for n := range partitions {
		must(t, k.MoveTopicPartition(trades, n, 0))
	}
	k.producer.Close()
	k.producer, k.ledger = newProducer(t, k.addr), l
}

func (l *ledger) copy() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[partition][]entry{}
	for p, list := range l.entries {
		all[p] = slices.Clone(list)
	}
	return &ledger{entries: all}
}

// TestTopicTruncated cuts the log while odind runs, is stopped, and was killed.
// A cursor of what was cut is never proven, however long the log is by then; one
// of before that is.
func TestTopicTruncated(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, s *server){
		"while it runs":       nil,
		"while it is stopped": func(t *testing.T, s *server) { s.stop(t) },
		"after it was killed": func(t *testing.T, s *server) {
			awaitKept(t, s)
			killAll(t, s)
		},
		"after it was killed before a word of it was written": func(t *testing.T, s *server) {
			killAll(t, s)
			must(t, os.Remove(filepath.Join(s.dir, "eras.json")))
		},
		"after the machine went down": func(t *testing.T, s *server) {
			awaitKept(t, s)
			killAll(t, s)
			must(t, os.Remove(filepath.Join(s.dir, "stats.shm")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			truncated(t, end)
		})
	}
}

// killAll kills all of odind in one blow.
func killAll(t *testing.T, s *server) {
	t.Helper()
	all := s.descendants() // and itself
	for _, pid := range all {
		must(t, syscall.Kill(pid, syscall.SIGSTOP)) // nobody acts on another's end
	}
	for _, pid := range all {
		must(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	s.code(t, soon)
	eventually(t, soon, "the workers are gone", func() (bool, string) { return len(s.descendants()) == 0, "" })
}

func truncated(t *testing.T, end func(t *testing.T, s *server)) {
	k := startKeeper(t, 2)
	s := startOdind(t, options{brokers: k.addr})
	early := wandering(t, k.broker, s, "*.trade")
	k.trade(t, "KEPT", 10)
	early.abroad(t, k.broker)
	copied, before := k.save(t), k.ledger.copy()
	stays, away := wandering(t, k.broker, s, "*.trade"), wandering(t, k.broker, s, "*.trade")
	k.trade(t, "CUT", 10)
	k.settle(t, stays.client)
	away.abroad(t, k.broker)
	if end != nil {
		end(t, s)
	}
	k.cut(t, copied, 2, before)
	k.trade(t, "NEW", 40)
	if end != nil {
		s = startOdind(t, s.options)
	} else {
		stays.heard(t, "epoch", true)
		awaitEras(t, s, 2)
	}
	away.toldOf(t, s, "epoch")
	if ack := early.comeBack(t, s); ack.Recovered {
		early.settle(t, k.ledger)
	} else if end != nil || ack.Reason != "epoch" {
		// (While it runs it may ask kfake's new leader about epochs before that
		// has a record: that knows none then, so neither does it where they part.)
		t.Errorf("who has nothing that was cut comes back: %s", ack.raw)
	}
	fresh(t, k.broker, s)
	s.stop(t)
}

// awaitKept waits until what the clients have is on disk.
func awaitKept(t *testing.T, s *server) {
	t.Helper()
	held := func() map[partition]int64 {
		all := map[partition]int64{}
		for _, p := range s.apiStatus(t).Partitions {
			all[partition{p.Topic, p.Partition}] = p.Position
		}
		return all
	}()
	eventually(t, soon, "all positions are kept", func() (bool, string) {
		text, err := os.ReadFile(filepath.Join(s.dir, "eras.json"))
		if err != nil {
			return false, err.Error()
		}
		var kept struct {
			Partitions []struct {
				Topic     string `json:"topic"`
				Partition int32  `json:"partition"`
				Held      int64  `json:"held"`
			} `json:"partitions"`
		}
		must(t, json.Unmarshal(text, &kept))
		for _, p := range kept.Partitions {
			if p.Topic == trades && p.Held < held[partition{p.Topic, p.Partition}] {
				return false, fmt.Sprintf("%+v of %d", p, held[partition{p.Topic, p.Partition}])
			}
		}
		return true, ""
	})
}
