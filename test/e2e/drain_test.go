package e2e

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// drain has odind drain, as an operator does.
func (s *server) drain(t *testing.T, args ...string) string {
	t.Helper()
	return s.ctl(t, append([]string{"drain"}, args...)...)
}

func (s *server) ctl(t *testing.T, args ...string) string {
	t.Helper()
	code, out, stderr := runProgram(t, "odinctl", append([]string{"--runtime-dir", s.dir}, args...)...)
	if code != 0 || stderr != "" {
		t.Fatalf("odinctl %v: exit %d, %s", args, code, stderr)
	}
	return out
}

// TestDrain drains under live traffic: every client gets all up to its close,
// and a window for coming back; nobody who connects is refused by the kernel or
// cut off, before, while or after.
func TestDrain(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 3)
	s := startOdind(t, options{brokers: b.addr})
	clients := clientsOnEach(t, s, 20)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	stop := b.produceOn(t, 200, everywhere("DRAIN")...)
	awaitUse(t, b, 24)
	load := startKnocks(s)
	out := s.drain(t, "--over", "3s", "--wait")
	if !strings.Contains(out, "\ndrained after ") || !strings.Contains(out, "none left") {
		t.Errorf("drain --wait prints:\n%s", out)
	}
	for _, c := range clients {
		code, reason := c.closed(t, soon)
		if code != 1001 || reason.Code != "draining" || reason.RetryMin == nil || *reason.RetryMin != 500 || *reason.RetryMax != 5000 {
			t.Fatalf("%s: closed with %d %+v", c.name, code, reason)
		}
		if faults := b.check(c.entries(), c.patterns, c.reached()); len(faults) > 0 {
			t.Fatalf("%s: %d faults, first: %v", c.name, len(faults), faults[0])
		}
	}
	drained(t, s, clients)
	stop()

	if out := s.ctl(t, "undrain"); out != "undrained: new sessions are taken again\n" {
		t.Errorf("undrain prints %q", out)
	}
	back := returned(t, s)
	back.subscribe(t, "*.*")
	b.produce(t, batch(5, "BACK.trade")...)
	b.settle(t, back)
	load.stop(t)
	s.stop(t)
}

// reached is how far the client has come in each partition.
func (c *client) reached() map[partition]int64 {
	last := map[partition]int64{}
	for _, m := range c.entries() {
		if m.Type == "message" {
			last[m.pos.partition] = m.pos.offset
		}
	}
	return last
}

// drained looks at an odind in which no session is left.
func drained(t *testing.T, s *server, clients []*client) {
	t.Helper()
	st := s.status(t)
	if st.State != "draining" || st.Sessions != 0 || st.Drain == nil || !st.Drain.Done {
		t.Errorf("status %+v, drain %+v", st, st.Drain)
	}
	for _, p := range st.Partitions {
		if p.Owner == nil {
			t.Errorf("partition %+v has no owner", p)
		}
	}
	if n := len(s.descendants()); n != 1+s.options.workers {
		t.Errorf("%d processes", n)
	}
	for path, words := range map[string]string{"/readyz": "draining", "/health": `"status":"draining"`} {
		if code, body := s.get(t, path); code != http.StatusServiceUnavailable || !strings.Contains(body, words) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, err := workerHealth(s); err != nil || code != http.StatusServiceUnavailable {
		t.Errorf("/health on the clients' port: %d, %v", code, err)
	}
	if err := refusedDraining(s); err != nil {
		t.Errorf("a client that comes is told: %v", err)
	}
	m := s.metrics(t)
	for name, n := range map[string]float64{"odin_drains_total": 1, "odin_draining": 1, "odin_sessions": 0} {
		if got := m.sum(t, name); got != n {
			t.Errorf("%s is %v", name, got)
		}
	}
	if got := m.sum(t, "odin_sessions_closed_total", "code", "1001"); got < float64(len(clients)) {
		t.Errorf("%v sessions closed with 1001", got)
	}
	if got := m.sum(t, "odin_connections_refused_total", "reason", "draining"); got == 0 {
		t.Error("nobody who came was refused")
	}
}

// refusedDraining wants 503, a Retry-After and the reason.
func refusedDraining(s *server) error {
	r, err := rawDial(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := r.WriteString(handshake + "\r\n"); err != nil {
		return err
	}
	return r.refused(http.StatusServiceUnavailable, "overloaded")
}

// returned connects once it is allowed.
func returned(t *testing.T, s *server) *client {
	t.Helper()
	var c *client
	eventually(t, soon, "sessions are taken again", func() (bool, string) {
		var err error
		if c, err = tryConnect(s); err != nil {
			return false, err.Error()
		}
		return true, ""
	})
	t.Cleanup(c.close)
	return c
}

// TestDrainOutlivesAWorker kills a worker while odind drains: the one in its
// place takes nobody either. Then TERM ends the drain and odind.
func TestDrainOutlivesAWorker(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{brokers: b.addr})
	clients := clientsOnEach(t, s, 3)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	s.drain(t, "--over", "1h")
	before := s.apiStatus(t).Workers[0]
	load := startKnocks(s)
	must(t, syscall.Kill(before.PID, syscall.SIGKILL))
	eventually(t, soon, "worker 0 is there again, draining", func() (bool, string) {
		w := s.apiStatus(t).Workers[0]
		text, _ := json.Marshal(w)
		return w.Generation > before.Generation && w.State == "draining", string(text)
	})
	left := survivors(t, clients, 0)
	b.produce(t, batch(20, "LEFT.trade", "LEFT.social")...)
	for _, c := range left {
		b.settle(t, c)
	}
	load.drained(t)
	s.signal(t, syscall.SIGTERM)
	for _, c := range left {
		if code, reason := c.closed(t, stopWithin); code != 1001 || reason.Code != "shutting_down" || reason.RetryMin == nil {
			t.Errorf("%s: closed with %d %+v", c.name, code, reason)
		}
	}
	if code := s.code(t, soon); code != 0 {
		t.Errorf("odind ended with %d", code)
	}
}

// knocks connect all the time, from a few sides at once, and leave at once.
type knocks struct {
	over           chan struct{}
	group          sync.WaitGroup
	taken, refused atomic.Int64
	mu             sync.Mutex
	failed         []error // neither taken nor refused in words
}

func startKnocks(s *server) *knocks {
	k := &knocks{over: make(chan struct{})}
	for range connectors {
		k.group.Go(func() {
			for {
				select {
				case <-k.over:
					return
				default:
					k.one(s)
				}
			}
		})
	}
	return k
}

func (k *knocks) one(s *server) {
	conn, err := dial(s)
	var r *refusal
	switch {
	case err == nil:
		k.taken.Add(1)
		_ = conn.Close()
	case errors.As(err, &r) && r.code == http.StatusServiceUnavailable && r.header.Get("Retry-After") != "":
		k.refused.Add(1)
	default:
		k.mu.Lock()
		defer k.mu.Unlock()
		k.failed = append(k.failed, err)
	}
}

func (k *knocks) end() {
	close(k.over)
	k.group.Wait()
}

// stop wants nobody to have been cut off, and some to have got in, some not.
func (k *knocks) stop(t *testing.T) {
	t.Helper()
	k.end()
	t.Logf("%d connects taken, %d refused, %d failed", k.taken.Load(), k.refused.Load(), len(k.failed))
	if len(k.failed) > 0 || k.taken.Load() == 0 || k.refused.Load() == 0 {
		t.Errorf("%d connects taken, %d refused, %d failed: %v", k.taken.Load(), k.refused.Load(), len(k.failed), k.failed[:min(5, len(k.failed))])
	}
}

// drained wants nobody to have got in. What was in the hands of a worker that
// was killed may have failed: one a connector.
func (k *knocks) drained(t *testing.T) {
	t.Helper()
	k.end()
	t.Logf("%d connects refused, %d failed", k.refused.Load(), len(k.failed))
	if k.taken.Load() > 0 || k.refused.Load() == 0 || len(k.failed) > connectors {
		t.Errorf("%d connects taken, %d refused, %d failed: %v", k.taken.Load(), k.refused.Load(), len(k.failed), k.failed[:min(5, len(k.failed))])
	}
	for _, err := range k.failed {
		if errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("refused by the kernel: %v", err)
		}
	}
}
