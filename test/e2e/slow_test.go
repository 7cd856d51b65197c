package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// testSlow floods sessions that don't read. One never does and has to be
// aborted; one comes back too late and finds an unbroken beginning and 4000.
func testSlow(t *testing.T, b *broker, s *server) {
	stuck := slowSubscriber(t, s)
	late := slowSubscriber(t, s)
	quick := connect(t, s)
	quick.subscribe(t, "FLOOD.analytics")
	before := s.metrics(t).sum(t, "odin_slow_closes_total")
	value := `"` + strings.Repeat("f", 1000) + `"`
	// A queue of 1 MiB and what the kernel takes are a few MB; the quick one sets
	// the pace, so that only the slow ones are slow.
	closed := 0.0
	for round := 0; closed < 2; round++ {
		if round == 100 {
			t.Fatalf("%v closed for slowness after 20 MB", closed)
		}
		records := batch(200, "FLOOD.analytics")
		for _, r := range records {
			r.Value = []byte(value)
		}
		b.produce(t, records...)
		b.settle(t, quick)
		m := s.metrics(t)
		closed = m.sum(t, "odin_slow_closes_total") - before
		if owed := m.sum(t, "odin_owed_bytes"); owed > owedByAll {
			t.Fatalf("%v bytes are owed, more than %d", owed, owedByAll)
		}
	}
	checkLate(t, late)
	eventually(t, soon, "the stuck one is given up, too", func() (bool, string) {
		n := s.metrics(t).sum(t, "odin_sessions_closed_total", "code", "4000")
		return n == 2, fmt.Sprint(n)
	})
	if _, err := stuck.gone(soon); err != nil {
		t.Error(err)
	}
}

// owedByAll is the most that three clients are owed together, limits.owed_bytes_max
// each, with room for what others are owed beside them.
const owedByAll = 4 << 20

func slowSubscriber(t *testing.T, s *server) *raw {
	t.Helper()
	r := mustDo[*raw](t)(rawUpgrade(s, 4<<10))
	t.Cleanup(func() { r.Close() })
	mustDo[int](t)(r.Write(text(`{"type":"subscribe","id":"s","data":{"channels":["FLOOD.analytics"]}}`)))
	must(t, r.answered("subscription_ack", "s"))
	return r
}

// checkLate reads what is left for one who was too slow.
func checkLate(t *testing.T, r *raw) {
	t.Helper()
	_ = r.SetReadDeadline(time.Now().Add(soon))
	var log []message
	var err error
	for err == nil {
		var m message
		if m, err = r.message(); err == nil {
			log = append(log, m)
		}
	}
	var e *closeError
	if errors.As(err, &e) && (e.code != 4000 || e.reason.RetryMin == nil || e.reason.RetryMax == nil) {
		t.Errorf("the slow one was %v", e)
	}
	if isTimeout(err) {
		t.Error("the slow one is still open")
	}
	if faults := checkOrder(log); len(faults) > 0 {
		t.Error(faults)
	}
	last := map[partition]int64{}
	for _, m := range log {
		if before, ok := last[m.pos.partition]; m.Type == "message" && ok && m.pos.offset != before+1 {
			t.Fatalf("%v behind %d: a hole before the close", m.pos, before)
		}
		last[m.pos.partition] = m.pos.offset
	}
	t.Logf("the late one got %d records, then %v", len(log), err)
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
