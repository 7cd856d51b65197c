package e2e

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// scale says how large an exactness test is.
type scale struct {
	workers    int
	partitions int32 // of each of the eight topics
	subjects   int   // times eight topics: channels
	clients    int
	wild       int // of the clients
	records    int // committed, in all
	within     time.Duration
}

// channelsEach is how many channels a client that isn't on wildcards has.
const channelsEach = 10

// TestExactly is the real test on a smaller scale and a fake broker.
func TestExactly(t *testing.T) {
	t.Parallel()
	sc := scale{workers: 3, partitions: 4, subjects: 10, clients: 150, wild: 10, records: 6_000, within: longer}
	b := startBroker(t, sc.partitions)
	exactly(t, b.addr, sc)
}

// exactly holds every client to exactly the committed records of its channels:
// each once, each partition in order, from idempotent and transactional
// producers, aborted transactions among them, with one consumer a partition.
func exactly(t *testing.T, addr string, sc scale) {
	s := startOdind(t, options{workers: sc.workers, brokers: addr})
	topics := map[string]uint16{}
	for i, topic := range slices.Sorted(slices.Values(allTopics())) {
		topics[topic] = uint16(i)
	}
	clients := leanClients(t, s, topics, sc)
	before := s.apiStatus(t)
	l := &ledger{}
	start := time.Now()
	produceMixed(t, addr, l, sc)
	produced := time.Since(start)
	ends := l.ends()
	var group sync.WaitGroup
	failed := make([]error, len(clients))
	for i, c := range clients {
		group.Go(func() { failed[i] = c.settle(ends, sc.within) })
	}
	group.Wait()
	t.Logf("produced in %v, all delivered %v later", produced, time.Since(start)-produced)
	deliveries := checkExact(t, clients, failed, truthOf(l, topics))
	checkConsumers(t, s, before, sc, deliveries)
	s.stop(t)
}

// leanClients connects all, and wants every worker to have some.
func leanClients(t *testing.T, s *server, topics map[string]uint16, sc scale) []*lean {
	t.Helper()
	var channels []string
	for event := range topicsByEvent {
		channels = append(channels, manyChannels("S%d."+event, sc.subjects)...)
	}
	slices.Sort(channels)
	random := rand.New(rand.NewPCG(1, 2))
	clients := make([]*lean, sc.clients)
	patterns := make([][]string, sc.clients)
	for i := range clients {
		patterns[i] = somePatterns(random, channels, i < sc.wild)
	}
	const sides = 16
	failed := make([]error, sides)
	var group sync.WaitGroup
	for side := range sides {
		group.Go(func() {
			for i := side; i < len(clients) && failed[side] == nil; i += sides {
				clients[i], failed[side] = leanConnect(s, topics, patterns[i])
			}
		})
	}
	group.Wait()
	on := map[int]int{}
	for _, c := range clients {
		if c != nil {
			t.Cleanup(func() { c.Close() })
			on[c.worker]++
		}
	}
	for _, err := range failed {
		must(t, err)
	}
	if len(on) != sc.workers {
		t.Fatalf("clients on workers %v alone", on)
	}
	return clients
}

func somePatterns(random *rand.Rand, channels []string, wild bool) []string {
	if wild {
		wildcards := []string{"*.*", "*.trade", "S1.*", "*.social", "S2.*"}
		n := random.IntN(len(wildcards))
		return slices.Compact([]string{wildcards[n], channels[random.IntN(len(channels))]})
	}
	var list []string
	for _, i := range random.Perm(len(channels))[:channelsEach] {
		list = append(list, channels[i])
	}
	return list
}

// truth is the channel at each position, by topic, partition and offset.
type truth map[position32]string

func truthOf(l *ledger, topics map[string]uint16) truth {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := truth{}
	for p, list := range l.entries {
		for _, e := range list {
			all[position32{topics[p.topic], uint16(p.number), uint32(e.offset)}] = e.channel
		}
	}
	return all
}

// checkExact wants of every client: nothing that was not committed or not its
// own, rising offsets, and as many records as there are. That is the exact set.
func checkExact(t *testing.T, clients []*lean, failed []error, all truth) (deliveries int) {
	t.Helper()
	perChannel := map[string]int{}
	for _, channel := range all {
		perChannel[channel]++
	}
	faults := 0
	for i, c := range clients {
		want := 0
		mine := map[string]bool{}
		for channel, n := range perChannel {
			if mine[channel] = matchesAny(c.patterns, channel); mine[channel] {
				want += n
			}
		}
		err := failed[i]
		if err == nil {
			err = c.exact(all, mine, want)
		}
		if err != nil && faults < 10 {
			t.Errorf("client %d on worker %d, %v: %v", i, c.worker, c.patterns, err)
			faults++
		}
		deliveries += len(c.got)
	}
	return deliveries
}

func (l *lean) exact(all truth, mine map[string]bool, want int) error {
	last := map[position32]uint32{}
	for _, p := range l.got {
		channel, committed := all[p]
		if !committed || !mine[channel] {
			return fmt.Errorf("%+v (%q) was not owed", p, channel)
		}
		where := position32{p.topic, p.number, 0}
		if before, seen := last[where]; seen && p.offset <= before {
			return fmt.Errorf("%+v behind %d", p, before)
		}
		last[where] = p.offset
	}
	if len(l.got) != want {
		return fmt.Errorf("%d records of %d", len(l.got), want)
	}
	return nil
}

// checkConsumers wants every record to have been fetched once, by the owner that
// the partition has had from the beginning.
func checkConsumers(t *testing.T, s *server, before status, sc scale, deliveries int) {
	t.Helper()
	after := s.status(t)
	for i, p := range after.Partitions {
		was := before.Partitions[i]
		if p.Owner == nil || was.Owner == nil || *p.Owner != *was.Owner || p.Term != was.Term {
			t.Errorf("%+v was %+v", p, was)
		}
	}
	if len(after.Partitions) != 8*int(sc.partitions) {
		t.Errorf("%d partitions", len(after.Partitions))
	}
	m := s.metrics(t)
	if got := m.sum(t, "odin_records_fetched_total"); int(got) != sc.records {
		t.Errorf("%v records fetched, %d committed", got, sc.records)
	}
	for slot := range sc.workers {
		if m.sum(t, "odin_records_fetched_total", "worker", fmt.Sprint(slot)) == 0 {
			t.Errorf("worker %d fetched nothing", slot)
		}
	}
	if got := m.sum(t, "odin_deliveries_total"); int(got) != deliveries {
		t.Errorf("%v deliveries counted, %d received", got, deliveries)
	}
	if got := m.sum(t, "odin_bus_gaps_total"); got != 0 {
		t.Errorf("%v holes on the bus", got)
	}
}

// produceMixed commits sc.records records: half of them in transactions, between
// which others are aborted.
func produceMixed(t *testing.T, addr string, l *ledger, sc scale) {
	t.Helper()
	const transactional, perTransaction = 3, 250
	each := sc.records / 2 / transactional / perTransaction
	plain := sc.records - transactional*each*perTransaction
	var group sync.WaitGroup
	failed := make([]error, transactional+1)
	for i := range transactional {
		// One request at a time: Kafka 4 may still be entering a partition into the
		// transaction for the first batch when it refuses the second as out of order
		// (KAFKA-18202), which the client takes for a loss.
		p := newProducer(t, addr, kgo.TransactionalID(fmt.Sprintf("e2e-%d", i)), kgo.MaxProduceRequestsInflightPerBroker(1))
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 3))
			for n := range each {
				if n%3 == 1 {
					failed[i] = transact(p, nil, someRecords(random, sc, perTransaction))
				}
				if failed[i] == nil {
					failed[i] = transact(p, l, someRecords(random, sc, perTransaction))
				}
				if failed[i] != nil {
					return
				}
			}
		})
	}
	p := &broker{producer: newProducer(t, addr), ledger: l}
	group.Go(func() {
		random := rand.New(rand.NewPCG(4, 5))
		for done := 0; done < plain && failed[transactional] == nil; {
			n := min(perTransaction, plain-done)
			failed[transactional] = p.tryProduce(someRecords(random, sc, n)...)
			done += n
		}
	})
	group.Wait()
	for _, err := range failed {
		must(t, err)
	}
}

func someRecords(random *rand.Rand, sc scale, n int) []*kgo.Record {
	events := slices.Sorted(maps.Keys(topicsByEvent))
	list := make([]*kgo.Record, n)
	for i := range list {
		channel := fmt.Sprintf("S%d.%s", random.IntN(sc.subjects), events[random.IntN(len(events))])
		list[i] = record(channel, fmt.Sprintf(`{"price":"%d.25","size":%d,"side":"buy","venue":"e2e"}`, random.IntN(100_000), i))
	}
	return list
}

// transact produces in one transaction and commits it into the ledger, or aborts
// it if there is none.
func transact(p *kgo.Client, l *ledger, records []*kgo.Record) error {
	ctx, cancel := context.WithTimeout(context.Background(), longer)
	defer cancel()
	if err := p.BeginTransaction(); err != nil {
		return err
	}
	results := p.ProduceSync(ctx, records...)
	if err := results.FirstErr(); err != nil {
		return fmt.Errorf("produce in a transaction: %w", err)
	}
	if err := p.EndTransaction(ctx, kgo.TransactionEndTry(l != nil)); err != nil {
		return fmt.Errorf("end a transaction: %w", err)
	}
	if l != nil {
		for _, r := range results {
			l.enter(r.Record)
		}
	}
	return nil
}
