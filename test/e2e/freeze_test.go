package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestFreeze stops a worker for longer than the supervisor trusts it: its
// partitions move, and when it wakes, late, nothing arrives twice and nothing is
// missing, on its own sessions neither.
func TestFreeze(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 3)
	s := startOdind(t, options{workers: 3, brokers: b.addr})
	clients := clientsOnEach(t, s, 2)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	stop := b.produceOn(t, 200, everywhere("FROST")...)
	awaitUse(t, b, 24)
	for victim := range 2 {
		freeze(t, b, s, victim, clients)
	}
	stop()
	for _, c := range clients {
		b.settle(t, c)
	}
	m := s.metrics(t)
	if kills, suspects := m.sum(t, "odin_kills_total"), m.sum(t, "odin_suspects_total"); kills != 0 || suspects < 2 {
		t.Errorf("%v killed, %v suspected", kills, suspects)
	}
	if gaps := m.sum(t, "odin_bus_gaps_total"); gaps != 0 {
		t.Errorf("%v holes on the bus", gaps)
	}
	s.stop(t)
}

// freeze stops a worker until its partitions have moved and records of them have
// reached a sibling's client, and thaws it.
func freeze(t *testing.T, b *broker, s *server, victim int, clients []*client) {
	t.Helper()
	st := s.apiStatus(t)
	terms := map[partition]uint32{}
	for _, p := range st.Partitions {
		if p.Owner != nil && *p.Owner == victim {
			terms[partition{p.Topic, p.Partition}] = p.Term
		}
	}
	if len(terms) == 0 {
		t.Fatalf("worker %d owns nothing: %+v", victim, st.Partitions)
	}
	must(t, syscall.Kill(st.Workers[victim].PID, syscall.SIGSTOP))
	defer func() { must(t, syscall.Kill(st.Workers[victim].PID, syscall.SIGCONT)) }()
	start, ends := time.Now(), b.ends()
	waitMoved(t, s, terms, soon)
	other := clients[slices.IndexFunc(clients, func(c *client) bool { return c.worker != victim })]
	resumed := waitResumed(t, b, other, terms, ends, start)
	t.Logf("worker %d frozen: its %d partitions had owners, the last of them was delivered from after %v", victim, len(terms), resumed)
}

// TestFreezeForGood stops a worker for longer than it is let live: it is killed,
// another takes its slot, and the rest notice nothing.
func TestFreezeForGood(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s := startOdind(t, options{brokers: b.addr, limits: map[string]string{"heartbeat_dead_ms": "3000"}})
	clients := clientsOnEach(t, s, 2)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	stop := b.produceOn(t, 50, everyChannel("GLACIER")...)
	st := s.apiStatus(t)
	must(t, syscall.Kill(st.Workers[0].PID, syscall.SIGSTOP))
	waitRespawned(t, s, 0, st.Workers[0].Generation)
	left := survivors(t, clients, 0)
	late := clientsOnEach(t, s, 1)
	for _, c := range late {
		c.subscribe(t, "*.*")
	}
	b.produce(t, batch(5, everyChannel("AFTER")...)...)
	stop()
	for _, c := range append(left, late...) {
		b.settle(t, c)
	}
	if kills := s.metrics(t).sum(t, "odin_kills_total"); kills != 1 {
		t.Errorf("%v kills", kills)
	}
	s.stop(t)
}

// TestMachineStopped stops all of odind, as a laptop's lid or a hypervisor does,
// for longer than a worker may be silent. Meanwhile odinctl answers from shared
// memory alone; afterwards nobody has been killed and nothing is missing.
func TestMachineStopped(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s := startOdind(t, options{brokers: b.addr, limits: map[string]string{"heartbeat_dead_ms": "3000"}})
	clients := clientsOnEach(t, s, 2)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	b.produce(t, batch(5, everyChannel("BEFORE")...)...)
	for _, c := range clients {
		b.settle(t, c)
	}
	before := s.awaitSessions(t, len(clients))
	all := s.descendants()
	if len(all) != 1+s.options.workers {
		t.Fatalf("processes %v", all)
	}
	each(t, all, syscall.SIGSTOP)
	frozen := s.status(t)
	checkFrozen(t, s, before, frozen)
	b.produce(t, batch(5, everyChannel("MEANWHILE")...)...)
	// The stop has to outlast the limit; the age of the heartbeats tells.
	eventually(t, soon, "all heartbeats are too old", func() (bool, string) {
		age := s.status(t).Workers[0].HeartbeatAge
		return age > 3500, fmt.Sprint(age)
	})
	each(t, all, syscall.SIGCONT)
	for _, c := range clients {
		b.settle(t, c)
	}
	after := s.status(t)
	for i, w := range after.Workers {
		if w.PID != before.Workers[i].PID || w.State != "ready" {
			t.Errorf("worker %d is %+v, was %+v", i, w, before.Workers[i])
		}
	}
	s.stop(t)
}

func each(t *testing.T, pids []int, sig syscall.Signal) {
	t.Helper()
	for _, pid := range pids {
		must(t, syscall.Kill(pid, sig))
	}
}
