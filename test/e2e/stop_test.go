package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stopWithin is protocol.md's promise of a stop.
const stopWithin = 10 * time.Second

// TestStop wants every session to be told to come back, within a window, and
// odind to be gone in time. New clients are told so too, as long as somebody is
// there.
func TestStop(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{brokers: b.addr, limits: map[string]string{"stop_ms": "5000"}})
	var clients []*client
	for range 40 {
		clients = append(clients, connect(t, s))
	}
	start := time.Now()
	stopping(t, s, clients, syscall.SIGTERM)
	if code := s.code(t, soon); code != 0 {
		t.Errorf("odind ended with %d", code)
	}
	if took := time.Since(start); took > stopWithin {
		t.Errorf("gone after %v", took)
	}
	if left := s.descendants(); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// stopping signals and waits for the clients' closes and for the end.
func stopping(t *testing.T, s *server, clients []*client, sig syscall.Signal) {
	t.Helper()
	s.signal(t, sig)
	eventually(t, soon, "new clients are refused with 503", func() (bool, string) {
		_, err := dial(s)
		var r *refusal
		if errors.As(err, &r) && r.code == http.StatusServiceUnavailable && r.header.Get("Retry-After") != "" {
			return true, ""
		}
		return false, fmt.Sprint(err)
	})
	for _, c := range clients {
		code, reason := c.closed(t, stopWithin)
		if code != 1001 || reason.RetryMin == nil || reason.RetryMax == nil {
			t.Fatalf("%s: closed with %d %+v", c.name, code, reason)
		}
		if *reason.RetryMin < 0 || *reason.RetryMax < *reason.RetryMin || *reason.RetryMax > 60_000 {
			t.Errorf("%s: window %d to %d ms", c.name, *reason.RetryMin, *reason.RetryMax)
		}
	}
}

// TestStopTwice wants a second signal to end it at once.
func TestStopTwice(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{brokers: b.addr, limits: map[string]string{"stop_ms": "9000"}})
	for range 20 {
		connect(t, s)
	}
	s.signal(t, syscall.SIGINT)
	eventually(t, soon, "it is draining", func() (bool, string) {
		code, body, err := s.fetch("/readyz")
		return code == http.StatusServiceUnavailable, fmt.Sprint(code, body, err)
	})
	start := time.Now()
	s.signal(t, syscall.SIGINT)
	s.code(t, soon)
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("the second signal took %v", took)
	}
	eventually(t, soon, "no process is left", func() (bool, string) {
		left := s.descendants()
		return len(left) == 0, fmt.Sprint(left)
	})
}

// TestSupervisorKilled wants the workers to close their sessions and to go: a
// service manager starts a new odind, and nothing of the old may be in its way.
func TestSupervisorKilled(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{brokers: b.addr})
	clients := clientsOnEach(t, s, 5)
	s.signal(t, syscall.SIGKILL)
	for _, c := range clients {
		code, reason := c.closed(t, stopWithin+soon)
		if code != 1001 || reason.RetryMin == nil {
			t.Errorf("%s: closed with %d %+v", c.name, code, reason)
		}
	}
	eventually(t, stopWithin+soon, "no process is left", func() (bool, string) {
		left := s.descendants()
		return len(left) == 0, fmt.Sprint(left)
	})
	again := startOdind(t, options{brokers: b.addr, host: s.host, dir: s.dir})
	c := connect(t, again)
	c.subscribe(t, "*.*")
	b.produce(t, batch(3, "AGAIN.trade")...)
	b.settle(t, c)
	again.stop(t)
}

// TestAborted does what a service manager's watchdog does to a supervisor that
// is stuck: ABRT to every process. The supervisor dumps its goroutines and ends
// by the signal, not with an exit code that means something else; the workers
// close their sessions, as when it was killed.
func TestAborted(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{brokers: b.addr})
	clients := clientsOnEach(t, s, 5)
	all := s.descendants()
	s.signal(t, syscall.SIGSTOP)
	for _, pid := range all {
		must(t, syscall.Kill(pid, syscall.SIGABRT))
	}
	s.signal(t, syscall.SIGCONT)
	for _, c := range clients {
		if code, reason := c.closed(t, stopWithin+soon); code != 1001 || reason.RetryMin == nil {
			t.Errorf("%s: closed with %d %+v", c.name, code, reason)
		}
	}
	s.code(t, soon)
	if how := s.cmd.ProcessState.Sys().(syscall.WaitStatus); !how.Signaled() || how.Signal() != syscall.SIGABRT {
		t.Errorf("the supervisor ended with %v", s.cmd.ProcessState)
	}
	if log := s.err.String(); !strings.Contains(log, "supervisor.(*house).supervise") {
		t.Error("no stacks of the supervisor in its log")
	}
	eventually(t, stopWithin+soon, "no process is left", func() (bool, string) {
		left := s.descendants()
		return len(left) == 0, fmt.Sprint(left)
	})
}
