package supervisor

import (
	"slices"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

func TestFirstReportIsElectedAmongTheStarting(t *testing.T) {
	s := newStage(t, 2)
	s.begin()
	s.reports(4)
	s.wantOwners(0, 1, 0, 1)
	if v := s.segment.TopologyVersion(); v != 1 {
		t.Errorf("topology version %d", v)
	}
	for slot, p := range s.live {
		if p.rings == 0 {
			t.Errorf("worker %d was not woken", slot)
		}
	}
	p, base := s.segment.Partition(3)
	if e := s.segment.Era(3); p.Number != 3 || base != 300 || e.Number != 0 || e.Topic != (event.TopicID{7}) || e.Epoch != event.NoEpoch {
		t.Errorf("partition 3 is %v from %d in %+v", p, base, e)
	}
	s.ready(0) // the other stays where it is
	s.wantOwners(0, 1, 0, 1)
}

// TestFirstBaseWins is rule 3: a base is never resolved again.
func TestFirstBaseWins(t *testing.T) {
	s := running(t, 2)
	s.says(s.scout, control.Message{Type: control.Topology, Topics: []control.Topic{{
		Name: "odin.trades", Partitions: []control.Partition{{Number: 0, Base: 999}, {Number: 6, Base: 5}},
	}}})
	if _, base := s.segment.Partition(0); base != 0 {
		t.Errorf("base is %d", base)
	}
	if v := s.segment.TopologyVersion(); v != 2 || s.segment.Partitions() != 7 {
		t.Errorf("version %d with %d partitions", v, s.segment.Partitions())
	}
	s.wantCount(shm.TopologyChanges, 2)
}

func TestSameTopologyChangesNothing(t *testing.T) {
	s := running(t, 2)
	s.reports(6)
	if v := s.segment.TopologyVersion(); v != 1 || s.live[0].rings+s.live[1].rings != 0 {
		t.Errorf("version %d, %d rings", v, s.live[0].rings+s.live[1].rings)
	}
}

func TestOnlyTheScoutReports(t *testing.T) {
	s := newStage(t, 2)
	s.begin()
	s.says(1, control.Message{Type: control.Topology, Topics: []control.Topic{{Name: "t", Partitions: []control.Partition{{}}}}})
	if s.segment.Partitions() != 0 {
		t.Fatal("took a report from somebody else")
	}
}

func TestTooManyPartitions(t *testing.T) {
	s := newStage(t, 1)
	s.begin()
	s.reports(70)
	s.reports(70)
	if n := s.segment.Partitions(); n != 64 {
		t.Fatalf("%d partitions in a table of 64", n)
	}
}

func TestDeathMovesPartitionsAtOnceAndBackWhenReady(t *testing.T) {
	s := running(t, 2)
	s.dies(1)
	if s.live[1] == nil || s.live[1].generation != 2 {
		t.Fatal("not started again at once")
	}
	s.wantOwners(0, 0, 0, 0, 0, 0)
	if s.live[0].rings == 0 {
		t.Error("the new owner was not woken")
	}
	s.ready(1)
	if got := s.owners(); !slices.Contains(got, 1) {
		t.Fatalf("owners %v after it was ready", got)
	}
	s.wantCount(shm.Respawns, 1)
	s.wantCount(shm.WorkersExited, 1)
	if n := s.segment.Slot(1).Respawns(); n != 1 {
		t.Errorf("slot 1 counts %d respawns", n)
	}
}

func TestDeathOfTheOnlyWorker(t *testing.T) {
	s := running(t, 1)
	s.dies(0)
	s.wantOwners(0, 0, 0, 0, 0, 0) // its next incarnation: nobody else could
	if o := s.segment.Owner(0); o.Generation != 2 {
		t.Fatalf("owner %+v", o)
	}
}

func TestScoutMoves(t *testing.T) {
	s := running(t, 3)
	if s.scout != 0 {
		t.Fatalf("scout is %d", s.scout)
	}
	s.live[0].frozen = true
	s.pass(3 * time.Second)
	if s.scout != 1 {
		t.Fatalf("scout is %d while 0 is suspect", s.scout)
	}
	if !slices.Contains(s.live[0].types(), control.Scout) {
		t.Error("the frozen one was not relieved")
	}
	s.dies(1)
	if s.scout == 1 {
		t.Error("the dead one is scout")
	}
}

func TestThawedWorkerGetsPartitionsAgain(t *testing.T) {
	s := running(t, 2)
	s.live[1].frozen = true
	s.pass(5 * time.Second)
	s.wantOwners(0, 0, 0, 0, 0, 0)
	s.live[1].frozen = false
	s.pass(time.Second)
	if got := s.owners(); !slices.Contains(got, 1) {
		t.Fatalf("owners %v after the thaw", got)
	}
	if len(s.live[1].signals) != 0 {
		t.Error("killed though it thawed")
	}
}

func TestSickSourceMovesItsPartitionsOnceSettled(t *testing.T) {
	s := running(t, 2)
	s.says(1, control.Message{Type: control.Source, Reason: "no route to host"})
	s.pass(1500 * time.Millisecond)
	if !slices.Contains(s.owners(), 1) {
		t.Fatal("moved before it settled")
	}
	s.pass(time.Second)
	s.wantOwners(0, 0, 0, 0, 0, 0)
	s.says(1, control.Message{Type: control.Source, Healthy: true})
	s.pass(3 * time.Second)
	if !slices.Contains(s.owners(), 1) {
		t.Fatal("nothing returned after the recovery")
	}
}

// TestWhatIsTheSameForAllMovesNothing: whoever has a partition without a leader, or
// of a topic that is gone, is told of it. Moved to the next worker, and the next,
// it took all that they have along each time.
func TestWhatIsTheSameForAllMovesNothing(t *testing.T) {
	s := running(t, 2)
	before := s.segment.Process().Counter(shm.OwnerChanges)
	s.says(1, control.Message{Type: control.Source, Everywhere: true, Reason: "no leader"})
	s.pass(5 * time.Second)
	s.wantCount(shm.OwnerChanges, before)
	s.says(1, control.Message{Type: control.Source, Reason: "no leader; no route to host"})
	s.pass(5 * time.Second)
	s.wantOwners(0, 0, 0, 0, 0, 0)
}

// TestBrokerOutageMovesNothing: all sources fail and return one after the
// other.
func TestBrokerOutageMovesNothing(t *testing.T) {
	s := running(t, 2)
	before := s.segment.Process().Counter(shm.OwnerChanges)
	for _, well := range []bool{false, true} {
		for slot := range s.live {
			s.says(slot, control.Message{Type: control.Source, Healthy: well, Reason: "connection refused"})
			s.pass(time.Second)
		}
		s.pass(5 * time.Second)
	}
	s.wantCount(shm.OwnerChanges, before)
}
