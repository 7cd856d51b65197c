package e2e

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// gate is the broker's listener: whose process is shut out can't reach it.
type gate struct {
	net.Listener
	mu    sync.Mutex
	shut  map[int]bool        // pids
	conns map[net.Conn]uint32 // the inode of the other end
	fault error               // why somebody was not let in who isn't known to be shut out
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if g.letIn(c) {
			return c, nil
		}
		c.Close()
	}
}

func (g *gate) letIn(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, err := inodeOfPeer(c)
	if err != nil {
		g.fault = err
	}
	if n == 0 { // who closed it needs no answer
		return false
	}
	for pid := range g.shut {
		if g.isOf(pid, n) {
			return false
		}
	}
	g.conns[c] = n
	return true
}

// isOf is also true if it can't be told.
func (g *gate) isOf(pid int, n uint32) bool {
	is, err := holds(pid, n)
	if err != nil {
		g.fault = err
	}
	return is || err != nil
}

// close shuts a process out, and ends what it has.
func (g *gate) close(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut[pid] = true
	for c, n := range g.conns {
		if g.isOf(pid, n) {
			c.Close()
			delete(g.conns, c)
		}
	}
}

// open lets it in again; all were known whom the gate had to know.
func (g *gate) open(t *testing.T, pid int) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.shut, pid)
	must(t, g.fault)
}

// TestSickSource takes the brokers away from one worker alone: its partitions go
// to the other, its clients keep everything, and it gets some back once it is
// well.
func TestSickSource(t *testing.T) {
	t.Parallel()
	addr := nextHost() + ":9092"
	g := &gate{shut: map[int]bool{}, conns: map[net.Conn]uint32{}}
	cluster := mustDo[*kfake.Cluster](t)(kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(0), kfake.SeedTopics(2, allTopics()...),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			l, err := net.Listen(network, addr)
			g.Listener = l
			return g, err
		})))
	t.Cleanup(cluster.Close)
	b := &broker{cluster, addr, newProducer(t, addr), &ledger{}}
	s := startOdind(t, options{workers: 2, brokers: addr})
	clients := clientsOnEach(t, s, 1)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	stop := b.produceOn(t, 50, everyChannel("SICK")...)
	owned := func(slot int) (n int) {
		for _, p := range s.apiStatus(t).Partitions {
			if p.Owner != nil && *p.Owner == slot {
				n++
			}
		}
		return n
	}
	if owned(0) == 0 {
		t.Fatal("worker 0 owns nothing")
	}
	pid := s.worker(t, 0)
	g.close(pid)
	eventually(t, longer, "its partitions have moved", func() (bool, string) { return owned(0) == 0, fmt.Sprint(owned(0)) })
	b.produce(t, batch(5, everyChannel("MOVED")...)...)
	for _, c := range clients {
		b.settle(t, c)
	}
	g.open(t, pid)
	eventually(t, longer, "it has partitions again", func() (bool, string) { return owned(0) > 0, "" })
	stop()
	for _, c := range clients {
		b.settle(t, c)
		if c.ended() != nil {
			t.Errorf("%s: %v", c.name, c.ended())
		}
	}
	if kills := s.metrics(t).sum(t, "odin_kills_total"); kills != 0 {
		t.Errorf("%v killed", kills)
	}
	s.stop(t)
}

// TestTopicGoneMovesNothing deletes a topic for good. Its owner can't read it, nor
// can anybody else: all partitions stay where they are, the clients keep what they
// have, and the topic is not made anew by who asks for it.
func TestTopicGoneMovesNothing(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{workers: 2, brokers: b.addr})
	clients := clientsOnEach(t, s, 1)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	b.produce(t, batch(5, everyChannel("BEFORE")...)...)
	for _, c := range clients {
		b.settle(t, c)
	}
	moves := s.metrics(t).sum(t, "odin_owner_changes_total")
	must(t, b.DeleteTopic(trades))
	eventually(t, longer, "it has settled that it is gone", func() (bool, string) {
		return strings.Contains(s.err.String(), "workers can't read the source"), ""
	})
	b.produce(t, batch(5, "AFTER.balances", "AFTER.social")...)
	for _, c := range clients {
		b.settle(t, c)
		if c.ended() != nil {
			t.Errorf("%s: %v", c.name, c.ended())
		}
	}
	if n := s.metrics(t).sum(t, "odin_owner_changes_total"); n != moves {
		t.Errorf("%v partitions have moved", n-moves)
	}
	if i := b.TopicInfo(trades); i != nil {
		t.Errorf("the topic was made anew: %+v", i)
	}
	s.stop(t)
}
