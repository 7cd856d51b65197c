package status

import (
	"math"
	"strings"
	"time"

	"github.com/odin-ws/odin/shm"
)

// Read derives the status from the segment as it is; now is shm.Now(). It
// can't fail: numbers that were never written are zero.
func Read(seg *shm.Segment, now shm.Clock) Status {
	s := Glance(seg, now)
	s.Partitions = readPartitions(seg, now)
	countOwned(&s)
	s.judge(seg, now)
	s.warnOfConfiguration(int(seg.Process().Gauge(shm.PendingRestart)))
	return s
}

// Glance is Read without what needs a look at the partitions, which are most
// of its cost: Partitions, those of Workers, State and Warnings are empty.
func Glance(seg *shm.Segment, now shm.Clock) Status {
	p := seg.Process()
	s := Status{
		TS: now.Wall / int64(time.Millisecond), Version: p.Name(shm.Version), PID: p.Pid(), UptimeS: since(p.StartedNS(), now),
		ConfigDigest: p.Name(shm.Digest), Listen: p.Name(shm.Listen), Operator: p.Name(shm.Operator), Node: p.Name(shm.Node),
		HeartbeatAgeMS: p.BeatAge(now).Milliseconds(), Warnings: []string{},
	}
	for i := range seg.Layout().Slots {
		w := readWorker(seg.Slot(i), now)
		s.Workers = append(s.Workers, w)
		s.Sessions += w.Sessions
		s.Deliveries += w.Deliveries
	}
	s.Drain = readDrain(seg, now, s.Workers, s.Sessions)
	s.PendingRestart = strings.Fields(p.Name(shm.Pending))
	s.ReloadRefused = p.Gauge(shm.ReloadRefused) != 0
	s.Balance = balance(s.Workers, s.Sessions)
	s.ClosedByCode = closedByCode(seg)
	s.reading = readRest(seg, now)
	s.SinceStart = s.sinceStart()
	return s
}

func readWorker(slot *shm.Slot, now shm.Clock) Worker {
	pid, generation, spawned := slot.Spawned()
	w := Worker{
		Slot: slot.Index(), PID: pid, Generation: generation, State: workerState(slot.State()), Reason: slot.Reason(),
		Sessions: slot.Gauge(shm.Sessions), Subscriptions: slot.Gauge(shm.Subscriptions), BlockedSessions: slot.Gauge(shm.BlockedSessions),
		Deliveries: slot.Counter(shm.Deliveries), DeliveryBytes: slot.Counter(shm.BytesSent), RecordsFetched: slot.Counter(shm.RecordsFetched),
		Handshakes: slot.Counter(shm.Handshakes), Refused: family(slot, shm.RefusedConnections), Closed: family(slot, shm.SessionsClosed1000),
		SlowCloses: slot.Counter(shm.SlowCloses), Gaps: slot.Counter(shm.Gaps),
		SlowDrops:     slot.Counter(shm.SlowDrops) + slot.Counter(shm.SlowConflations),
		CPUS:          round(float64(slot.Counter(shm.CPUUser)+slot.Counter(shm.CPUSystem)) / 1e9),
		ResidentBytes: slot.Gauge(shm.ResidentBytes),
		HistoryBytes:  slot.Gauge(shm.HistoryBytes), HistoryBytesMax: slot.Gauge(shm.HistoryBytesMax),
		HistoryRecords: slot.Gauge(shm.HistoryRecords), HistoryAgeS: seconds(time.Duration(slot.Gauge(shm.HistoryAge)) * time.Microsecond),
		OwedBytes:      slot.Gauge(shm.OwedBytes),
		HeartbeatAgeMS: slot.BeatAge(now).Milliseconds(),
		Respawns:       slot.Respawns(),
	}
	if w.State != Gone && pid != 0 {
		w.UptimeS = since(spawned, now)
	}
	if pid == 0 {
		w.HeartbeatAgeMS = 0 // nobody is awaited
	}
	if to := slot.Lent(); to >= 0 {
		w.LentTo = &to
	}
	return w
}

// family is the sum of all counters of first's name.
func family(slot *shm.Slot, first shm.Counter) (sum uint64) {
	name := first.Metric().Name
	for c := first; c < shm.CounterCount && c.Metric().Name == name; c++ {
		sum += slot.Counter(c)
	}
	return sum
}

func closedByCode(seg *shm.Segment) map[string]uint64 {
	byCode := map[string]uint64{}
	name := shm.SessionsClosed1000.Metric().Name
	for c := shm.SessionsClosed1000; c.Metric().Name == name; c++ {
		for i := range seg.Layout().Slots {
			byCode[c.Metric().Value] += seg.Slot(i).Counter(c)
		}
	}
	return byCode
}

// workerState has no word for a slot in which nothing ran yet: it is about to.
func workerState(s shm.State) string {
	if s == shm.Empty {
		return Starting
	}
	return s.String()
}

func readPartitions(seg *shm.Segment, now shm.Clock) []Partition {
	all := make([]Partition, 0, seg.Partitions())
	for i := range seg.Partitions() {
		p := seg.Progress(i, now)
		one := Partition{
			Topic: p.Partition.Topic, Partition: p.Partition.Number, Term: p.Owner.Term, Era: p.Era,
			Position: p.Position, Lag: p.Lag, LagS: seconds(p.LagTime), OpenTransaction: p.Open,
		}
		if owner := p.Owner.Slot; owner >= 0 && owner < seg.Layout().Slots {
			one.Owner = &owner
		}
		all = append(all, one)
	}
	return all
}

func countOwned(s *Status) {
	for _, p := range s.Partitions {
		if p.Owner != nil {
			s.Workers[*p.Owner].Partitions++
		}
	}
}

func balance(workers []Worker, sessions int64) float64 {
	if sessions <= 0 {
		return 1
	}
	most := int64(0)
	for _, w := range workers {
		most = max(most, w.Sessions)
	}
	return round(float64(most) * float64(len(workers)) / float64(sessions))
}

// since is the seconds from a wall-clock time to now, 0 if it never was.
func since(ns int64, now shm.Clock) float64 {
	if ns == 0 {
		return 0
	}
	return seconds(time.Duration(max(0, now.Wall-ns)))
}

func seconds(d time.Duration) float64 { return round(d.Seconds()) }

// round keeps thousandths, enough for people and short in JSON.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }
