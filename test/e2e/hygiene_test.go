package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// heavy makes n records of some kilobytes for each of the channels.
func heavy(n int, channels ...string) (records []*kgo.Record) {
	value := `{"v":"` + strings.Repeat("x", 4000) + `"}`
	for range n {
		for _, channel := range channels {
			records = append(records, record(channel, value))
		}
	}
	return records
}

// stopped has a worker stand still until resume is called.
func stopped(t *testing.T, s *server, victim int) (resume func()) {
	t.Helper()
	pid := s.worker(t, victim)
	must(t, syscall.Kill(pid, syscall.SIGSTOP))
	return func() { must(t, syscall.Kill(pid, syscall.SIGCONT)) }
}

// fallen is an odind of which a worker stood still while more came than its
// siblings' history holds.
func fallen(t *testing.T, b *broker, trim bool) (s *server, clients []*client) {
	t.Helper()
	s = startOdind(t, options{workers: 2, brokers: b.addr, limits: map[string]string{
		"history_records_max": "50", "heartbeat_dead_ms": "120000", "owed_bytes_max": "67108864",
	}})
	clients = clientsOnEach(t, s, 1)
	for _, c := range clients {
		c.subscribe(t, "*.trade")
	}
	b.produce(t, heavy(1, "A.trade", "B.trade", "C.trade", "D.trade")...)
	for _, c := range clients {
		b.settle(t, c)
	}
	goOn := stopped(t, s, 1)
	other := clients[0]
	if other.worker == 1 {
		other = clients[1]
	}
	for range 10 {
		b.produce(t, heavy(200, "A.trade", "B.trade", "C.trade", "D.trade")...)
	}
	b.settle(t, other) // the others notice nothing
	if trim {
		b.trim(t, -1) // all of it
	}
	goOn()
	return s, clients
}

// TestSiblingThatFellBehind stands still for longer than the owner's history
// lasts. Then it is given what it missed, from the log and behind it from the
// history; its clients miss nothing.
func TestSiblingThatFellBehind(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s, clients := fallen(t, b, false)
	for _, c := range clients {
		b.settle(t, c)
		for _, m := range c.entries() {
			if m.Type == "reset" {
				t.Errorf("%s hears %s", c.name, m.raw)
			}
		}
	}
	m := s.metrics(t)
	if n := m.sum(t, "odin_backfills_total"); n == 0 {
		t.Error("no range was read")
	}
	if n := m.sum(t, "odin_lost_ranges_total"); n != 0 {
		t.Errorf("%v ranges were lost", n)
	}
	s.stop(t)
}

// TestSiblingThatFellTooFarBehind: the log has lost it meanwhile. Its sessions are
// told, and go on from there.
func TestSiblingThatFellTooFarBehind(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s, clients := fallen(t, b, true)
	for _, c := range clients {
		if c.worker == 1 {
			c.heard(t, "trimmed", true)
		}
	}
	fresh(t, b, s)
	if n := s.metrics(t).sum(t, "odin_lost_ranges_total"); n == 0 {
		t.Error("nothing was lost")
	}
	s.stop(t)
}

// gate is the broker's listener: whose process is shut out can't reach it. Nor can
// a connection whose process isn't found: the kernel's table of sockets may lack it
// while others come and go. Who has it tries again.
type gate struct {
	net.Listener
	mu    sync.Mutex
	shut  map[int]bool // pids
	conns map[net.Conn]int
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		pid := owner(c.RemoteAddr().(*net.TCPAddr))
		g.mu.Lock()
		if pid != 0 && !g.shut[pid] {
			g.conns[c] = pid
			g.mu.Unlock()
			return c, nil
		}
		g.mu.Unlock()
		c.Close()
	}
}

// close shuts a process out, and ends what it has.
func (g *gate) close(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut[pid] = true
	for c, of := range g.conns {
		if of == pid {
			c.Close()
			delete(g.conns, c)
		}
	}
}

func (g *gate) open(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.shut, pid)
}

// owner finds the process that holds the other end of a connection, 0 if none.
func owner(a *net.TCPAddr) int {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return 0
	}
	ip := a.IP.To4()
	local := fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], a.Port)
	for line := range bytes.Lines(table) {
		fields := strings.Fields(string(line))
		if len(fields) > 9 && fields[1] == local {
			return holder("socket:[" + fields[9] + "]")
		}
	}
	return 0
}

func holder(socket string) int {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && to == socket {
			var pid int
			_, _ = fmt.Sscanf(link, "/proc/%d/", &pid)
			return pid
		}
	}
	return 0
}

// TestSickSource takes the brokers away from one worker alone: its partitions go
// to the other, its clients keep everything, and it gets some back once it is
// well.
func TestSickSource(t *testing.T) {
	t.Parallel()
	addr := nextHost() + ":9092"
	g := &gate{shut: map[int]bool{}, conns: map[net.Conn]int{}}
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
	g.open(pid)
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

// insist comes back as often as it takes for an answer: a replay may be broken by
// whatever happens meanwhile, retryably.
func (w *wanderer) insist(t testing.TB, s *server) (ack message, err error) {
	for range 50 {
		w.close()
		<-w.over()
		w.learn()
		w.before = append(w.before, w.entries()...)
		patterns := w.patterns
		c, err := tryConnect(s)
		if err != nil {
			w.client = &client{name: w.name, conn: w.conn, patterns: patterns, end: err, changed: make(chan struct{})}
			w.seen = 0
			eventually(t, soon, "a connection is let in", func() (bool, string) {
				c, err = tryConnect(s)
				return err == nil, fmt.Sprint(err)
			})
		}
		t.Cleanup(c.close)
		w.client, w.seen = c, 0
		w.patterns = patterns
		if w.ask() != nil {
			continue
		}
		seen := 0
		answered := c.await(soon, func() bool {
			for ; seen < len(c.log) && ack.Type == ""; seen++ {
				if c.log[seen].Type == "reconnect_ack" {
					ack = c.log[seen]
				}
			}
			return ack.Type != ""
		})
		if answered {
			return ack, nil
		}
		if c.ended() == nil {
			return ack, fmt.Errorf("no answer among %d messages:%s", len(c.entries()), tail(c.entries(), 3))
		}
	}
	return ack, errors.New("no answer, however often")
}

// TestOwnerKilledWhileItReadsForOthers: what lies below the history is read by the
// owner, for clients of all workers. Whoever is killed meanwhile, every client
// gets an answer in the end, and no hole.
func TestOwnerKilledWhileItReadsForOthers(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s := startOdind(t, options{workers: 3, brokers: b.addr, limits: map[string]string{"history_records_max": "20", "history_refill_ms": "0"}})
	var all []*wanderer
	for _, c := range clientsOnEach(t, s, 4) {
		c.subscribe(t, "*.trade")
		all = append(all, wander(c))
	}
	b.trade(t, "FIRST", 2)
	for _, w := range all {
		w.abroad(t, b)
	}
	for range 10 {
		b.trade(t, "MISSED", 50)
	}
	var group sync.WaitGroup
	var asked atomic.Int32
	for _, w := range all {
		group.Go(func() {
			asked.Add(1)
			if ack, err := w.insist(t, s); err != nil || !ack.Recovered {
				t.Errorf("%s: %v %s", w.name, err, ack.raw)
			}
		})
	}
	for slot := range 3 {
		before := s.apiStatus(t)
		must(t, syscall.Kill(before.Workers[slot].PID, syscall.SIGKILL))
		waitRespawned(t, s, slot, before.Workers[slot].Generation)
	}
	group.Wait()
	for _, w := range all {
		if w.ended() != nil {
			if ack, err := w.insist(t, s); err != nil || !ack.Recovered {
				t.Errorf("%s, again: %v %s", w.name, err, ack.raw)
			}
		}
		w.settle(t, b.ledger)
	}
	s.stop(t)
}

// TestDrainDuringAReplay closes who is in the middle of what it missed. With what
// it has got so far it comes back for the rest.
func TestDrainDuringAReplay(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s := startOdind(t, options{workers: 1, brokers: b.addr})
	var all []*wanderer
	for range 8 {
		all = append(all, wandering(t, b, s, "*.trade"))
	}
	for _, w := range all {
		w.abroad(t, b)
	}
	for range 8 {
		b.produce(t, heavy(50, "A.trade", "B.trade", "C.trade", "D.trade")...)
	}
	for _, w := range all {
		w.before = append(w.before, w.entries()...)
		patterns := w.patterns
		w.client, w.seen = connect(t, s), 0
		w.patterns = patterns
		must(t, w.ask())
	}
	s.drain(t, "--over", "100ms", "--wait")
	for _, w := range all {
		if code, reason := w.closed(t, soon); code != 1001 || reason.Code != "draining" {
			t.Errorf("%s: closed with %d %+v", w.name, code, reason)
		}
	}
	s.ctl(t, "undrain")
	for _, w := range all {
		if ack, err := w.insist(t, s); err != nil || !ack.Recovered {
			t.Errorf("%s: %v %s", w.name, err, ack.raw)
		}
		w.settle(t, b.ledger)
	}
	s.stop(t)
}
