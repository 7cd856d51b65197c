package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// wanderer is a client over many connections: its log is that of all of them,
// and it keeps its cursor as docs/PROTOCOL.md says.
type wanderer struct {
	*client
	seen   int
	before []message // of earlier connections
	cursor cursor
}

// wander makes a wanderer of a client that is subscribed.
func wander(c *client) *wanderer { return &wanderer{client: c} }

// learn brings the cursor along with what has come.
func (w *wanderer) learn() {
	log := w.entries()
	for _, m := range log[w.seen:] {
		for topic, tc := range m.Cursor {
			if w.cursor == nil {
				w.cursor = cursor{}
			}
			w.cursor[topic] = topicCursor{tc.Epoch, slices.Clone(tc.Offsets)} // the log stays what it was
		}
		if tc, ok := w.cursor[m.pos.topic]; ok && m.Type == "message" && int(m.pos.number) < len(tc.Offsets) {
			if at := tc.Offsets[m.pos.number]; at == nil || *at < m.pos.offset {
				offset := m.pos.offset
				tc.Offsets[m.pos.number] = &offset
			}
		}
	}
	w.seen = len(log)
}

// comeBack connects anew until it is let in, and resumes.
func (w *wanderer) comeBack(t testing.TB, s *server) (ack message) {
	t.Helper()
	w.close()
	<-w.over()
	w.learn()
	w.before = append(w.before, w.entries()...)
	patterns := w.patterns
	eventually(t, longer, "a connection", func() (bool, string) {
		c, err := tryConnect(s)
		if err == nil {
			w.client, w.seen = c, 0
			t.Cleanup(c.close)
		}
		return err == nil, fmt.Sprint(err)
	})
	w.patterns = patterns
	must(t, w.ask())
	return w.find(t, "reconnect_ack", func(m message) bool { return m.Type == "reconnect_ack" })
}

// ask sends the reconnect.
func (w *wanderer) ask() error {
	text, err := json.Marshal(map[string]any{
		"type": "reconnect", "id": "back", "data": map[string]any{"client_id": "wanderer", "channels": w.patterns, "cursor": w.cursor},
	})
	if err != nil {
		return err
	}
	return w.conn.WriteMessage(websocket.TextMessage, text)
}

// over is closed once all that came was written down.
func (w *wanderer) over() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.await(soon, func() bool { return false })
	}()
	return done
}

// settle holds all that came, over all connections, to the ledger.
func (w *wanderer) settle(t testing.TB, l *ledger) {
	t.Helper()
	ends := l.ends()
	eventually(t, soon, w.name+" is sent all", func() (bool, string) {
		pong := w.heartbeat(t)
		for p, end := range ends {
			if at, ok := pong.Cursor.at(p); relevant(w.patterns, p.topic) && (!ok || at < end) {
				return false, fmt.Sprintf("%v is at %d, proven %v, of %d", p, at, ok, end)
			}
		}
		return true, ""
	})
	if faults := l.check(append(w.before, w.entries()...), w.patterns, ends); len(faults) > 0 {
		t.Fatalf("%s, channels %v: %d faults, first: %v", w.name, w.patterns, len(faults), faults[:min(5, len(faults))])
	}
}

// TestResumeBehindAKill kills workers in the middle of a stream. Their clients
// come back to whichever worker takes them, and over all connections nothing is
// missing and nothing came twice.
func TestResumeBehindAKill(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 3)
	s := startOdind(t, options{workers: 3, brokers: b.addr})
	var all []*wanderer
	for i, c := range clientsOnEach(t, s, 4) {
		c.subscribe(t, [][]string{{"*.*"}, {"KILL3.*"}, {"KILL1.trade", "KILL2.trade"}, {"*.balances"}}[i%4]...)
		all = append(all, wander(c))
	}
	stop := b.produceOn(t, 400, everywhere("KILL")...)
	awaitUse(t, b, 24)
	for victim := range s.options.workers {
		before := s.apiStatus(t)
		must(t, syscall.Kill(before.Workers[victim].PID, syscall.SIGKILL))
		var group sync.WaitGroup
		for _, w := range all {
			if w.worker != victim {
				continue
			}
			group.Go(func() {
				if ack := w.comeBack(t, s); !ack.Recovered {
					t.Errorf("%s: %s", w.name, ack.raw)
				}
			})
		}
		group.Wait()
		waitRespawned(t, s, victim, before.Workers[victim].Generation)
	}
	stop()
	for _, w := range all {
		w.settle(t, b.ledger)
	}
	s.stop(t)
}

// TestResumeBehindARestart stops the whole service and starts it again, while
// records go on arriving: cursors from before it are good behind it.
func TestResumeBehindARestart(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 3)
	dir := filepath.Join(t.TempDir(), "run")
	s := startOdind(t, options{workers: 2, brokers: b.addr, dir: dir})
	var all []*wanderer
	for i, c := range clientsOnEach(t, s, 3) {
		c.subscribe(t, [][]string{{"*.*"}, {"BACK3.*"}, {"BACK1.trade", "BACK2.trade"}}[i%3]...)
		all = append(all, wander(c))
	}
	stop := b.produceOn(t, 400, everywhere("BACK")...)
	awaitUse(t, b, 24)
	s.stop(t)
	began := time.Now()
	s = startOdind(t, options{workers: 2, brokers: b.addr, dir: dir, host: s.host})
	t.Logf("ready again after %v", time.Since(began))
	for _, w := range all {
		if ack := w.comeBack(t, s); !ack.Recovered {
			t.Errorf("%s: %s", w.name, ack.raw)
		}
	}
	stop()
	for _, w := range all {
		w.settle(t, b.ledger)
	}
	s.stop(t)
}
