package worker

import (
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// TestPartitionThatWasCutBeforeItWasKnown: a worker that meets a new partition in a
// later era begins there, so its sessions are told that records may be missing.
// The others' were given what the log has of before.
func TestPartitionThatWasCutBeforeItWasKnown(t *testing.T) {
	st := newTheatre(t, 1, nil)
	g := st.visit(0)
	g.subscribe("BTC.trade")
	topic := st.segment.Era(0).Topic
	i, err := st.segment.AddPartitionInEra(event.Partition{Topic: "odin.trades", Number: 4}, 0, event.Era{Topic: topic, Epoch: event.NoEpoch}, shm.NoMark)
	st.must(err)
	if !st.segment.Slot(0).ProposeEra(i, event.Era{Number: 1, From: 3, Topic: topic, Epoch: event.NoEpoch}) {
		t.Fatal("the era was not taken")
	}
	st.segment.SetTopologyVersion(st.segment.TopologyVersion() + 1)
	st.ringAll()
	for lost, topology := false, false; !lost || !topology; {
		switch m := g.next(); {
		case m.Type != "reset":
			t.Fatalf("%+v in place of a reset", m)
		case m.Reason == "topology":
			topology = true
		case m.Lost:
			lost = true
		default:
			t.Fatalf("%+v says that nothing is lost", m)
		}
	}
}
