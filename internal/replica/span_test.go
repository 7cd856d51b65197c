package replica

import (
	"errors"
	"testing"
)

// lagging is an owner of term 1 whose history covers [20, 24] only, with
// subscribers 1 and 2.
func lagging(t *testing.T) *rig {
	g := fresh(t).up(1).up(2).up(3).owner(1, self).published(Published{Held: 19})
	return g.poll(1, 0, 19, 24, 20, 24).forget()
}

func ask(from, to int64, offsets ...int64) Range {
	return Range{Tag: Tag{1, 0}, From: from, To: to, ToEpoch: 1, Records: records(offsets...)}
}

func TestRangeIsRelayed(t *testing.T) {
	g := lagging(t).seek(1, 1, 0, 9).want("wake 1").relay(1, 100).want("range 10 19 term 1 era 0")
	g.relay(1, 100).want().poll(1, 0, 24, 25, 25).want()
	g.ranged(ask(10, 19, 11, 15, 18)).want("wake 1")
	g.relay(1, 16).want("ADV 1 term 1 era 0 (9,15] le 1 11 15", "ADV 1 term 1 era 0 (15,19] le 1 18",
		"ADV 1 term 1 era 0 (19,24] le 1 20 24", "ADV 1 term 1 era 0 (24,25] le 1 25")
}

func TestRangeIsShared(t *testing.T) {
	g := lagging(t).seek(1, 1, 0, 14).relay(1, 100).want("wake 1", "range 15 19 term 1 era 0")
	g.seek(2, 1, 0, 9).relay(2, 100).want("wake 2")
	g.seek(3, 1, 0, 17).relay(3, 100).want("wake 3")
	// Links 1 and 3 begin within it; link 2 begins below and is read for next.
	g.ranged(ask(15, 19, 16, 19)).want("wake 1", "wake 3", "range 10 19 term 1 era 0")
	g.relay(1, 100).want("ADV 1 term 1 era 0 (14,19] le 1 16 19", "ADV 1 term 1 era 0 (19,24] le 1 20 24")
	g.relay(3, 100).want("ADV 3 term 1 era 0 (17,19] le 1 19", "ADV 3 term 1 era 0 (19,24] le 1 20 24")
	g.ranged(ask(10, 19, 16, 19)).want("wake 2")
	g.relay(2, 100).want("ADV 2 term 1 era 0 (9,19] le 1 16 19", "ADV 2 term 1 era 0 (19,24] le 1 20 24")
}

func TestRangeInParts(t *testing.T) {
	g := lagging(t).seek(1, 1, 0, 9).relay(1, 100).forget()
	g.ranged(ask(10, 14, 11)).want("wake 1")
	g.relay(1, 100).want("ADV 1 term 1 era 0 (9,14] le 1 11", "range 15 19 term 1 era 0")
	g.ranged(ask(15, 19)).want("wake 1")
	g.relay(1, 100).want("ADV 1 term 1 era 0 (14,19] le 1", "ADV 1 term 1 era 0 (19,24] le 1 20 24")
}

func TestRangeBelowTheLogStart(t *testing.T) {
	t.Run("in part", func(t *testing.T) {
		g := lagging(t).seek(1, 1, 0, 9).relay(1, 100).forget()
		a := ask(10, 19, 16)
		a.LogStart = 15
		g.ranged(a).want("wake 1").relay(1, 100).want("LOST 1 term 1 era 0 (9,14]",
			"ADV 1 term 1 era 0 (14,19] le 1 16", "ADV 1 term 1 era 0 (19,24] le 1 20 24")
		// What is known to be gone is not read for again.
		g.seek(2, 1, 0, 5).relay(2, 100).want("wake 2", "LOST 2 term 1 era 0 (5,14]", "range 15 19 term 1 era 0")
	})
	t.Run("wholly", func(t *testing.T) {
		g := lagging(t).seek(1, 1, 0, 9).relay(1, 100).forget()
		g.ranged(Range{Tag: Tag{1, 0}, From: 10, To: 9, LogStart: 22}).want("wake 1")
		// No more than the history does not cover.
		g.relay(1, 100).want("LOST 1 term 1 era 0 (9,19]", "ADV 1 term 1 era 0 (19,24] le 1 20 24")
	})
}

func TestRangeThatCannotBeHad(t *testing.T) {
	for _, a := range []Range{
		{Tag: Tag{1, 0}, From: 10, To: 9, Err: errors.New("no such thing")},
		{Tag: Tag{1, 0}, From: 10, To: 9}, // no step forward is none at all
	} {
		g := lagging(t).seek(1, 1, 0, 9).relay(1, 100).seek(2, 1, 0, 7).relay(2, 100).forget()
		g.ranged(a).want("count range_failed 1", "wake 1", "range 8 19 term 1 era 0")
		g.relay(1, 100).want("LOST 1 term 1 era 0 (9,19]", "ADV 1 term 1 era 0 (19,24] le 1 20 24")
	}
}

func TestRangeOfAnotherTime(t *testing.T) {
	g := lagging(t).ranged(ask(10, 19)).want("count unsought 1")
	g.seek(1, 1, 0, 9).relay(1, 100).owner(3, self).forget()
	g.ranged(ask(10, 19)).want("count stale_term 1")
	g.enter(1, 40).forget()
	a := ask(10, 19)
	a.Tag = Tag{3, 0}
	g.ranged(a).want("count other_era 1")
}

func TestRangeForALinkThatIsGone(t *testing.T) {
	g := lagging(t).seek(1, 1, 0, 9).relay(1, 100).down(1).forget()
	g.ranged(ask(10, 19, 12)).want().relay(1, 100).want()
}

func TestHistoryGrowsOutOfALink(t *testing.T) {
	// The bound of records moves From past a live link: what it lacks is read.
	g := newRig(t, Config{Base: 0, FromBase: true}, Limits{Records: 2}).up(1).owner(1, self).forget()
	g.seek(1, 1, 0, -1).poll(1, 0, -1, 1, 0, 1).apply().forget()
	g.poll(1, 0, 1, 3, 2, 3).want().at(2, 1, 3)
	g.relay(1, 100).want("range 0 1 term 1 era 0").ranged(ask(0, 1, 0, 1)).want("wake 1")
	g.relay(1, 100).want("ADV 1 term 1 era 0 (-1,1] le 1 0 1", "ADV 1 term 1 era 0 (1,3] le 1 2 3")
}
