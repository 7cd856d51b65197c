package status

import (
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// later is the bench at another moment.
func (b *bench) later(d time.Duration) Status {
	b.now.Monotonic += int64(d)
	b.now.Wall += int64(d)
	return b.read()
}

func ms(v *float64) float64 {
	if v == nil {
		return -1
	}
	return *v
}

func TestBetween(t *testing.T) {
	b := standard(t, 2)
	before := b.read()
	one := b.Slot(1).Block(1)
	one.Add(shm.Deliveries, 5000)
	one.Add(shm.BytesSent, 1e6)
	one.Add(shm.RecordsFetched, 30)
	one.Add(shm.Handshakes, 8)
	one.Add(shm.SessionsClosed1000, 2)
	one.Add(shm.SessionsClosed4000, 4)
	one.Add(shm.SlowCloses, 4)
	one.Add(shm.SlowDrops, 10)
	one.Add(shm.SlowConflations, 20)
	one.Add(shm.Gaps, 3)
	one.Observe(shm.TurnLength, 200, 10)
	b.Slot(0).Block(1).Add(shm.CPUUser, 3e9)
	b.Slot(0).Block(1).Observe(shm.DeliveryLatency, 800, 98)
	b.Slot(1).Block(2).Observe(shm.DeliveryLatency, 70000, 2) // another generation
	b.publish(0, 0, 1199, 1200, 0)
	after := b.later(2 * time.Second)

	r := Between(before, after)
	equal(t, "interval", r.IntervalS, 2)
	equal(t, "deliveries", r.Deliveries, 2500)
	equal(t, "bytes", r.Bytes, 500e3)
	equal(t, "cores", r.Cores, 1.5)
	equal(t, "latencies", r.Latency.Count, 100)
	equal(t, "p50", ms(r.Latency.P50MS), 0.755) // 50 of 98 in 500 to 1000 µs
	equal(t, "p99", ms(r.Latency.P99MS), 62.5)  // 1 of 2 in 50 to 75 ms
	equal(t, "worker 0", r.Workers[0].Cores, 1.5)
	equal(t, "worker 0 turns", r.Workers[0].Turn, Spread{})

	w := r.Workers[1].Flow
	equal(t, "turns", ms(w.Turn.P99MS), 0.249)
	w.Turn, w.Latency = Spread{}, Spread{}
	equal(t, "worker 1", w, Flow{Deliveries: 2500, Bytes: 500e3, Records: 15, Handshakes: 4, Closed: 3, SlowCloses: 2, SlowDrops: 15, Gaps: 1.5})
	equal(t, "partitions", len(r.Partitions), 19)
	equal(t, "partition", r.Partitions[0], PartitionRates{Topic: "odin.trades", Records: 100})
	equal(t, "quiet one", r.Partitions[1], PartitionRates{Topic: "odin.trades", Partition: 1})
}

func TestBetweenWhatDoesNotFit(t *testing.T) {
	b := standard(t, 2)
	before := b.read()
	b.Slot(1).Block(1).Add(shm.Deliveries, 5000)
	b.Slot(1).Block(1).Observe(shm.DeliveryLatency, 5, 5)
	after := b.later(time.Second)
	restarted := before
	restarted.PID++
	again := before
	again.reading.started++
	for what, nothing := range map[string]Rates{
		"no time":                Between(after, after),
		"nothing before":         Between(Status{}, after),
		"the order is wrong":     Between(after, before),
		"it was restarted":       Between(restarted, after),
		"restarted with the pid": Between(again, after),
	} {
		if nothing.IntervalS != 0 || nothing.Flow != (Flow{}) || len(nothing.Workers) != 2 || len(nothing.Partitions) != 19 {
			t.Errorf("%s: %+v", what, nothing)
		}
	}
}

// A position that falls, or is of another era, is no rate; a partition that
// was not there before is none either.
func TestRatesOfPartitions(t *testing.T) {
	b := standard(t, 2)
	before := b.read()
	b.publish(0, 0, 100, 101, 0)
	b.partition(t, "new", 0)
	rates := Between(before, b.later(time.Second))
	for i, p := range rates.Partitions {
		equal(t, "records", p.Records, 0)
		equal(t, "number", p.Partition, before.withNew(i))
	}
	later := b.read()
	later.Partitions[0].Era++
	b.publish(0, 0, 5000, 5001, 0)
	equal(t, "another era", Between(later, b.later(time.Second)).Partitions[0].Records, 0)
}

func (s Status) withNew(i int) int32 {
	if i < len(s.Partitions) {
		return s.Partitions[i].Partition
	}
	return 0
}

func TestSinceStart(t *testing.T) {
	s := standard(t, 2).read()
	equal(t, "deliveries", s.SinceStart.Deliveries, 13163.95) // 1,234,567,890 in 93,784 s
	equal(t, "latencies", s.SinceStart.Latency.Count, 2e6)
	equal(t, "p50", s.SinceStart.Latency.P50(), "1.3ms")
	equal(t, "p99", s.SinceStart.Latency.P99(), "20ms")
	equal(t, "turns", ms(s.SinceStart.Turn.P99MS), 0.1)
	equal(t, "nothing yet", (Spread{}).P50()+(Spread{}).P99(), "")
}

func TestClosedByCode(t *testing.T) {
	b := standard(t, 2)
	b.Slot(0).Block(1).Add(shm.SessionsClosed1001, 3)
	b.Slot(1).Block(2).Add(shm.SessionsClosed1001, 4)
	b.Slot(1).Block(1).Add(shm.SessionsClosed4000, 5)
	s := b.read()
	equal(t, "codes", len(s.ClosedByCode), 12)
	equal(t, "1001", s.ClosedByCode["1001"], 7)
	equal(t, "4000", s.ClosedByCode["4000"], 5)
	equal(t, "1000", s.ClosedByCode["1000"], 0)
	equal(t, "of worker 1", s.Workers[1].Closed, 9)
	b.Slot(0).Block(1).Add(shm.RefusedDraining, 2)
	b.Slot(0).Block(1).Add(shm.RefusedFds, 1)
	equal(t, "refused", b.read().Workers[0].Refused, 3)
}

func TestQuantile(t *testing.T) {
	bounds := []uint64{10, 100, 1000}
	for _, c := range []struct {
		buckets [4]uint64
		q, want float64
	}{
		{[4]uint64{10, 0, 0, 0}, 0.5, 5},
		{[4]uint64{10, 0, 0, 0}, 1, 10},
		{[4]uint64{0, 10, 0, 0}, 0.5, 55},
		{[4]uint64{5, 0, 5, 0}, 0.5, 10},
		{[4]uint64{5, 0, 5, 0}, 0.75, 550},
		{[4]uint64{0, 0, 0, 7}, 0.5, 1000}, // no upper bound: at least this
		{[4]uint64{99, 0, 0, 1}, 0.99, 10},
		{[4]uint64{98, 0, 0, 2}, 0.99, 1000},
	} {
		count := uint64(0)
		for _, n := range c.buckets {
			count += n
		}
		if got := quantile(c.buckets[:], bounds, count, c.q); got != c.want {
			t.Errorf("%v at %v: %v, want %v", c.buckets, c.q, got, c.want)
		}
	}
}

func TestTopics(t *testing.T) {
	b := standard(t, 2)
	b.SetOwner(13, event.Owner{Slot: event.Nobody})
	b.publish(0, 4, 989, 1000, 3)
	b.publish(1, 5, 979, 1000, 3)
	s := b.read()
	topics := s.Topics()
	equal(t, "topics", len(topics), 3)
	equal(t, "lag", topics[0].Lag, 30)
	equal(t, "worst", topics[0].WorstWords(), "p5: 20, 3.0s")
	equal(t, "owners", topics[0].Owners(), "0-1")
	equal(t, "orphans", topics[1].Owners(), "0-1, none: 1")
	equal(t, "no worst", topics[2].WorstWords(), "-")
}
