package worker

import (
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
	"github.com/odin-ws/odin/shm"
)

// undecided is a process with sessions that all wait for what lies below the
// history of a topic's partitions.
func undecided(tb testing.TB, sessions, partitions int) *process {
	tb.Helper()
	segment, err := shm.Create(tb.TempDir()+"/stats.shm", shm.Layout{Slots: 1, Partitions: partitions})
	if err != nil {
		tb.Fatal(err)
	}
	p := &process{hub: hub.New(), segment: segment, store: replica.NewStore(replica.Limits{}), pastStore: replica.NewPastStore(replica.Limits{})}
	p.now = p.clock()
	p.topics = []topic{{name: "t", id: event.TopicID{1}, named: event.TopicID{1}}}
	t := &p.topics[0]
	era := event.Era{Topic: t.id}
	for i := range partitions {
		if _, err := segment.AddPartitionInEra(event.Partition{Topic: "t", Number: int32(i)}, 1000, era, shm.NoMark); err != nil {
			tb.Fatal(err)
		}
		pt := &partition{index: i, topic: t, past: backfill.New(p.pastStore)}
		pt.replica = replica.New(replica.Config{Partition: i, Base: 1000, Era: era, FromBase: true}, p.store)
		pt.replica.OwnerChanged(nil, segment.Owner(i))
		t.parts, p.partitions = append(t.parts, pt), append(p.partitions, pt)
	}
	for range sessions {
		s := p.sessions.add()
		s.stage = open
		s.replay = &replay{began: p.now, until: p.now + int64(time.Hour), names: []claimedTopic{{topic: t, epoch: event.EpochName(t.id, 0)}}}
		for _, pt := range p.partitions {
			s.replay.parts = append(s.replay.parts, replayPart{part: pt, claim: resume.Claim{Offset: 10, End: resume.Unknown}})
		}
		p.decide(s)
	}
	if len(p.deciding) != sessions {
		tb.Fatalf("%d sessions wait", len(p.deciding))
	}
	return p
}

// BenchmarkUndecided: 10,000 sessions wait for the past of 64 partitions, say
// because a broker is away. Each tick, and each answer, has them looked at again.
func BenchmarkUndecided(b *testing.B) {
	p := undecided(b, 10_000, 64)
	longest, turns := time.Duration(0), 0
	for b.Loop() {
		for p.hurryDecisions(); p.undecided > 0; turns++ {
			began := time.Now()
			p.redecide()
			longest = max(longest, time.Since(began))
		}
	}
	b.ReportMetric(float64(turns)/float64(b.N), "turns")
	b.ReportMetric(float64(longest.Microseconds()), "µs-longest-turn")
}
