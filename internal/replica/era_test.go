package replica

import (
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

func TestEraEmptiesTheHistory(t *testing.T) {
	g := owning(t).seek(1, 1, 0, 9).forget()
	g.enter(1, 12).want("reset epoch lost true to 11", "count era_changes 1", "fetch 12 le 3 term 1 era 1")
	g.at(12, 11, 11).holds().relay(1, 100).want()
	g.enter(1, 12).want().enter(0, 5).want() // known, and older
	g.poll(1, 1, 11, 13, 12).want().at(12, 11, 13).holds(12)
	g.enter(3, 0).want("reset epoch lost true to -1", "count era_changes 1", "fetch 0 le 3 term 1 era 3").at(0, -1, -1)
}

func TestEraOfAFreshReplica(t *testing.T) {
	g := fresh(t).up(1).owner(1, 1).forget()
	g.enter(1, 12).want("count era_changes 1", "seek 1 term 1 era 1 fresh")
	g.adv(1, 1, 0, 30, 30).want("count other_era 1")
	g.adv(1, 1, 1, 30, 30).want().at(31, 30, 30)
}

func TestEraEndsALost(t *testing.T) {
	g := receiving(t).lost(1, 2, 0, 12, 20).forget()
	g.enter(1, 5).want("reset epoch lost true to 4", "count era_changes 1", "seek 1 term 2 era 1 held 4 le 3")
	g.apply().want().at(5, 4, 4)
}

func TestFaultsProposeAnEra(t *testing.T) {
	g := owning(t)
	g.did(g.Truncated(nil, Tag{1, 0}, 12, 2)).want("propose 1 from 12 le 2 topic 0").at(10, 9, 14)
	g.did(g.Recreated(nil, Tag{1, 0}, event.TopicID{9})).want("propose 1 from 0 le -1 topic 9").at(10, 9, 14)
	g.did(g.EraChanged(nil, event.Era{Number: 4, From: 3, Topic: event.TopicID{7}})).forget()
	if g.Era().Topic != (event.TopicID{7}) || g.Era().Number != 4 {
		t.Errorf("era %+v", g.Era())
	}
	g.did(g.Truncated(nil, Tag{1, 4}, 2, 1)).want("propose 5 from 2 le 1 topic 7")
}

func TestFromBaseInALaterEra(t *testing.T) {
	tests := []struct {
		era, baseEra uint32
		held         int64
	}{{0, 0, 9}, {2, 0, 29}, {2, 1, 29}, {2, 2, 9}}
	for _, test := range tests {
		g := newRig(t, Config{
			Base: 10, BaseEra: test.baseEra, Era: event.Era{Number: test.era, From: 30}, FromBase: true,
		}, Limits{})
		g.at(test.held+1, test.held, test.held)
	}
}
