package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odin-ws/odin/cmd/internal/clitest"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/status"
)

func explain(t *testing.T, d *clitest.Demo, channel string) (x explained) {
	t.Helper()
	got := odinctl(t, "explain", channel, "--json", "--runtime-dir", d.Ready["runtime"])
	if err := json.Unmarshal([]byte(got.Stdout), &x); got.Code != 0 || err != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	return x
}

func (x *explained) has(level, part string) bool {
	for _, f := range x.Findings {
		if f.Level == level && strings.Contains(f.Text, part) {
			return true
		}
	}
	return false
}

func TestExplain(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	p := sub(t, d, "BTC.trade", "*.*")
	if got := publish(t, d, "", "odin.trades", "BTC", "{}"); got.Code != 0 {
		t.Fatalf("%+v", got)
	}
	p.Line()
	var x explained
	clitest.Eventually(t, "both workers have the record", func() bool {
		x = explain(t, d, "BTC.trade")
		return len(x.Workers) == 2 && len(x.Workers[0].Found) == 1 && len(x.Workers[1].Found) == 1
	})
	if !x.Valid || x.Pattern || len(x.Routes) != 1 || x.Routes[0].Partitions != 12 || x.Sessions != 1 || x.Verdict != fine {
		t.Errorf("%+v", x)
	}
	// franz-go's producer is what put it there, by the same rule.
	if at := x.Routes[0].Partition; len(x.Partitions) != 1 || int(x.Partitions[0].Partition.Partition) != at || int(x.Workers[0].Found[0].Partition) != at {
		t.Errorf("partition %d: %+v", at, x.Partitions)
	}
	if held := x.Partitions[0].Held; len(held) != 2 || held[0].Applied != 0 || held[1].Applied != 0 || x.Partitions[0].Owner == nil {
		t.Errorf("positions %+v", x.Partitions)
	}
	got := odinctl(t, "explain", "BTC.trade", "--runtime-dir", d.Ready["runtime"])
	for _, want := range []string{"channel     BTC.trade, a channel\n", "odin.trades: {key}.trade, slow close", "(murmur2)", " 0 by all\n", "BTC.trade odin.trades:", "1 by BTC.trade, 1 by *.*", "verdict     nothing looks wrong\n"} {
		if got.Code != 0 || got.Stderr != "" || !strings.Contains(got.Stdout, want) {
			t.Errorf("no %q in %s", want, got.Stdout)
		}
	}

	x = explain(t, d, "btc.trade")
	if x.Verdict != wrong || !x.has(wrong, "there are records of BTC.trade") {
		t.Errorf("btc.trade: %+v", x.Findings)
	}
	x = explain(t, d, "ETH.sozial")
	if x.Verdict != wrong || !x.has(wrong, `no route leads to *.sozial: the events of the routes are trade,`) || !x.has(wrong, `did you mean "social"?`) {
		t.Errorf("ETH.sozial: %+v", x.Findings)
	}
	x = explain(t, d, "BTC")
	if x.Valid || x.Verdict != wrong || !x.has(wrong, `a channel is SUBJECT.EVENT, like BTC.trade; did you mean "BTC.trade"?`) {
		t.Errorf("BTC: %+v", x.Findings)
	}
	x = explain(t, d, "a\x1b[2J.b")
	if x.Valid || x.Verdict != wrong || !x.has(wrong, "printable ASCII") {
		t.Errorf("no channel: %+v", x.Findings)
	}
	x = explain(t, d, "ETH.*")
	if !x.Pattern || len(x.Partitions) != 8 || len(x.Routes) != 8 || x.Sessions != 1 {
		t.Errorf("ETH.*: %d partitions, %d routes, %d sessions", len(x.Partitions), len(x.Routes), x.Sessions)
	}
	p.Signal(syscall.SIGINT)
	clitest.Eventually(t, "nobody subscribes", func() bool {
		x = explain(t, d, "BTC.trade")
		return x.has(wrong, "no session subscribes to it")
	})
}

// The owner of a channel's partition is stuck: that is told, and the other
// worker answers.
func TestExplainWithStoppedOwner(t *testing.T) {
	t.Parallel()
	d := bin.StartDemo(t, "--rate", "0")
	x := explain(t, d, "BTC.trade")
	owner := *x.Partitions[0].Owner
	pid := statusOf(t, d).Workers[owner].PID
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGCONT)
	x = explain(t, d, "BTC.trade")
	if len(x.Missing) != 1 || x.Missing[0] != owner || !x.has(look, "did not answer") || len(x.Workers) != 1 {
		t.Errorf("%+v", x)
	}
	got := odinctl(t, "explain", "*.*", "--runtime-dir", d.Ready["runtime"])
	if got.Code != 0 || !strings.Contains(got.Stdout, "did not answer: stuck, or just ended") {
		t.Errorf("%+v", got)
	}
	for line := range strings.Lines(got.Stdout) {
		if len([]rune(line)) > columns+1 {
			t.Errorf("more than %d columns: %s", columns, line)
		}
	}
}

// scene is a state of things in which all is well with BTC.trade.
func scene() (*explained, *status.Status) {
	owner := 1
	x := newExplained("BTC.trade")
	x.now = time.UnixMilli(1_800_000_000_000)
	x.events = []string{"trade", "social"}
	x.Routes = []explainedRoute{{RouteText: control.RouteText{Topic: "odin.trades", Channel: "{key}.trade", Event: "trade", Keyed: true, Slow: "close", Class: "normal"}, Partitions: 12, Partition: 7}}
	x.Partitions = []explainedPartition{{
		Partition: status.Partition{Topic: "odin.trades", Partition: 7, Owner: &owner, Position: 1042},
		Held:      []explainedPosition{{0, true, 1042, 1042}, {1, true, 1042, 1042}},
	}}
	found := []control.FoundRecord{{Channel: "BTC.trade", Topic: "odin.trades", Partition: 7, Offset: 1042, TimeMS: x.now.UnixMilli() - 3100}}
	for slot := range 2 {
		x.Workers = append(x.Workers, explainedWorker{slot, control.Explanation{Sessions: 6, Patterns: []control.PatternCount{{Pattern: "BTC.trade", Sessions: 6}}, Found: found, Searched: 500, Complete: true}})
	}
	x.Sessions = 12
	return x, &status.Status{Workers: []status.Worker{{Slot: 0, State: status.Ready}, {Slot: 1, State: status.Ready}}}
}

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*explained, *status.Status)
		level  string
		want   string
	}{
		"well":         {func(*explained, *status.Status) {}, fine, ""},
		"no topic":     {func(x *explained, _ *status.Status) { x.Routes[0].Partitions = 0 }, wrong, "topic odin.trades has no partition"},
		"no owner":     {func(x *explained, _ *status.Status) { x.Partitions[0].Owner = nil }, wrong, "nobody reads odin.trades:7"},
		"silent":       {func(_ *explained, s *status.Status) { s.Workers[1].HeartbeatAgeMS = 4200 }, wrong, "worker 1, which reads odin.trades:7, has shown no sign of life for 4.2s"},
		"lag":          {func(x *explained, _ *status.Status) { x.Partitions[0].Lag, x.Partitions[0].LagS = 1234, 61 }, wrong, "odin.trades:7 lags: 1,234 records behind what the broker has, for 1m01s"},
		"unheard of":   {func(x *explained, _ *status.Status) { x.Partitions[0].LagS = 61 }, wrong, "nothing has been heard of odin.trades:7 for 1m01s"},
		"burst":        {func(x *explained, _ *status.Status) { x.Partitions[0].Lag, x.Partitions[0].LagS = 1234, 2 }, fine, ""},
		"unpositioned": {func(x *explained, _ *status.Status) { x.Partitions[0].Held[0].Positioned = false }, wrong, "worker 0 has no position in odin.trades:7"},
		"starting": {func(x *explained, s *status.Status) {
			x.Partitions[0].Held[0].Positioned, s.Workers[0].State = false, status.Starting
		}, fine, ""},
		"behind": {func(x *explained, _ *status.Status) {
			x.Partitions[0].Held[0].Applied, x.Partitions[0].Position = 5, 9000
			x.Partitions[0].Held[1].Applied = 9000
		}, look, "worker 0 has given its sessions odin.trades:7 only up to 5: 8,995 records behind worker 1"},
		"one lacks it": {func(x *explained, _ *status.Status) { x.Workers[0].Found = nil }, look, "worker 0 has no record of it in the history, worker 1 has"},
		"no record":    {func(x *explained, _ *status.Status) { x.Workers[0].Found, x.Workers[1].Found = nil, nil }, look, "no record of it in the history"},
		"not all searched": {func(x *explained, _ *status.Status) {
			x.Workers[0].Found, x.Workers[1].Found, x.Workers[0].Complete = nil, nil, false
		}, look, "no record of it among the newest 500 of the history"},
		"similar": {func(x *explained, _ *status.Status) {
			x.Workers[0].Found, x.Workers[1].Found, x.Workers[1].Similar = nil, nil, []string{"btc.trade"}
		}, wrong, "there are records of btc.trade"},
		"two partitions": {func(x *explained, _ *status.Status) {
			x.Workers[0].Found = append([]control.FoundRecord{{Channel: "BTC.trade", Topic: "odin.trades", Partition: 3}}, x.Workers[0].Found...)
		}, look, "its records are in odin.trades:3, odin.trades:7, and between partitions there is no order"},
		"nobody": {func(x *explained, _ *status.Status) { x.Sessions = 0 }, wrong, "no session subscribes to it"},
		"resuming": {func(x *explained, _ *status.Status) {
			x.Sessions, x.Workers[1].Resuming = 0, 2
		}, look, "nobody gets it live yet: 2 sessions are given what was missed first"},
		"slow ones":   {func(x *explained, _ *status.Status) { x.Workers[0].Behind = 3 }, look, "3 of 12 sessions are behind, their sockets are full: odinctl conns --slow --channel 'BTC.trade'"},
		"slow closes": {func(_ *explained, s *status.Status) { s.Workers[0].SlowCloses = 1 }, look, "1 session was closed as too slow"},
		"drops":       {func(_ *explained, s *status.Status) { s.Workers[0].SlowDrops = 1000 }, look, "1,000 records were dropped for slow sessions"},
		"missing":     {func(x *explained, _ *status.Status) { x.Missing = []int{0, 1} }, look, "workers 0, 1 did not answer"},
		"skipped":     {func(x *explained, _ *status.Status) { x.Skipped = map[string]uint64{"no_key": 3, "bad_path": 1000} }, look, "1,003 records were skipped since the start, because no route could place them: bad_path 1,000, no_key 3"},
		"warned":      {func(_ *explained, s *status.Status) { s.Warnings = []string{"worker 1: kafka is away"} }, look, "odinctl status warns: worker 1: kafka is away"},
		"worst first": {func(x *explained, s *status.Status) {
			s.Warnings, x.Sessions = []string{"w"}, 0
		}, wrong, "no session subscribes to it"},
	} {
		x, s := scene()
		c.change(x, s)
		x.judge(s)
		if x.Verdict != c.level || (c.want == "") != (len(x.Findings) == 0) || c.want != "" && !strings.Contains(x.Findings[0].Text, c.want) {
			t.Errorf("%s: %s, %+v, want %s and %q", name, x.Verdict, x.Findings, c.level, c.want)
		}
		for _, line := range x.text(columns) {
			if len([]rune(line)) > columns {
				t.Errorf("%s: more than %d columns: %s", name, columns, line)
			}
		}
	}
}

func TestExplainText(t *testing.T) {
	x, s := scene()
	x.Workers[1].Behind, x.Workers[0].Found = 2, nil
	x.Workers[0].OldestMS = x.now.UnixMilli() - 250_000
	x.Partitions[0].Held[0].Positioned = false
	x.judge(s)
	want := `channel     BTC.trade, a channel
routes      odin.trades: {key}.trade, slow close, class normal
            key BTC belongs to partition 7 of 12, if its producer uses Kafka's
            default partitioner (murmur2)

PARTITION      OWNER  POSITION  LAG  GIVEN TO SESSIONS, BY WORKER
odin.trades:7      1      1042    0  - 1042

last record worker 0: none among 500 records of the history, made since 4m10s
            ago
            worker 1: BTC.trade odin.trades:7:1042, made 3.1s ago
sessions    worker 0: 6 (6 by BTC.trade)
            worker 1: 6 (6 by BTC.trade), 2 behind
verdict     WRONG: worker 0 has no position in odin.trades:7
            look at this: worker 0 has no record of it in the history, worker 1
            has
            look at this: 2 of 12 sessions are behind, their sockets are full:
            odinctl conns --slow --channel 'BTC.trade'`
	if got := strings.Join(x.text(columns), "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestExplainRefused(t *testing.T) {
	t.Parallel()
	if got := odinctl(t, "explain"); got.Code != 2 || !strings.Contains(got.Stderr, "CHANNEL is missing") {
		t.Errorf("%+v", got)
	}
	if got := odinctl(t, "explain", "A.b", "--runtime-dir", t.TempDir()); got.Code != 3 || !strings.Contains(got.Stderr, "no running odind found") {
		t.Errorf("%+v", got)
	}
}
