package e2e

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// moveWithin is what a partition may be without a working owner. The promise is
// below a second; a machine that runs all tests at once gets more.
const moveWithin = 5 * time.Second

// TestKillWorkers kills each worker in turn while clients connect and records
// come in. Only the victim's own sessions notice.
func TestKillWorkers(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 3)
	s := startOdind(t, options{workers: 3, brokers: b.addr})
	clients := clientsOnEach(t, s, 3)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	stop := b.produceOn(t, 200, everywhere("KILL")...)
	awaitUse(t, b, 24)
	load := startConnects(s)
	falls := watchCounters(t, s)
	for victim := range s.options.workers {
		for _, c := range killOne(t, b, s, victim, clients) {
			b.settle(t, c)
		}
		clients = clientsOnEach(t, s, 3)
		for _, c := range clients {
			c.subscribe(t, "*.*")
		}
	}
	load.stop(t)
	stop()
	for _, c := range clients {
		b.settle(t, c)
	}
	if fallen := falls(); len(fallen) > 0 {
		t.Errorf("counters fell: %v", fallen[:min(len(fallen), 10)])
	}
	if respawns := s.metrics(t).sum(t, "odin_respawns_total"); respawns != 3 {
		t.Errorf("%v respawns", respawns)
	}
	s.stop(t)
}

// everyChannel is one channel of the subject for every topic.
func everyChannel(subject string) []string {
	var all []string
	for event := range topicsByEvent {
		all = append(all, subject+"."+event)
	}
	return all
}

// everywhere is channels enough for every partition to get some.
func everywhere(subject string) []string {
	var all []string
	for i := range 12 {
		all = append(all, everyChannel(fmt.Sprint(subject, i))...)
	}
	return all
}

// awaitUse waits until so many partitions have records.
func awaitUse(t *testing.T, b *broker, partitions int) {
	t.Helper()
	eventually(t, soon, "all partitions are in use", func() (bool, string) {
		n := len(b.ends())
		return n == partitions, fmt.Sprint(n)
	})
}

// killOne kills a worker and returns the clients that are left, having seen that
// they get what comes afterwards in the partitions of the dead.
func killOne(t *testing.T, b *broker, s *server, victim int, clients []*client) []*client {
	t.Helper()
	before := s.apiStatus(t)
	orphans := map[partition]uint32{}
	for _, p := range before.Partitions {
		if p.Owner != nil && *p.Owner == victim {
			orphans[partition{p.Topic, p.Partition}] = p.Term
		}
	}
	if len(orphans) == 0 {
		t.Fatalf("worker %d owns nothing: %+v", victim, before.Partitions)
	}
	ends := b.ends()
	must(t, syscall.Kill(before.Workers[victim].PID, syscall.SIGKILL))
	start := time.Now()
	waitMoved(t, s, orphans, moveWithin)
	moved := time.Since(start)
	left := survivors(t, clients, victim)
	resumed := waitResumed(t, b, left[0], orphans, ends, start)
	t.Logf("worker %d killed: its %d partitions had owners after %v, the last of them was delivered from after %v", victim, len(orphans), moved, resumed)
	waitRespawned(t, s, victim, before.Workers[victim].Generation)
	return left
}

// waitMoved waits until each of the partitions has an owner of a later term.
func waitMoved(t *testing.T, s *server, terms map[partition]uint32, within time.Duration) {
	t.Helper()
	eventually(t, within, "the partitions have owners", func() (bool, string) {
		var missing []partitionStatus
		for _, p := range s.apiStatus(t).Partitions {
			term, ours := terms[partition{p.Topic, p.Partition}]
			if ours && (p.Owner == nil || p.Term <= term) {
				missing = append(missing, p)
			}
		}
		return len(missing) == 0, fmt.Sprintf("%+v", missing)
	})
}

// survivors wants the victim's sessions to end and all others to be open.
func survivors(t *testing.T, clients []*client, victim int) []*client {
	t.Helper()
	var left []*client
	for _, c := range clients {
		if c.worker != victim {
			left = append(left, c)
			continue
		}
		if c.await(soon, func() bool { return false }); c.ended() == nil {
			t.Errorf("%s: open though its worker is dead", c.name)
		}
	}
	for _, c := range left {
		if c.ended() != nil {
			t.Errorf("%s: %v", c.name, c.ended())
		}
	}
	return left
}

// waitResumed waits until the client has a record of each partition that was
// produced after the kill, and returns how long that took. A partition into
// which nothing is produced can't tell.
func waitResumed(t *testing.T, b *broker, c *client, partitions map[partition]uint32, ends map[partition]int64, start time.Time) time.Duration {
	t.Helper()
	want := 0
	for p := range partitions {
		if _, used := ends[p]; used {
			want++
		}
	}
	last := map[partition]time.Time{}
	ok := c.await(soon, func() bool {
		for _, m := range c.log {
			_, ours := partitions[m.pos.partition]
			end, used := ends[m.pos.partition]
			if _, seen := last[m.pos.partition]; m.Type == "message" && ours && used && !seen && m.pos.offset > end && m.at.After(start) {
				last[m.pos.partition] = m.at
			}
		}
		return len(last) == want
	})
	if !ok {
		t.Fatalf("%s: records of %d partitions of %d after the kill: %v", c.name, len(last), want, c.ended())
	}
	latest := start
	for _, at := range last {
		if at.After(latest) {
			latest = at
		}
	}
	return latest.Sub(start)
}

// waitRespawned waits for a ready worker of a later generation in the slot.
func waitRespawned(t *testing.T, s *server, slot int, generation uint32) {
	t.Helper()
	eventually(t, soon, fmt.Sprintf("worker %d is there again", slot), func() (bool, string) {
		w := s.apiStatus(t).Workers[slot]
		return w.Generation > generation && w.State == "ready", fmt.Sprintf("%+v", w)
	})
}

// connects is a load of clients that come and go.
type connects struct {
	over    chan struct{}
	group   sync.WaitGroup
	done    atomic.Int64
	mu      sync.Mutex
	failed  []error
	refused int
}

// startConnects connects from a few sides at once, one after the other.
func startConnects(s *server) *connects {
	l := &connects{over: make(chan struct{})}
	for range connectors {
		l.group.Go(func() {
			for !l.isOver() {
				l.one(s)
			}
		})
	}
	return l
}

const connectors = 4

func (l *connects) isOver() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

func (l *connects) one(s *server) {
	c, err := tryConnect(s)
	if err == nil {
		l.done.Add(1)
		c.close()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(l.failed, err)
	if errors.Is(err, syscall.ECONNREFUSED) {
		l.refused++
	}
}

// stop wants no connect refused. What was in the hands of a dead worker may have
// failed: one a connector and kill, at most.
func (l *connects) stop(t *testing.T) {
	t.Helper()
	close(l.over)
	l.group.Wait()
	t.Logf("%d connects, %d failed", l.done.Load(), len(l.failed))
	if l.refused > 0 || len(l.failed) > 3*connectors {
		t.Errorf("%d connects refused, %d failed otherwise: %v", l.refused, len(l.failed)-l.refused, l.failed[:min(5, len(l.failed))])
	}
}

// watchCounters scrapes all the time until the returned function is called,
// which tells what fell from one scrape to the next.
func watchCounters(t *testing.T, s *server) func() []string {
	over, result := make(chan struct{}), make(chan []string, 1)
	go func() {
		var fallen []string
		var before scrape
		for {
			if _, body, err := s.fetch("/metrics"); err == nil {
				now, err := parseMetrics(body)
				if err != nil {
					fallen = append(fallen, err.Error())
				}
				fallen = append(fallen, before.fallen(now)...)
				before = now
			} else {
				fallen = append(fallen, err.Error())
			}
			select {
			case <-over:
				result <- fallen
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() []string {
		close(over)
		return <-result
	}
}
