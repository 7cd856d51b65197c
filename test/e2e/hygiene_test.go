package e2e

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

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

// fallen is an odind of which a worker, 1, stood still while more came than its
// siblings' history holds. Of the two clients of each worker the later one
// subscribes meanwhile.
func fallen(t *testing.T, b *broker, trim bool) (s *server, clients []*client) {
	t.Helper()
	s = startOdind(t, options{workers: 2, brokers: b.addr, limits: map[string]string{
		"history_records_max": "50", "heartbeat_dead_ms": "120000", "owed_bytes_max": "67108864",
	}})
	clients, late := clientsOnEach(t, s, 1), clientsOnEach(t, s, 1)
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
	var ids []string
	for _, c := range late {
		ids = append(ids, c.ask(t, "subscribe", map[string]any{"channels": []string{"*.trade"}}))
		c.patterns = []string{"*.trade"}
	}
	goOn()
	for i, c := range late {
		c.answer(t, ids[i], "subscribe")
	}
	return s, append(clients, late...)
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
// told, those too that came while it was behind, and go on from there.
func TestSiblingThatFellTooFarBehind(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s, clients := fallen(t, b, true)
	for i, c := range clients {
		if c.worker == 1 && i < s.options.workers {
			c.heard(t, "trimmed", true)
		}
		b.settleTold(t, c)
	}
	fresh(t, b, s) // nobody is behind any more
	if n := s.metrics(t).sum(t, "odin_lost_ranges_total"); n == 0 {
		t.Error("nothing was lost")
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
	s := startOdind(t, options{workers: 1, brokers: b.addr, limits: map[string]string{
		"owed_bytes_max": "67108864", // or who reads late on a busy machine is closed as slow
	}})
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
