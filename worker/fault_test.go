package worker

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/route"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// A fault while one session is served ends that one, in words, and nobody else
// notices.
func TestFaultEndsOneSession(t *testing.T) {
	for _, at := range []site{inRequest, inApply, inWrite, inTimer} {
		t.Run(string(at), func(t *testing.T) {
			st := newTheatre(t, 1, func(c *configType) { c.Limits.PingInterval = 100 * time.Millisecond })
			victim, good := st.visit(0), st.visit(0)
			good.subscribe("BTC.trade", "FAULT.trade")
			victim.subscribe("BTC.trade", "MINE.trade")
			st.provoke(0, subscriber(at, "MINE.trade"))
			if at == inRequest {
				victim.send(`{"type":"heartbeat"}`)
			}
			st.produce("odin.trades", 0, "BTC", `1`)
			closed := victim.closed()
			f := st.awaitFaults(0, 1)[0]
			var reason wire.CloseReason
			if closed.Code != 1011 || json.Unmarshal([]byte(closed.Text), &reason) != nil || reason.Code != "internal:"+f.ID || reason.RetryMaxMS == 0 {
				t.Errorf("closed with %v, the log's id is %s", closed, f.ID)
			}
			if f.Level != "ERROR" || f.Panic != "provoked in a "+string(at) || !strings.Contains(f.Stack, "subscriber") || f.Session == "" ||
				!strings.HasPrefix(f.Remote, "127.0.0.1:") || f.Worker == nil || len(f.ID) != 8 {
				t.Errorf("logged %+v", f)
			}
			if m := good.next(); m.Type != "message" || m.Channel != "BTC.trade" {
				t.Errorf("the other one got %+v", m)
			}
			st.await("the session is gone", func() bool { return st.segment.Slot(0).Gauge(shm.Sessions) == 1 })
			st.provoke(0, nil)
			st.intact(0)
			st.produce("odin.trades", 0, "FAULT", `2`)
			if m := good.next(); m.Channel != "FAULT.trade" {
				t.Errorf("the other one got %+v", m)
			}
			slot := st.segment.Slot(0)
			if n := slot.Counter(shm.Faults); n == 0 {
				t.Error("not counted")
			}
			if n := slot.Counter(shm.SessionsClosed1011); n != 1 {
				t.Errorf("%d sessions ended by it", n)
			}
		})
	}
}

// Whoever meets the same defect is told the same id, and its line is there,
// however often it was repeated.
func TestFaultsOfOneDefectShareAnID(t *testing.T) {
	st := newTheatre(t, 1, nil)
	st.provoke(0, subscriber(inRequest, "MINE.trade"))
	ids := map[string]int{}
	for range 6 {
		g := st.visit(0)
		g.subscribe("MINE.trade")
		g.send(`{"type":"heartbeat"}`)
		ids[g.closed().Text]++
	}
	if len(ids) != 1 {
		t.Errorf("the ids %v", ids)
	}
	if n := len(st.awaitFaults(0, 3)); n != 3 {
		t.Errorf("%d lines", n)
	}
	if n := st.segment.Slot(0).Counter(shm.Faults); n != 6 {
		t.Errorf("%d faults counted", n)
	}
}

// Faults at random sites, at random moments, under load: those that are not
// hit get every record once and in order, and the loop's sums stay right.
func TestFaultsAnywhere(t *testing.T) {
	st := newTheatre(t, 2, func(c *configType) {
		c.Limits.PingInterval = 100 * time.Millisecond
		c.Limits.OwedBytesMax = 64 << 20
	})
	for w := range st.workers {
		rng := rand.New(rand.NewPCG(uint64(w), 1))
		st.provoke(w, func(p *process, at site, s *session) {
			if s != nil && p.hub.Has(&s.subs, s.index, []byte("VICTIM.trade")) && rng.IntN(200) == 0 {
				panic("provoked in a " + string(at))
			}
		})
	}
	const guests, n = 12, 3000
	var stop atomic.Bool
	var victims sync.WaitGroup
	for i := range guests {
		victims.Go(func() { st.haunt(i%2, &stop) })
	}
	var good []*guest
	for i := range guests {
		g := st.visit(i % 2)
		g.subscribe("BTC.trade")
		good = append(good, g)
	}
	st.produceMany("odin.trades", "BTC", 4, n)
	for i, g := range good {
		next := map[string]int64{}
		for range n {
			m := g.next()
			part, offset, _ := strings.Cut(strings.TrimPrefix(m.Pos, "odin.trades:"), ":")
			if m.Type != "message" || offset != fmt.Sprint(next[part]) {
				t.Fatalf("guest %d: %s %s, want offset %d", i, m.Type, m.Pos, next[part])
			}
			next[part]++
		}
	}
	stop.Store(true)
	victims.Wait()
	faults := st.segment.Slot(0).Counter(shm.Faults) + st.segment.Slot(1).Counter(shm.Faults)
	t.Logf("%d faults", faults)
	if faults < 20 {
		t.Errorf("only %d faults", faults)
	}
	for w := range st.workers {
		st.provoke(w, nil)
		st.intact(w)
	}
}

// haunt lives as one session after the other that may be hit at any time.
func (st *theatre) haunt(worker int, stop *atomic.Bool) {
	for !stop.Load() {
		conn, _, err := websocket.DefaultDialer.Dial("ws://"+st.workers[worker].address+"/ws", nil)
		if err != nil {
			st.t.Error(err)
			return
		}
		g := &guest{t: st.t, conn: conn}
		err = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"subscribe","data":{"channels":["BTC.trade","VICTIM.trade"]}}`))
		for i := 0; err == nil && !stop.Load() && i < 2000; i++ {
			if err = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"heartbeat"}`)); err == nil {
				_, err = g.try()
			}
		}
		conn.Close()
	}
}

// A fault of the loop itself ends the worker, with its stack in the log.
func TestFaultOfTheLoopEndsTheWorker(t *testing.T) {
	st := newTheatre(t, 1, nil)
	g := st.visit(0)
	st.workers[0].process.mail.post(func(p *process) {
		p.provoked = func(_ *process, at site, _ *session) {
			if at == inTurn {
				panic("provoked in the loop")
			}
		}
	})
	select {
	case code := <-st.workers[0].ended:
		if code == 0 {
			t.Error("exit code 0")
		}
	case <-time.After(patience):
		t.Fatal("it goes on")
	}
	f := st.faults(0)
	if len(f) != 1 || f[0].Where != "the loop" || f[0].Panic != "provoked in the loop" || !strings.Contains(f[0].Stack, "(*process).turn") {
		t.Errorf("logged %+v", f)
	}
	if st.segment.Slot(0).Counter(shm.Faults) != 1 {
		t.Error("not counted")
	}
	_ = g
	st.workers[0].process.quit()
}

// A fault in the round itself is no session's, even while one is written to.
func TestFaultOfARoundIsNobodys(t *testing.T) {
	p := bare(t, 3)
	p.provoked = func(_ *process, at site, s *session) {
		if at == inWrite {
			p.current = nil
			panic("the round's own")
		}
	}
	p.touch(p.sessions.at(0))
	defer func() {
		if cause := recover(); cause != "the round's own" {
			t.Errorf("recovered %v", cause)
		}
	}()
	p.writeTouched()
	t.Error("the fault was taken for a session's")
}

// All sessions of a record fault: each is doomed once, and the list is gone
// through.
func TestFaultOfEverySession(t *testing.T) {
	const n = 50
	p := bare(t, n)
	hit := 0
	p.provoked = func(_ *process, at site, s *session) {
		if at == inApply && s.index%2 == 0 {
			hit++
			panic(fmt.Sprint("session ", s.index))
		}
	}
	p.deliver(p.record(10))
	if hit != n/2 || len(p.doomed) != n/2 || len(p.touched) != n/2 || p.applied[0].sessions != n/2 {
		t.Errorf("hit %d, doomed %d, touched %d, applied %+v", hit, len(p.doomed), len(p.touched), p.applied)
	}
	p.closeDoomed()
	p.sessions.each(func(s *session) {
		if want := map[bool]stage{true: closing, false: open}[s.index%2 == 0]; s.stage != want {
			t.Errorf("session %d is %d", s.index, s.stage)
		}
	})
	for _, w := range p.wrongs() {
		t.Error(w)
	}
}

// What a session counts for is right wherever something faults.
func TestFaultWhileAnswering(t *testing.T) {
	p := bare(t, 1)
	s := p.sessions.at(0)
	s.blocked = true // nothing is written
	p.lag(s)
	p.say(s, func(dst []byte) []byte { return append(dst, "\x81\x02{}"...) })
	func() {
		defer p.contain(s)
		p.say(s, func(dst []byte) []byte { panic("no answer") })
	}()
	if s.stage != closing || p.answerBytes < 4 {
		t.Errorf("stage %d, %d bytes of answers", s.stage, p.answerBytes)
	}
	for _, w := range p.wrongs() {
		t.Error(w)
	}
	p.end(s)
	if p.answerBytes != 0 || len(p.lagging) != 0 {
		t.Errorf("%d bytes of answers, %d lag behind", p.answerBytes, len(p.lagging))
	}
}

// A session whose queue is broken can't even be told: its connection ends. When
// that faults too, it is the worker's.
func TestFaultWithinAFault(t *testing.T) {
	p := bare(t, 2)
	s := p.sessions.at(0)
	s.queue.Attach(hub.Piece{Chunk: hub.Own, Off: 500, Len: 10}) // bytes that aren't there
	p.touch(s)
	p.writeTouched()
	if s.stage != closing || p.sessions.at(1).stage != open {
		t.Fatalf("stage %d after the first fault", s.stage)
	}
	s.queue.Attach(hub.Piece{Chunk: hub.Own, Off: 500, Len: 10})
	p.touch(s)
	p.writeTouched()
	if s.stage != gone {
		t.Fatalf("stage %d after the second", s.stage)
	}
	p.hub = nil // its end faults as well
	p.provoked = func(*process, site, *session) { panic("again") }
	p.touch(p.sessions.at(1))
	defer func() {
		if recover() == nil {
			t.Error("a session that can't be ended was forgotten")
		}
	}()
	p.writeTouched()
}

func TestFaultyRecordIsSkipped(t *testing.T) {
	p := bare(t, 0)
	encode := p.skipFaulty(func(_ []byte, r kafka.Raw) (channel, frame []byte, skip int) {
		if r.Offset == 7 {
			panic("what a value")
		}
		return []byte("A.b"), []byte("f"), 0
	})
	at := kafka.Raw{Partition: event.Partition{Topic: "odin.trades", Number: 3}, Offset: 7}
	if channel, frame, skip := encode(nil, at); channel != nil || frame != nil || skip != int(route.Fault) {
		t.Errorf("%q %q %d", channel, frame, skip)
	}
	at.Offset++
	if channel, _, skip := encode(nil, at); string(channel) != "A.b" || skip != 0 {
		t.Errorf("the next one: %q %d", channel, skip)
	}
	if n := p.mine.Counter(shm.Faults); n != 1 {
		t.Errorf("%d faults", n)
	}
	if c, ok := shm.RecordsSkippedNoKey.By(route.Fault.String()); !ok || c != shm.RecordsSkippedFault {
		t.Error("not counted as skipped")
	}
}

func TestFaultyHandshakeIsAnswered(t *testing.T) {
	st := newTheatre(t, 1, nil)
	st.provoke(0, func(_ *process, at site, _ *session) {
		if at == inCall {
			panic("provoked")
		}
	})
	response, err := http.Get("http://" + st.workers[0].address + "/health")
	st.must(err)
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	var told struct{ Error, Reason string }
	f := st.awaitFaults(0, 1)
	if len(f) != 1 || json.Unmarshal(body, &told) != nil || response.StatusCode != 500 || told.Error != "internal" || told.Reason != f[0].ID {
		t.Errorf("%d %s, logged %+v", response.StatusCode, body, f)
	}
	st.provoke(0, nil)
	st.await("its place is free again", func() bool { return st.segment.Slot(0).Gauge(shm.PendingHandshakes) == 0 })
	st.visit(0)
}

func TestFaultyQuestionIsRefused(t *testing.T) {
	p := bare(t, 0)
	p.ctx = nil // a profile waits for it
	got := p.reply(control.Query{Kind: control.Profile, Profile: "cpu", Seconds: 1}, control.NewAnswer(os.Stderr))
	if got.OK || !strings.Contains(got.Error, "a defect of Odin") {
		t.Errorf("%+v", got)
	}
	if n := p.mine.Counter(shm.Faults); n != 1 {
		t.Errorf("%d faults", n)
	}
}

// A goroutine of the worker's that faults ends the process at once.
func TestFaultBesideTheLoop(t *testing.T) {
	p := bare(t, 0)
	died := make(chan int, 1)
	p.die = func(code int) {
		died <- code
		runtime.Goexit()
	}
	p.beside("a test", func() { panic("beside") })
	select {
	case code := <-died:
		if code == 0 {
			t.Error("exit code 0")
		}
	case <-time.After(patience):
		t.Fatal("it lives on")
	}
}
