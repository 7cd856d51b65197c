package status

import (
	"time"

	"github.com/odin-ws/odin/internal/text"
	"github.com/odin-ws/odin/shm"
)

// Flow is what happens each second.
type Flow struct {
	// Deliveries: records written to sessions.
	Deliveries float64 `json:"deliveries_per_s"`
	// Bytes written for them.
	Bytes float64 `json:"bytes_per_s"`
	// Records fetched from the source.
	Records float64 `json:"records_per_s"`
	// Cores is CPU seconds a second, of the workers.
	Cores float64 `json:"cores"`
	// Handshakes completed.
	Handshakes float64 `json:"handshakes_per_s"`
	// Closed is the sessions that end, in whatever way.
	Closed float64 `json:"closed_per_s"`
	// SlowCloses is those that are closed because they are too slow.
	SlowCloses float64 `json:"slow_closes_per_s"`
	// SlowDrops is the records dropped, or replaced, for slow sessions.
	SlowDrops float64 `json:"slow_drops_per_s"`
	// Gaps is the notices sent of them.
	Gaps float64 `json:"gaps_per_s"`
	// Latency is from a record's timestamp to the write to a session, so as
	// right as the producer's clock is.
	Latency Spread `json:"latency"`
	// Turn is how long a turn of a worker's loop takes, waiting aside.
	Turn Spread `json:"turn"`
}

// Spread is how a measure was spread, read from a histogram, so as fine as its
// buckets are.
type Spread struct {
	// Count is how often it was measured, not each second but in all.
	Count uint64 `json:"count"`
	// P50MS is the milliseconds that half of them took at most, null if there
	// were none.
	P50MS *float64 `json:"p50_ms"`
	// P99MS is the milliseconds that all but one in a hundred took at most.
	P99MS *float64 `json:"p99_ms"`
}

// Words is the latency for people, "" if there is none.
func (s Spread) Words() string {
	if s.Count == 0 {
		return ""
	}
	return "latency p50 " + s.P50() + ", p99 " + s.P99()
}

// P50 is P50MS for people, "" if there is none.
func (s Spread) P50() string { return words(s.P50MS) }

// P99 is P99MS for people, "" if there is none.
func (s Spread) P99() string { return words(s.P99MS) }

func words(ms *float64) string {
	if ms == nil {
		return ""
	}
	return text.Millis(*ms)
}

// Rates is what happened between two statuses. What a restart of odind made
// fall counts as nothing.
type Rates struct {
	// IntervalS is the seconds between them, 0 if the earlier one is none of
	// this odind's: then all rates are 0.
	IntervalS float64 `json:"interval_s"`
	Flow
	// Workers by slot, all of them.
	Workers []WorkerRates `json:"workers"`
	// Partitions in the order of the status.
	Partitions []PartitionRates `json:"partitions"`
}

// WorkerRates is one slot's part of Rates.
type WorkerRates struct {
	// Slot is the worker's stable index.
	Slot int `json:"slot"`
	Flow
}

// PartitionRates is one partition's part of Rates.
type PartitionRates struct {
	// Topic is its name.
	Topic string `json:"topic"`
	// Partition is its number in the topic.
	Partition int32 `json:"partition"`
	// Records is by how much its position rises each second: its records, and
	// the marks of transactions.
	Records float64 `json:"records_per_s"`
}

// Between compares two statuses.
func Between(before, after Status) Rates {
	apart := time.Duration(after.reading.at.Monotonic - before.reading.at.Monotonic)
	if apart <= 0 || !before.sameProcess(after) {
		before, apart = after, 0
	}
	rates := Rates{IntervalS: seconds(apart), Workers: make([]WorkerRates, len(after.Workers))}
	rates.Flow = flow(before.total(), after.total(), apart)
	for i, w := range after.Workers {
		rates.Workers[i] = WorkerRates{w.Slot, flow(before.tally(i), after.tally(i), apart)}
	}
	rates.Partitions = partitionRates(before.Partitions, after.Partitions, apart)
	return rates
}

// sameProcess tells whether both were read from one supervisor's numbers.
func (s Status) sameProcess(other Status) bool {
	return s.PID == other.PID && s.reading.started == other.reading.started
}

// sinceStart is the flow of all workers since the supervisor started.
func (s Status) sinceStart() Flow {
	return flow(tally{}, s.total(), time.Duration(s.UptimeS*float64(time.Second)))
}

// partitionRates relies on indexes being valid for ever: a table only grows.
func partitionRates(before, after []Partition, apart time.Duration) []PartitionRates {
	rates := make([]PartitionRates, len(after))
	for i, p := range after {
		rates[i] = PartitionRates{Topic: p.Topic, Partition: p.Partition}
		if i < len(before) && before[i].Era == p.Era && before[i].Position < p.Position {
			rates[i].Records = perSecond(uint64(p.Position-before[i].Position), apart)
		}
	}
	return rates
}

// reading is what else a status was made of.
type reading struct {
	at      shm.Clock
	started int64 // of the supervisor, nanoseconds since 1970
	tallies []tally
}

func readRest(seg *shm.Segment, now shm.Clock) reading {
	r := reading{at: now, started: seg.Process().StartedNS(), tallies: make([]tally, seg.Layout().Slots)}
	for i := range r.tallies {
		r.tallies[i] = readTally(seg.Slot(i))
	}
	return r
}

// total is the tally of all workers.
func (s Status) total() (sum tally) {
	for i := range s.Workers {
		sum.add(s.tally(i))
	}
	return sum
}

func (s Status) tally(i int) tally {
	if i >= len(s.reading.tallies) {
		return tally{}
	}
	return s.reading.tallies[i]
}
