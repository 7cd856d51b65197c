package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pipe is a standard error of which the test decides who reads it, and when.
func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// TestNobodyReadsTheLog has a log that is full and that nobody reads: records
// are delivered, workers beat and are replaced, and questions answered all the
// same; what is lost is counted, and told once somebody reads again.
func TestNobodyReadsTheLog(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	r, w := pipe(t)
	s := startOdind(t, options{brokers: b.addr, stderr: w, args: []string{"--log-level", "debug", "--log-format", "json"}})
	w.Close()
	clients := clientsOnEach(t, s, 1)
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	// The pipe takes 64 KiB, each process 1 MiB: debug lines of the Kafka client,
	// and of clients that break the protocol, fill both.
	flood := newFlood(s)
	stop := b.produceOn(t, 200, everywhere("UNREAD")...)
	eventually(t, longer, "lines are lost", func() (bool, string) {
		m := s.metrics(t)
		lost := m.sum(t, "odin_log_lines_dropped_total")
		return lost > 0, fmt.Sprint(lost)
	})
	for _, c := range clients {
		b.settle(t, c)
	}
	if code, body := s.get(t, "/readyz"); code != 200 {
		t.Errorf("/readyz says %d %s", code, body)
	}
	before := s.apiStatus(t).Workers[1]
	must(t, syscall.Kill(before.PID, syscall.SIGKILL))
	eventually(t, soon, "the supervisor replaces a worker", func() (bool, string) {
		w := s.apiStatus(t).Workers[1]
		return w.State == "ready" && w.Generation == before.Generation+1, w.State
	})
	flood.stop()
	told := make(chan string)
	go func() {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "lines of the log were lost") {
				told <- lines.Text()
				break
			}
		}
		_, _ = io.Copy(io.Discard, r)
	}()
	select {
	case line := <-told:
		t.Log(line)
	case <-time.After(soon):
		t.Error("nobody says that lines were lost")
	}
	stop()
	for _, c := range clients {
		if c.worker == 0 {
			b.settle(t, c)
		}
	}
	s.stop(t)
}

// flood has clients break the protocol, one after the other: a debug line each.
type flood struct{ end, done chan struct{} }

func newFlood(s *server) *flood {
	f := &flood{make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(f.done)
		for {
			select {
			case <-f.end:
				return
			default:
			}
			r, err := rawUpgrade(s, 0)
			if err != nil {
				continue // of a worker that was killed
			}
			_, _ = r.Write([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
			r.Close()
		}
	}()
	return f
}

func (f *flood) stop() {
	close(f.end)
	<-f.done
}

// TestReaderOfTheLogGoes: no process dies of it.
func TestReaderOfTheLogGoes(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	r, w := pipe(t)
	s := startOdind(t, options{brokers: b.addr, stderr: w, args: []string{"--log-level", "debug"}})
	w.Close()
	c := connect(t, s)
	c.subscribe(t, "*.*")
	pids := s.descendants()
	r.Close()
	s.signal(t, syscall.SIGHUP) // a line of the supervisor's
	s.signal(t, syscall.SIGQUIT)
	flood := newFlood(s)
	eventually(t, soon, "every process has lost lines", func() (bool, string) {
		m := s.metrics(t)
		n := [3]float64{
			m.sum(t, "odin_supervisor_log_lines_dropped_total"),
			m.sum(t, "odin_log_lines_dropped_total", "worker", "0"), m.sum(t, "odin_log_lines_dropped_total", "worker", "1"),
		}
		return n[0] > 0 && n[1] > 0 && n[2] > 0, fmt.Sprint(n)
	})
	flood.stop()
	b.produce(t, record("GONE.trade", "1"))
	b.settle(t, c)
	if got := s.descendants(); fmt.Sprint(got) != fmt.Sprint(pids) {
		t.Errorf("processes %v, there were %v", got, pids)
	}
	s.stop(t)
}

// quietFor is how long a healthy odind is watched under load; ODIN_QUIET_FOR
// gives another time, like the five minutes that are promised.
const quietFor = 25 * time.Second

// quietLines is how many lines it may log meanwhile.
const quietLines = 4

// TestQuiet has a demo under load: subscribers of everything, connects that come
// and go, requests. In health that is nothing to log.
func TestQuiet(t *testing.T) {
	t.Parallel()
	watch := quietFor
	if text := os.Getenv("ODIN_QUIET_FOR"); text != "" {
		watch = mustDo[time.Duration](t)(time.ParseDuration(text))
	}
	b := startBroker(t, 6)
	s := startOdind(t, options{brokers: b.addr})
	var clients []*client
	for range 50 {
		clients = append(clients, connect(t, s))
	}
	for _, c := range clients {
		c.subscribe(t, "QUIET1.*", "QUIET2.*", "*.balances")
	}
	stop := b.produceOn(t, 500, everywhere("QUIET")...)
	load := startConnects(s)
	began := len(s.err.String())
	over := time.After(watch)
	for i := 0; ; i++ {
		select {
		case <-over:
			load.stop(t)
			stop()
			for _, c := range clients {
				b.settle(t, c)
			}
			s.checkQuiet(t, s.err.String()[began:], watch)
			s.stop(t)
			return
		case <-time.After(pollEvery):
			clients[i%len(clients)].send(t, `{"type":"heartbeat"}`)
		}
	}
}

// checkQuiet counts the lines of a log. Those about a machine that stood still
// are the machine's: this one runs everything at once.
func (s *server) checkQuiet(t *testing.T, log string, watch time.Duration) {
	t.Helper()
	n, machine := 0, 0
	for line := range strings.Lines(log) {
		switch {
		case strings.Contains(line, "looked late at the heartbeats"), strings.Contains(line, "does not beat"), strings.Contains(line, "worker beats again"):
			machine++
		default:
			n++
			t.Logf("logged: %s", strings.TrimSpace(line))
		}
	}
	t.Logf("%v under load: %d lines, %d of them about the machine; %v deliveries, %v handshakes", watch, n+machine, machine,
		s.metrics(t).sum(t, "odin_deliveries_total"), s.metrics(t).sum(t, "odin_handshakes_total"))
	if n > quietLines {
		t.Errorf("%d lines, allowed: %d", n, quietLines)
	}
}
