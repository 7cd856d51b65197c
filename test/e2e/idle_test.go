package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// idleFor is how long a client must be able to say nothing: more than four
// pings.
const idleFor = 125 * time.Second

// TestIdle wants a client that answers pings and says nothing else to stay, and
// one that doesn't answer them to be closed. Five records a second tell how fast
// a record is when nothing else happens; that is measured, and only bounded by
// what a busy machine can hold.
func TestIdle(t *testing.T) {
	t.Parallel()
	start := time.Now()
	b := startBroker(t, 1)
	s := startOdind(t, options{brokers: b.addr})
	c := connect(t, s)
	c.subscribe(t, "IDLE.*")
	mute := mustDo[*raw](t)(rawUpgrade(s, 0))
	defer mute.Close()
	muted := make(chan error, 1)
	go func() { muted <- mute.closedWithoutPong() }()

	stop := b.produceOn(t, 5, "IDLE.trade")
	over := time.After(idleFor)
	if c.await(idleFor, func() bool { return false }); c.ended() != nil {
		t.Fatalf("closed after %v: %v", time.Since(start), c.ended())
	}
	<-over
	stop()
	// The last heartbeat and the check come after the silence.
	b.settle(t, c)
	if pings := s.metrics(t).sum(t, "odin_pings_sent_total"); pings < 4 {
		t.Errorf("%v pings in %v", pings, idleFor)
	}
	if err := <-muted; err != nil {
		t.Error(err)
	}
	logLatency(t, c)
	s.stop(t)
}

// closedWithoutPong reads to the end, answering nothing, and wants a ping before.
func (r *raw) closedWithoutPong() error {
	_ = r.SetReadDeadline(time.Now().Add(35*time.Second + 2*soon))
	pings := 0
	for {
		op, _, err := r.next()
		if op == opPing {
			pings++
		}
		if err == nil && op != opClose {
			continue
		}
		if isTimeout(err) || pings == 0 {
			return fmt.Errorf("a client that answers no ping: %d pings, %w", pings, err)
		}
		return nil
	}
}

// logLatency reports how old records were on arrival; broker, odind, producer
// and client share the machine and the clock.
func logLatency(t *testing.T, c *client) {
	var ages []time.Duration
	for _, m := range c.entries() {
		if m.Type == "message" {
			ages = append(ages, m.at.Sub(time.UnixMilli(m.TS)))
		}
	}
	slices.Sort(ages)
	n := len(ages)
	if n < int(idleFor/time.Second)*4 {
		t.Fatalf("%d records in %v", n, idleFor)
	}
	within := 0
	for _, age := range ages {
		if age <= 50*time.Millisecond {
			within++
		}
	}
	t.Logf("%d records: median %v, 99 %% %v, latest %v; %.1f %% within 50 ms", n, ages[n/2], ages[n*99/100], ages[n-1], 100*float64(within)/float64(n))
	if ages[n/2] > time.Second {
		t.Errorf("half of the records take longer than %v", ages[n/2])
	}
}
