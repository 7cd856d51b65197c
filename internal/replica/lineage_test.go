package replica

import (
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// meets shows the owner a poll of a leader epoch, and what was published.
func (g *rig) meets(epoch int32, all ...Published) *rig {
	a := &event.Advance{Term: g.Replica.owner.Term, Era: g.era.Number, Prev: g.held, To: g.held + 1, ToEpoch: epoch}
	if !g.Meets(a) {
		g.t.Fatal("the epoch is not met")
	}
	return g.did(g.Met(nil, epoch, all))
}

func (g *rig) compared(parted bool, end int64, epoch int32) *rig {
	return g.did(g.Compared(nil, Comparison{Tag: Tag{g.Replica.owner.Term, g.era.Number}, Parted: parted, End: end, Epoch: epoch}))
}

func dead(held int64, epoch int32) Published { return Published{Held: held, Epoch: epoch} }

// The owner of these holds 14, of leader epoch 1, in term 1 and era 0.

func TestLeaderEpochThatNobodyDoubts(t *testing.T) {
	g := owning(t).forget()
	g.meets(2, dead(14, 1), dead(9, 0), dead(20, event.NoEpoch), Published{Held: 99, Epoch: 1, Era: 7}, dead(99, 2)).
		want("compare 9 le 0 met 2 term 1 era 0", "stop") // of before its time
	g = owning(t).forget()
	g.meets(2, dead(14, 1), dead(20, event.NoEpoch), Published{Held: 99, Epoch: 1, Era: 7}, dead(99, 2)).want()
	if g.lineage.stopped {
		t.Error("stopped for nothing")
	}
}

func TestLeaderEpochIsMetBehindAComparison(t *testing.T) {
	g := owning(t).forget()
	g.meets(2, dead(16, 1), dead(18, 1), dead(27, 0)).want("compare 18 le 1 met 2 term 1 era 0", "stop")
	g.poll(1, 0, 14, 19, 17).want("count missed 1").at(10, 9, 14)
	g.compared(false, 0, 0).want("fetch 15 le 1 term 1 era 0")
	g.poll(1, 0, 19, 22, 21).want("count missed 1") // fetched before the stop
	g.meets(2, dead(16, 1), dead(18, 1)).want()     // found in the log, and known to be
	g.meets(3, dead(18, 1)).want("compare 18 le 1 met 3 term 1 era 0", "stop")
	g.compared(false, 0, 0).want("fetch 15 le 1 term 1 era 0")
	g.compared(false, 0, 0).want("count unsought 1")
}

func TestComparisonThatFailsBeginsAnEra(t *testing.T) {
	g := owning(t).forget()
	g.meets(2, dead(18, 1)).want("compare 18 le 1 met 2 term 1 era 0", "stop")
	g.compared(true, 16, 1).want("propose 1 from 16 le 1 topic 0")
	// Nothing that this owner holds was lost, so it keeps all.
	g.enter(1, 16).want("reset epoch lost false to 15", "count era_changes 1", "fetch 15 le 1 term 1 era 1").at(10, 9, 14)
}

func TestComparisonOfAnotherTermIsDropped(t *testing.T) {
	g := owning(t).forget()
	g.meets(2, dead(18, 1)).forget()
	g.did(g.Compared(nil, Comparison{Tag: Tag{9, 0}})).want("count stale_term 1")
	g.did(g.Compared(nil, Comparison{Tag: Tag{1, 9}})).want("count other_era 1")
}

func TestPublishedLate(t *testing.T) {
	g := owning(t).forget()
	g.did(g.Heard(nil, []Published{dead(14, 1), dead(18, 1)})).want() // no later epoch was met
	g.did(g.Polled(nil, &event.Advance{Term: 1, Prev: 14, To: 20, ToEpoch: 2})).forget()
	g.did(g.Heard(nil, []Published{dead(14, 1), dead(20, 2)})).want()
	g.did(g.Heard(nil, []Published{dead(15, 1)})).want("compare 15 le 1 met 2 term 1 era 0")
	g.did(g.Heard(nil, []Published{dead(16, 1)})).want() // one at a time
	g.compared(false, 0, 0).want()                       // nothing had stopped
	g.did(g.Heard(nil, []Published{dead(15, 1)})).want()
	g.did(g.Heard(nil, []Published{dead(12, 0)})).want("compare 12 le 0 met 2 term 1 era 0") // of before this owner's time
	g = receiving(t).forget()
	g.did(g.Heard(nil, []Published{dead(99, 0)})).want()
}

func TestOwnerOfUnknownEpochDoubtsAll(t *testing.T) {
	g := owning(t)
	g.did(g.TrimmedTo(nil, Tag{1, 0}, 31)).apply().forget()
	g.meets(2, dead(14, 1)).want("compare 14 le 1 met 2 term 1 era 0", "stop")
}

func TestLineageIsBounded(t *testing.T) {
	g := owning(t)
	for i := range int64(3 * lineageMax) {
		g.did(g.Polled(nil, &event.Advance{Term: 1, Prev: 14 + i, To: 15 + i, ToEpoch: int32(2 + i)}))
	}
	if n := len(g.lineage.passed); n != lineageMax {
		t.Errorf("%d epochs are remembered", n)
	}
}

func TestEraKeepsWhatItDidNotCut(t *testing.T) {
	for name, c := range map[string]struct {
		era  event.Era
		kept bool
	}{
		"cut above":                 {event.Era{Number: 1, From: 15, Epoch: 3}, true},
		"cut at the last":           {event.Era{Number: 1, From: 14, Epoch: 3}, false},
		"two eras":                  {event.Era{Number: 2, From: 15, Epoch: 3}, false},
		"another topic":             {event.Era{Number: 1, From: 15, Epoch: 3, Topic: event.TopicID{4}}, false},
		"nobody knows what is left": {event.Era{Number: 1, From: 15, Epoch: event.NoEpoch}, false},
	} {
		g := owning(t).forget()
		fx := g.EraChanged(nil, c.era)
		if p := g.Position(); (p.From == 10) != c.kept || p.Applied == 9 != c.kept {
			t.Errorf("%s: %+v", name, p)
		}
		if fx[0].Kind != Reset || fx[0].Lost == c.kept {
			t.Errorf("%s: %+v", name, fx[0])
		}
	}
}

// Each slot may have published another leader epoch. Those that were found in the
// log stay known until all are, or the owner would ask for ever, and fetch nothing.
func TestComparisonsComeToAnEnd(t *testing.T) {
	g := owning(t)
	g.did(g.TrimmedTo(nil, Tag{1, 0}, 31)).apply() // nothing is known of what this owner holds
	var all []Published
	for slot := range event.MaxSlots {
		all = append(all, dead(int64(10+slot), int32(slot)))
	}
	all = append(all, dead(5, event.MaxSlots)) // of who is gone
	asked := 0
	for g.meets(200, all...); g.lineage.under; g.meets(200, all...) {
		if asked++; asked > len(all) {
			t.Fatalf("asked more than %d times of %d positions", len(all), len(all))
		}
		g.compared(false, 0, 0).forget()
	}
	if asked != len(all) || g.lineage.stopped {
		t.Errorf("asked %d times of %d positions, stopped: %t", asked, len(all), g.lineage.stopped)
	}
	if n := len(g.lineage.vouched); n != len(all) || n > vouchedMax {
		t.Errorf("%d are remembered", n)
	}
}

// A worker that was frozen may ask with what a truncation has removed, before
// anybody heard of it: it would be relayed another log behind that.
func TestSeekOfAnEarlierLeaderEpochIsCompared(t *testing.T) {
	asked := func(t *testing.T) *rig {
		return owning(t).seekWith(1, 12, 0).want("compare 12 le 0 met 1 term 1 era 0").relay(1, 100).want()
	}
	t.Run("and is in the log", func(t *testing.T) {
		asked(t).compared(false, 0, 0).want("wake 1").relay(1, 100).want("ADV 1 term 1 era 0 (12,14] le 1 13")
	})
	t.Run("and is not", func(t *testing.T) {
		asked(t).compared(true, 11, 0).want("propose 1 from 11 le 0 topic 0").relay(1, 100).want()
	})
	t.Run("when the leader epoch is met later", func(t *testing.T) {
		owning(t).seekWith(1, 20, 1).want().meets(2).want("compare 20 le 1 met 2 term 1 era 0", "stop")
	})
	t.Run("each of them", func(t *testing.T) {
		asked(t).seekWith(2, 13, 0).want().relay(2, 100).want().compared(false, 0, 0).
			want("compare 13 le 0 met 1 term 1 era 0", "wake 1").compared(false, 0, 0).want("wake 2")
	})
}

func (g *rig) seekWith(peer int, held int64, epoch int32) *rig {
	return g.did(g.Sought(g.fx[:0], peer, event.Seek{Term: 1, Held: held, HeldEpoch: epoch, Positioned: true}))
}

// TestKeptIsHeldAgainstTheLog: an owner that begins where the log ended doesn't know
// of which leader epoch that is. What was held before the start tells whether it is
// the same log; it is no place to go on from.
func TestKeptIsHeldAgainstTheLog(t *testing.T) {
	kept := Published{Kept: true, Held: 30, Epoch: 1}
	for name, parted := range map[string]bool{"the log has it": false, "it was cut": true} {
		t.Run(name, func(t *testing.T) {
			g := fresh(t).owner(1, self).forget().published(kept).want("fetch 10 le -1 term 1 era 0")
			g.did(g.Heard(nil, []Published{kept})).want("compare 30 le 1 met 1 term 1 era 0")
			g.did(g.Heard(nil, []Published{kept})).want() // one at a time
			if parted {
				g.compared(true, 25, 1).want("propose 1 from 25 le 1 topic 0")
				return
			}
			g.compared(false, 0, 0).want()
			g.did(g.Heard(nil, []Published{kept})).want() // it is known
			g.meets(7, kept).want("compare 30 le 1 met 7 term 1 era 0", "stop")
		})
	}
}
