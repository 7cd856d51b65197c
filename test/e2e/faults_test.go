package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// faulty builds odind such that clients can make it fault, once for all tests.
var faulty = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programs, "odind-faults")
	out, err := exec.Command("go", "build", "-tags", "faults", "-o", path, "../../cmd/odind").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build with faults: %w\n%s", err, out)
	}
	return filepath.Base(path), nil
})

// logLine is one line of the log in JSON.
type logLine struct {
	Level, Msg, ID, Panic, Stack, Session, Remote, Where, Exit string
	Worker                                                     *int
	Lines, Repeated                                            int
}

// lines are those of the log that are JSON and have this message.
func (p *process) lines(msg string) (found []logLine) {
	for line := range strings.Lines(p.err.String()) {
		var l logLine
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == msg {
			found = append(found, l)
		}
	}
	return found
}

// awaitLines waits for so many of them.
func (p *process) awaitLines(t testing.TB, n int, msg string) (found []logLine) {
	t.Helper()
	eventually(t, soon, fmt.Sprintf("%d lines %q", n, msg), func() (bool, string) {
		found = p.lines(msg)
		return len(found) >= n, fmt.Sprint(len(found))
	})
	return found
}

// TestFaults has odind panic while it serves one client after the other: each is
// closed with 1011 and an id that the log has, and the others get every record.
// A panic of the loop ends the worker with a code of its own, and another one
// takes over.
func TestFaults(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	name := mustDo[string](t)(faulty())
	s := startOdind(t, options{program: name, brokers: b.addr, args: []string{"--log-format", "json"}, limits: map[string]string{"ping_interval_ms": "1000"}})
	good := clientsOnEach(t, s, 2)
	for _, c := range good {
		c.subscribe(t, "*.*")
	}
	stop := b.produceOn(t, 200, everywhere("FAULTS")...)
	for i, site := range []string{"request", "apply", "write", "timer"} {
		victim := connect(t, s)
		victim.send(t, `{"type":"subscribe","data":{"channels":["FAULT.`+site+`","*.*"]}}`)
		if site == "request" {
			victim.send(t, `{"type":"heartbeat"}`)
		}
		reason := victim.closedWith(t, 1011)
		l := s.awaitLines(t, i+1, "a defect of Odin ended a session: please report it")[i]
		if l.ID == "" || reason.Code != "internal:"+l.ID || reason.RetryMax == nil {
			t.Errorf("%s: the client was told %+v, the log says %+v", site, reason, l)
		}
		if l.Level != "ERROR" || l.Panic != "provoked in a "+site || !strings.Contains(l.Stack, "worker.(*process)") || l.Worker == nil || *l.Worker != victim.worker ||
			l.Remote != victim.conn.LocalAddr().String() || l.Session == "" {
			t.Errorf("%s: logged %+v", site, l)
		}
	}
	if n := s.metrics(t).sum(t, "odin_faults_total"); n != 4 {
		t.Errorf("%v faults are counted", n)
	}
	victim := connect(t, s)
	victim.send(t, `{"type":"subscribe","data":{"channels":["FAULT.turn"]}}`)
	if !victim.await(soon, func() bool { return false }) && victim.ended() == nil {
		t.Fatal("the worker goes on")
	}
	crash := s.awaitLines(t, 1, "a defect of Odin ends the worker: please report it")[0]
	ended := s.awaitLines(t, 1, "worker ended unasked")[0]
	if crash.Where != "the loop" || *crash.Worker != victim.worker || !strings.Contains(crash.Stack, "(*process).turn") ||
		ended.Exit != "exit status 1" || *ended.Worker != victim.worker {
		t.Errorf("logged %+v and %+v", crash, ended)
	}
	eventually(t, soon, "another worker is ready", func() (bool, string) {
		w := s.apiStatus(t).Workers[victim.worker]
		return w.State == "ready" && w.Generation == 2, w.State
	})
	stop()
	for _, c := range good {
		if c.worker != victim.worker {
			b.settle(t, c)
		}
	}
	s.stop(t)
}

// closedWith reads to the end and wants a close frame of this code.
func (c *client) closedWith(t testing.TB, code int) (reason closing) {
	t.Helper()
	c.await(soon, func() bool { return false })
	var ce *websocket.CloseError
	if !errors.As(c.ended(), &ce) || ce.Code != code {
		t.Fatalf("%s: ended with %v, want %d", c.name, c.ended(), code)
	}
	must(t, json.Unmarshal([]byte(ce.Text), &reason))
	return reason
}

// TestStuckWorker has a worker's loop stand still for good. It shows where before
// it is killed, and another takes its slot.
func TestStuckWorker(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	name := mustDo[string](t)(faulty())
	s := startOdind(t, options{program: name, brokers: b.addr, limits: map[string]string{"heartbeat_dead_ms": "3000"}})
	clients := clientsOnEach(t, s, 1)
	for _, c := range clients {
		c.subscribe(t, "*.trade")
	}
	victim := connect(t, s)
	generation := s.apiStatus(t).Workers[victim.worker].Generation
	victim.send(t, `{"type":"subscribe","data":{"channels":["FAULT.stuck"]}}`)
	waitRespawned(t, s, victim.worker, generation)
	for _, sign := range []string{"SIGQUIT: quit", "worker.(*process).turn"} {
		if !strings.Contains(s.err.String(), sign) {
			t.Errorf("the log lacks %q", sign)
		}
	}
	left := survivors(t, clients, victim.worker)
	b.trade(t, "AFTER", 5)
	for _, c := range left {
		b.settle(t, c)
	}
	s.stop(t)
}
