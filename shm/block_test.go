package shm

import (
	"slices"
	"sync"
	"testing"
)

func TestCountersAreTheSumOfGenerations(t *testing.T) {
	s, _ := created(t, small)
	slot := s.Slot(1)
	want := uint64(0)
	for generation := range uint32(6) {
		slot.Block(generation).Add(Writes, uint64(generation)+1)
		want += uint64(generation) + 1
		equal(t, "writes", slot.Counter(Writes), want)
	}
	slot.ClearGauges()
	equal(t, "writes after the gauges were cleared", slot.Counter(Writes), want)
}

func TestEveryNumberHasAPlaceOfItsOwn(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	for slot := range small.Slots {
		b := s.Slot(slot).Block(1)
		for c := range CounterCount {
			b.Add(c, uint64(1000*slot)+uint64(c))
		}
		for g := range GaugeCount {
			b.Set(g, -int64(1000*slot)-int64(g))
		}
		s.Slot(slot).SetSpawn(1, 1, 1)
	}
	for c := range SupervisorCounterCount {
		s.Process().Add(c, 7000+uint64(c))
	}
	for g := range SupervisorGaugeCount {
		s.Process().Set(g, 8000+int64(g))
	}
	for slot := range small.Slots {
		for c := range CounterCount {
			equal(t, c.Metric().Name, r.Slot(slot).Counter(c), uint64(1000*slot)+uint64(c))
		}
		for g := range GaugeCount {
			equal(t, g.Metric().Name, r.Slot(slot).Gauge(g), -int64(1000*slot)-int64(g))
		}
	}
	for c := range SupervisorCounterCount {
		equal(t, c.Metric().Name, r.Process().Counter(c), 7000+uint64(c))
	}
	for g := range SupervisorGaugeCount {
		equal(t, g.Metric().Name, r.Process().Gauge(g), 8000+int64(g))
	}
}

func TestGauges(t *testing.T) {
	s, _ := created(t, small)
	slot := s.Slot(0)
	slot.SetSpawn(100, 4, 0)
	old := slot.Block(4)
	old.Set(Sessions, 10)
	old.Change(Sessions, -3)
	old.Set(SourceHealthy, 1)
	equal(t, "sessions", slot.Gauge(Sessions), 7)

	slot.SetSpawn(101, 5, 0) // two generations, one handing over to the other
	slot.Block(5).Set(Sessions, 2)
	equal(t, "sessions of both", slot.Gauge(Sessions), 9)
	equal(t, "health is the newest's", slot.Gauge(SourceHealthy), 0)
	slot.Block(5).Set(SourceHealthy, 1)
	equal(t, "health is no sum", slot.Gauge(SourceHealthy), 1)

	old.ClearGauges()
	equal(t, "sessions after the old one's death", slot.Gauge(Sessions), 2)
	slot.ClearGauges()
	equal(t, "sessions after all deaths", slot.Gauge(Sessions), 0)
}

func TestHistogramBuckets(t *testing.T) {
	s, _ := created(t, small)
	slot := s.Slot(0)
	bounds := HandshakeTime.Bounds()
	for i, bound := range bounds {
		slot.Block(0).Observe(HandshakeTime, bound, 1)           // inclusive
		slot.Block(1).Observe(HandshakeTime, bound+1, uint64(2)) // the next
		got := slot.Histogram(HandshakeTime)
		if got.Buckets[i] == 0 || got.Buckets[i+1] != 2 {
			t.Errorf("around %d: %v", bound, got.Buckets)
		}
	}
	slot.Block(0).Observe(HandshakeTime, 0, 5)
	got := slot.Histogram(HandshakeTime)
	equal(t, "first bucket", got.Buckets[0], 6)
	equal(t, "count", got.Count, uint64(3*len(bounds)+5))
	sum := uint64(0)
	for _, b := range bounds {
		sum += b + 2*(b+1)
	}
	equal(t, "sum", got.Sum, sum)
	if !slices.Equal(got.Bounds, bounds) {
		t.Errorf("bounds %v", got.Bounds)
	}
}

// The sum that goes with a bucket is always there: an average never falls
// below the smallest measure.
func TestHistogramSumComesBeforeItsBucket(t *testing.T) {
	s, path := created(t, small)
	r := opened(t, path)
	const measure, times = 100, 20000
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			b := s.Slot(0).Block(0)
			for range times {
				b.Observe(TurnLength, measure, 1)
			}
		})
	}
	last := uint64(0)
	for last < 2*times {
		h := r.Slot(0).Histogram(TurnLength)
		if h.Sum < h.Count*measure || h.Count < last {
			t.Fatalf("sum %d, count %d after %d", h.Sum, h.Count, last)
		}
		last = h.Count
	}
	writers.Wait()
}

func TestConcurrentAddsAreAllCounted(t *testing.T) {
	s, _ := created(t, small)
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 5000 {
				s.Slot(0).Block(3).Add(BytesReceived, 2)
			}
		})
	}
	writers.Wait()
	equal(t, "bytes", s.Slot(0).Counter(BytesReceived), 40000)
}

func BenchmarkAdd(b *testing.B) {
	s, _ := created(b, small)
	block := s.Slot(0).Block(1)
	for b.Loop() {
		block.Add(Turns, 1)
	}
}

func BenchmarkObserve(b *testing.B) {
	s, _ := created(b, small)
	block := s.Slot(0).Block(1)
	for v := uint64(0); b.Loop(); v += 997 {
		block.Observe(DeliveryLatency, v%1e6, 1)
	}
}
