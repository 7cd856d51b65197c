package status

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// The fields that docs/PROTOCOL.md promises, of the types that it promises.
func TestJSONHasWhatTheProtocolSays(t *testing.T) {
	b := standard(t, 2)
	b.SetOwner(1, event.Owner{Term: 9, Slot: event.Nobody})
	text, err := json.Marshal(b.read())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	fields(t, got, "version pid state uptime_s config_digest listen workers sessions deliveries partitions balance")
	workers := got["workers"].([]any)
	equal(t, "workers", len(workers), 2)
	fields(t, workers[0].(map[string]any), "slot pid generation state sessions deliveries cpu_s heartbeat_age_ms")
	partitions := got["partitions"].([]any)
	equal(t, "partitions", len(partitions), 19)
	fields(t, partitions[0].(map[string]any), "topic partition owner term position lag lag_s")
	equal(t, "owner", partitions[0].(map[string]any)["owner"], any(0.0))
	equal(t, "no owner", partitions[1].(map[string]any)["owner"], nil)
}

func fields(t *testing.T, object map[string]any, names string) {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		if _, ok := object[name]; !ok {
			t.Errorf("no %s among %v", name, slices.Sorted(maps.Keys(object)))
		}
	}
}

// An empty odind has lists without entries, not null.
func TestJSONOfNothing(t *testing.T) {
	b := newBench(t, 1, nil)
	text, err := json.Marshal(b.read())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"partitions":[]`, `"warnings":[`, `"workers":[{`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(string(text), `"partitions":null`) || strings.Contains(string(text), `"warnings":null`) {
		t.Errorf("null in %s", text)
	}
}

func TestNumbers(t *testing.T) {
	b := standard(t, 2)
	b.Slot(1).Block(2).Add(shm.Deliveries, 5) // the generation before
	b.Slot(1).SetLent(0)
	s := b.read()
	equal(t, "version", s.Version, "v1.4.0")
	equal(t, "pid", s.PID, 4100)
	equal(t, "state", s.State, Ready)
	equal(t, "warnings", strings.Join(s.Warnings, "; "), "")
	equal(t, "uptime", s.UptimeS, 93784)
	equal(t, "digest", s.ConfigDigest, "9f3ab12c5e07")
	equal(t, "listen", s.Listen, ":3001")
	equal(t, "operator", s.Operator, "127.0.0.1:9464")
	equal(t, "node", s.Node, "fra-2")
	equal(t, "heartbeat", s.HeartbeatAgeMS, 40)
	equal(t, "sessions", s.Sessions, 6172+6072)
	equal(t, "deliveries", s.Deliveries, 2*617283945+5)
	equal(t, "balance", s.Balance, 1.008)

	w := s.Workers[1]
	w.LentTo = nil
	equal(t, "worker", w, Worker{
		Slot: 1, PID: 4102, Generation: 1, State: Ready, UptimeS: 3725, Sessions: 6072, Deliveries: 617283950, RecordsFetched: 4938271,
		DeliveryBytes: 617283945 * 200, CPUS: 5978, ResidentBytes: 410 << 20,
		HistoryBytes: 201 << 20, HistoryBytesMax: 256 << 20, HistoryRecords: 412_345, HistoryAgeS: 298, OwedBytes: 1258291, Partitions: 9, HeartbeatAgeMS: 30,
	})
	equal(t, "lent to", *s.Workers[1].LentTo, 0)
	if s.Workers[0].LentTo != nil {
		t.Error("the other's listener is lent too")
	}
	p := s.Partitions[3]
	equal(t, "owner", ownerOf(p), "1")
	p.Owner = nil
	equal(t, "partition", p, Partition{Topic: "odin.trades", Partition: 3, Term: 3, Position: 999})
}

func TestLagIsWhatTheSegmentDerives(t *testing.T) {
	b := standard(t, 2)
	b.publish(0, 0, 900, 1000, 3)
	p := b.read().Partitions[0]
	equal(t, "lag", p.Lag, 99)
	equal(t, "seconds", p.LagS, 3)
}

func TestOwnerThatDoesNotExistIsNobody(t *testing.T) {
	b := standard(t, 2)
	b.SetOwner(0, event.Owner{Term: 4, Slot: 77, Generation: 1})
	equal(t, "owner", ownerOf(b.read().Partitions[0]), "none")
}

func TestSlotThatNeverRan(t *testing.T) {
	b := newBench(t, 1, nil)
	seg, err := shm.Create(t.TempDir()+"/s", shm.Layout{Slots: 1, Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	s := Read(seg, b.now)
	equal(t, "state", s.State, Starting)
	equal(t, "uptime", s.UptimeS, 0)
	equal(t, "balance", s.Balance, 1)
	equal(t, "worker", s.Workers[0], Worker{State: Starting})
}

func TestState(t *testing.T) {
	late := int64(shm.StaleAfter + time.Second)
	for _, c := range []struct {
		what    string
		change  func(b *bench)
		state   string
		warning string // part of one
	}{
		{"well", func(*bench) {}, Ready, ""},
		{"starting", func(b *bench) { b.Process().SetState(shm.Starting) }, Starting, ""},
		{"a worker starts with the rest", func(b *bench) { b.Process().SetState(shm.Starting); b.Slot(1).SetState(shm.Starting) }, Starting, ""},
		{"draining", func(b *bench) { b.Process().SetState(shm.Draining) }, Draining, ""},
		{"stopping", func(b *bench) { b.Process().SetState(shm.Gone) }, Draining, ""},
		{"supervisor stale", func(b *bench) { b.Process().Beat(b.now.Monotonic - late) }, Degraded, "supervisor (pid 4100): no heartbeat for 3.0s"},
		{"worker stale", func(b *bench) { b.Slot(1).Beat(b.now.Monotonic - late) }, Degraded, "worker 1 (pid 4102): no heartbeat for 3.0s"},
		{"all stale", func(b *bench) { b.now.Monotonic += late }, Degraded, "no process of odind has shown a sign of life for 3.0s"},
		{"worker gone", func(b *bench) { b.Slot(0).SetState(shm.Gone) }, Degraded, "worker 0: gone (0 respawns so far)"},
		{"worker comes back", func(b *bench) { b.Slot(0).SetState(shm.Starting) }, Degraded, "worker 0: not ready yet"},
		{"worker draining alone", func(b *bench) { b.Slot(0).SetState(shm.Draining) }, Ready, ""},
		{"reason", func(b *bench) { b.Slot(0).SetReason("no broker") }, Degraded, "worker 0: no broker"},
		{"reason of a dead one", func(b *bench) { b.Slot(0).SetReason("no broker"); b.Slot(0).SetState(shm.Gone) }, Degraded, "gone"},
		{"source", func(b *bench) { b.Slot(0).Block(1).Set(shm.SourceHealthy, 0) }, Degraded, "worker 0: its source does not answer"},
		{"no owner", func(b *bench) { b.SetOwner(12, event.Owner{Slot: event.Nobody}) }, Degraded, "odin.liquidity: no owner for partition 0"},
		{"no owners", func(b *bench) {
			b.SetOwner(12, event.Owner{Slot: event.Nobody})
			b.SetOwner(14, event.Owner{Slot: event.Nobody})
		}, Degraded, "odin.liquidity: no owner for partitions 0, 2"},
		{"no room for the state", func(b *bench) { b.Process().Set(shm.StateUnwritten, 1) }, Degraded, "state_dir can't be written"},
		{"a short lag", func(b *bench) { b.publish(0, 0, 900, 1000, 9) }, Ready, ""},
		{"a lag", func(b *bench) { b.publish(0, 0, 900, 1000, 11) }, Degraded, "odin.trades: partition 0 is 99 records behind, for 11s"},
		{"a lag of one", func(b *bench) { b.publish(0, 0, 998, 1000, 11) }, Degraded, "1 record behind"},
		{"an open transaction", func(b *bench) {
			b.Slot(0).PublishPosition(0, shm.Position{Held: 999, Stable: 1000, High: 5000, Generation: 1, Positioned: true})
		}, Ready, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := standard(t, 2)
			c.change(b)
			s := b.read()
			all := strings.Join(s.Warnings, "\n")
			equal(t, "state", s.State, c.state)
			if (c.warning == "") != (all == "") || !strings.Contains(all, c.warning) {
				t.Errorf("warnings %q, wanted %q", all, c.warning)
			}
		})
	}
}

func TestUnknownTopologyIsAWarningOnlyOnceItShouldBeKnown(t *testing.T) {
	b := newBench(t, 1, nil)
	equal(t, "warning", strings.Join(b.read().Warnings, ""), "no partition is known")
	b.SetTopologyVersion(0)
	equal(t, "warning", strings.Join(b.read().Warnings, ""), "")
}

func TestBalance(t *testing.T) {
	for _, c := range []struct {
		sessions []int64
		want     float64
	}{
		{[]int64{0, 0}, 1},
		{[]int64{5}, 1},
		{[]int64{10, 10, 10}, 1},
		{[]int64{30, 0, 0}, 3},
		{[]int64{2, 1}, 1.333},
	} {
		var workers []Worker
		total := int64(0)
		for _, n := range c.sessions {
			workers = append(workers, Worker{Sessions: n})
			total += n
		}
		equal(t, "balance", balance(workers, total), c.want)
	}
}

// A status is read while all of it changes.
func TestReadWhileEverythingChanges(t *testing.T) {
	b := standard(t, 2)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 2000 {
			b.Slot(0).Block(1).Add(shm.Deliveries, 1)
			b.publish(0, i%19, int64(i), int64(i+1), 0)
			b.SetOwner(i%19, event.Owner{Term: uint32(i), Slot: i % 2, Generation: 1})
		}
	}()
	last := uint64(0)
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		s := b.read()
		if s.Deliveries < last {
			t.Fatalf("%d deliveries after %d", s.Deliveries, last)
		}
		last = s.Deliveries
	}
}
