package status

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// bench is a segment of an odind that has been up for a while, and the moment
// at which it is looked at.
type bench struct {
	*shm.Segment
	now shm.Clock
}

const second = int64(time.Second)

func newBench(t testing.TB, workers int, topics map[string]int, order ...string) *bench {
	t.Helper()
	seg, err := shm.Create(filepath.Join(t.TempDir(), "stats.shm"), shm.Layout{Slots: workers, Partitions: 4096})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = seg.Close() })
	b := &bench{seg, shm.Now()}
	b.start()
	for i := range workers {
		b.worker(i)
	}
	for _, topic := range order {
		for n := range topics[topic] {
			b.partition(t, topic, n)
		}
	}
	seg.SetTopologyVersion(1)
	return b
}

func (b *bench) start() {
	p := b.Process()
	p.SetStarted(4100, b.now.Wall-93784*second)
	p.SetState(shm.Ready)
	for n, text := range [shm.NameCount]string{"v1.4.0", "9f3ab12c5e07", ":3001", "127.0.0.1:9464", "fra-2"} {
		p.SetName(shm.Name(n), text)
	}
	p.Beat(b.now.Monotonic - 40e6)
}

func (b *bench) worker(i int) {
	slot := b.Slot(i)
	slot.SetSpawn(4101+i, 1, b.now.Wall-3725*second)
	slot.SetState(shm.Ready)
	slot.Beat(b.now.Monotonic - 30e6)
	numbers := slot.Block(1)
	numbers.Set(shm.SourceHealthy, 1)
	numbers.Set(shm.Sessions, int64(max(6172-100*i, 7*i)))
	numbers.Set(shm.ResidentBytes, 410<<20)
	numbers.Set(shm.HistoryBytes, 201<<20)
	numbers.Set(shm.HistoryBytesMax, 256<<20)
	numbers.Set(shm.HistoryRecords, 412_345)
	numbers.Set(shm.HistoryAge, 298e6)
	numbers.Set(shm.OwedBytes, 1258291)
	numbers.Add(shm.Deliveries, 617283945)
	numbers.Add(shm.BytesSent, 617283945*200)
	numbers.Add(shm.CPUUser, 300e9)
	numbers.Add(shm.CPUSystem, 5678e9)
	numbers.Add(shm.RecordsFetched, 4938271)
	numbers.Observe(shm.DeliveryLatency, 1500, 900000)
	numbers.Observe(shm.DeliveryLatency, 20000, 100000)
	numbers.Observe(shm.TurnLength, 70, 1000)
}

// partition adds one that its owner follows without lag.
func (b *bench) partition(t testing.TB, topic string, n int) int {
	t.Helper()
	i, err := b.AddPartition(event.Partition{Topic: topic, Number: int32(n)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	slot := i % b.Layout().Slots
	b.SetOwner(i, event.Owner{Term: 3, Slot: slot, Generation: 1})
	b.publish(slot, i, 999, 1000, 0)
	return i
}

// publish says how far a worker is, and for how long it has been behind.
func (b *bench) publish(slot, i int, held, stable, behindS int64) {
	b.Slot(slot).PublishPosition(i, shm.Position{
		Held: held, Applied: held, Stable: stable, High: stable, Term: 3, Generation: 1,
		CaughtUpNS: b.now.Wall - behindS*second, Positioned: true, Owned: true,
	})
}

// drain has both odind and its workers drain for a while.
func (b *bench) drain(elapsedS, overS, sessions int64) {
	p := b.Process()
	p.SetState(shm.Draining)
	p.Set(shm.DrainStart, b.now.Wall-elapsedS*second)
	p.Set(shm.DrainEnd, b.now.Wall+(overS-elapsedS)*second)
	p.Set(shm.DrainSessions, sessions)
	for i := range b.Layout().Slots {
		b.Slot(i).SetState(shm.Draining)
	}
}

func (b *bench) read() Status { return Read(b.Segment, b.now) }

// defaultTopics is what odind demo has.
func standard(t testing.TB, workers int) *bench {
	return newBench(t, workers, map[string]int{"odin.trades": 12, "odin.liquidity": 6, "odin.metadata": 1},
		"odin.trades", "odin.liquidity", "odin.metadata")
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func ownerOf(p Partition) string {
	if p.Owner == nil {
		return "none"
	}
	return fmt.Sprint(*p.Owner)
}
