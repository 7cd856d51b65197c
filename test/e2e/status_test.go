package e2e

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// checkFrozen holds what odinctl says of a stopped odind to what it said before.
func checkFrozen(t *testing.T, s *server, before, frozen status) {
	t.Helper()
	if frozen.PID != s.pid() || frozen.Sessions != before.Sessions || frozen.Deliveries < before.Deliveries || len(frozen.Partitions) != len(before.Partitions) {
		t.Errorf("stopped: %+v\nbefore: %+v", frozen, before)
	}
	checkStatus(t, s, frozen, 4)
	for _, command := range []string{"status", "version"} {
		code, out, stderr := runProgram(t, "odinctl", "--runtime-dir", s.dir, command)
		if code != 0 || stderr != "" {
			t.Errorf("odinctl %s: exit %d: %s", command, code, stderr)
		}
		for line := range strings.Lines(out) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
				t.Errorf("odinctl %s: a line of %d columns: %s", command, n, line)
			}
		}
	}
}

// checkStatus wants every field to be there and to make sense.
func checkStatus(t *testing.T, s *server, st status, sessions int) {
	t.Helper()
	if st.Version == "" || st.ConfigDigest == "" || st.Listen == nil || st.Uptime < 0 || st.State == "" {
		t.Errorf("status lacks something: %+v", st)
	}
	if st.Sessions != sessions || st.Deliveries == 0 || st.Balance < 1 || len(st.Workers) != s.options.workers {
		t.Errorf("status is wrong: %+v", st)
	}
	total, deliveries := 0, uint64(0)
	for i, w := range st.Workers {
		if w.Slot != i || w.PID <= 0 || w.CPU <= 0 || w.HeartbeatAge < 0 {
			t.Errorf("worker %d: %+v", i, w)
		}
		total, deliveries = total+w.Sessions, deliveries+w.Deliveries
	}
	if total != st.Sessions || deliveries > st.Deliveries {
		t.Errorf("workers have %d sessions and %d deliveries: %+v", total, deliveries, st)
	}
	owned := map[int]int{}
	for _, p := range st.Partitions {
		if p.Owner == nil || p.Term == 0 || p.Lag < 0 || p.Position < -1 {
			t.Errorf("partition %+v", p)
			continue
		}
		owned[*p.Owner]++
	}
	for slot, n := range owned {
		if even := len(st.Partitions) / s.options.workers; slot >= s.options.workers || n < even || n > even+1 {
			t.Errorf("worker %d owns %d of %d partitions", slot, n, len(st.Partitions))
		}
	}
}

// awaitSessions waits for the gauge, which workers set now and then.
func (s *server) awaitSessions(t *testing.T, n int) (st status) {
	t.Helper()
	eventually(t, soon, "all sessions are counted, and each worker has measured itself", func() (bool, string) {
		st = s.status(t)
		measured := true
		for _, w := range st.Workers {
			measured = measured && w.CPU > 0
		}
		return st.Sessions == n && measured, fmt.Sprintf("%d sessions of %+v", st.Sessions, st.Workers)
	})
	return st
}

// checkIdleCursor wants the cursor of a stream at rest to be its last records,
// and -1 where there is none.
func checkIdleCursor(t *testing.T, b *broker, c *client) {
	t.Helper()
	pong, ends := c.heartbeat(t), b.ends()
	if len(pong.Cursor) != len(topicsByEvent) {
		t.Errorf("cursor of %s", pong.raw)
	}
	for topic, tc := range pong.Cursor {
		for i, at := range tc.Offsets {
			want, ok := ends[partition{topic, int32(i)}]
			if !ok {
				want = -1
			}
			if at == nil || *at != want {
				t.Errorf("%s:%d ends at %d: %s", topic, i, want, pong.raw)
			}
		}
	}
}

// TestStatus holds status to what the test knows.
func TestStatus(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s := startOdind(t, options{workers: 3, brokers: b.addr})
	c := connect(t, s)
	c.subscribe(t, "*.*")
	b.produce(t, batch(5, everyChannel("STATUS")...)...)
	b.settle(t, c)
	st := s.awaitSessions(t, 1)
	checkStatus(t, s, st, 1)
	if st.State != "ready" || st.Deliveries != 40 {
		t.Errorf("state %s, %d deliveries", st.State, st.Deliveries)
	}
	if got := s.metrics(t).sum(t, "odin_deliveries_total"); got != 40 {
		t.Errorf("/metrics counts %v deliveries", got)
	}
	if got := s.metrics(t).sum(t, "odin_records_fetched_total"); got != 40 {
		t.Errorf("/metrics counts %v fetched records", got)
	}
	for p, end := range b.ends() {
		for _, ps := range st.Partitions {
			if ps.Topic == p.topic && ps.Partition == p.number && (ps.Position != end || ps.Lag != 0) {
				t.Errorf("%+v, the end is %d", ps, end)
			}
		}
	}
	checkIdleCursor(t, b, c)
	for path, want := range map[string]int{"/health": 200, "/livez": 200, "/readyz": 200, "/": 200, "/api/status": 200, "/nothing": 404} {
		if code, body := s.get(t, path); code != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	s.stop(t)
	code, _, stderr := runProgram(t, "odinctl", "--runtime-dir", s.dir, "status")
	if code != 3 || stderr == "" {
		t.Errorf("odinctl status without odind: exit %d: %s", code, stderr)
	}
}
