package top

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/status"
)

const second = time.Second

var start = time.Date(2026, 3, 1, 14, 3, 20, 0, time.UTC)

func some(v float64) *float64 { return &v }

func spread(count uint64, p50, p99 float64) status.Spread {
	return status.Spread{Count: count, P50MS: some(p50), P99MS: some(p99)}
}

// look is a look at an odind that has been up for a while.
func look(workers, topics, partitions int) Look {
	l := Look{At: start, Status: status.Status{
		Version: "v1.4.0", PID: 4100, State: status.Ready, Warnings: []string{}, UptimeS: 93784, Listen: ":3001", Node: "fra-2",
		Balance: 1.03, ClosedByCode: map[string]uint64{"1000": 120934, "1001": 40, "1002": 0, "1006": 9120, "4000": 17},
	}}
	l.Rates = status.Rates{IntervalS: 1, Flow: status.Flow{Latency: spread(240000, 0.8, 3.14), Turn: spread(9000, 0.04, 2.1), Handshakes: 12, Closed: 11.5}}
	for i := range workers {
		l.addWorker(i)
	}
	for t := range topics {
		for n := range partitions / topics {
			l.addPartition(fmt.Sprintf("odin.%s", []string{"trades", "liquidity", "metadata", "social", "community", "creation", "analytics", "balances"}[t%8]), n)
		}
	}
	return l
}

func (l *Look) addWorker(i int) {
	w := status.Worker{
		Slot: i, PID: 4101 + i, Generation: 1, State: status.Ready, UptimeS: 3725, Sessions: int64(6172 - 13*i), Subscriptions: 18000, OwedBytes: 1258291,
		ResidentBytes: 410 << 20, HeartbeatAgeMS: 30, Handshakes: 9000, Closed: 7000,
	}
	f := status.Flow{
		Deliveries: 123456 - 1000*float64(i), Bytes: 25e6, Records: 600, Cores: math.Mod(0.76+0.07*float64(i), 1), Handshakes: 6, Closed: 5.75,
		Turn: spread(4500, 0.04, 2.1+0.1*float64(i)),
	}
	l.Status.Workers = append(l.Status.Workers, w)
	l.Status.Sessions += w.Sessions
	l.Rates.Workers = append(l.Rates.Workers, status.WorkerRates{Slot: i, Flow: f})
	l.Rates.Deliveries += f.Deliveries
	l.Rates.Bytes += f.Bytes
	l.Rates.Records += f.Records
	l.Rates.Cores += f.Cores
}

func (l *Look) addPartition(topic string, n int) {
	i := len(l.Status.Partitions)
	owner := i % len(l.Status.Workers)
	l.Status.Workers[owner].Partitions++
	l.Status.Partitions = append(l.Status.Partitions, status.Partition{Topic: topic, Partition: int32(n), Owner: &owner, Term: 3, Position: 1_000_000 + int64(i)})
	l.Rates.Partitions = append(l.Rates.Partitions, status.PartitionRates{Topic: topic, Partition: int32(n), Records: float64(n) * 12.5})
}

// model is one that has looked a while, so that its charts show something.
func model(width, height int, last Look) *Model {
	m := New(Workers, "", time.Second)
	m.Resize(width, height)
	for i := range 60 {
		l := last
		l.At = start.Add(time.Duration(i-60) * time.Second)
		l.Rates.Deliveries *= 0.6 + 0.4*math.Sin(float64(i)/7)
		l.Rates.Records *= 0.6 + 0.4*math.Cos(float64(i)/5)
		l.Status.Sessions = l.Status.Sessions * int64(i+60) / 120
		m.Look(l)
	}
	m.Look(last)
	return m
}

func press(m *Model, keys ...Key) {
	for _, k := range keys {
		m.Key(k)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
