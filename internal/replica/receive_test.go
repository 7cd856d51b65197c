package replica

import "testing"

// receiving is a receiver of owner 1, term 2, that holds 10 and 12 of [10, 12].
func receiving(t *testing.T) *rig {
	return known(t).up(1).up(2).owner(2, 1).adv(1, 2, 0, 9, 12, 10, 12).forget()
}

func TestReceiverTakes(t *testing.T) {
	tests := []struct {
		name     string
		term     uint32
		era      uint32
		peer     int
		prev, to int64
		offsets  []int64
		want     []string
		held     int64
		holds    []int64
	}{
		{name: "what follows", term: 2, peer: 1, prev: 12, to: 15, offsets: []int64{13, 15}, held: 15, holds: []int64{10, 12, 13, 15}},
		{name: "an empty batch", term: 2, peer: 1, prev: 12, to: 15, held: 15, holds: []int64{10, 12}},
		{name: "what it holds in part", term: 2, peer: 1, prev: 9, to: 14, offsets: []int64{10, 12, 14}, held: 14, holds: []int64{10, 12, 14}},
		{name: "not what it holds", term: 2, peer: 1, prev: 9, to: 12, offsets: []int64{10, 12}, want: []string{"count duplicate 1"}, held: 12, holds: []int64{10, 12}},
		{name: "not after a gap", term: 2, peer: 1, prev: 13, to: 15, offsets: []int64{15}, want: []string{"count gap 1", "seek 1 term 2 era 0 held 12 le 1"}, held: 12, holds: []int64{10, 12}},
		{name: "not of an earlier term", term: 1, peer: 1, prev: 12, to: 15, want: []string{"count stale_term 1"}, held: 12, holds: []int64{10, 12}},
		{name: "not of another era", term: 2, era: 1, peer: 1, prev: 12, to: 15, want: []string{"count other_era 1"}, held: 12, holds: []int64{10, 12}},
		{name: "not from another worker", term: 2, peer: 2, prev: 12, to: 15, want: []string{"count stale_term 1"}, held: 12, holds: []int64{10, 12}},
		{name: "not backwards", term: 2, peer: 1, prev: 15, to: 14, want: []string{"count malformed 1"}, held: 12, holds: []int64{10, 12}},
		{name: "not records out of order", term: 2, peer: 1, prev: 12, to: 15, offsets: []int64{14, 13, 15}, want: []string{"count malformed 1"}, held: 15, holds: []int64{10, 12, 14, 15}},
		{name: "not records out of range", term: 2, peer: 1, prev: 12, to: 15, offsets: []int64{11, 15, 16}, want: []string{"count malformed 2"}, held: 15, holds: []int64{10, 12, 15}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := receiving(t).adv(test.peer, test.term, test.era, test.prev, test.to, test.offsets...)
			g.want(test.want...).at(10, 9, test.held).holds(test.holds...)
		})
	}
}

func TestReceiverAfterAGap(t *testing.T) {
	g := receiving(t).adv(1, 2, 0, 13, 15, 15).forget()
	g.adv(1, 2, 0, 15, 16, 16).want("count missed 1") // sent before the SEEK was read
	g.adv(1, 2, 0, 12, 16, 13, 15, 16).want().holds(10, 12, 13, 15, 16)
	g.adv(1, 2, 0, 17, 18, 18).want("count gap 1", "seek 1 term 2 era 0 held 16 le 1")
}

func TestFreshReceiver(t *testing.T) {
	t.Run("takes the owner's position", func(t *testing.T) {
		g := fresh(t).up(1).owner(2, 1).forget()
		g.adv(1, 2, 0, 30, 30).want().at(31, 30, 30)
		g.adv(1, 2, 0, 30, 32, 31).want().at(31, 30, 32).holds(31)
	})
	t.Run("or the first batch", func(t *testing.T) {
		fresh(t).up(1).owner(2, 1).forget().adv(1, 2, 0, 30, 32, 31).want().at(31, 30, 32).holds(31)
	})
	t.Run("or LOST", func(t *testing.T) {
		fresh(t).up(1).owner(2, 1).forget().lost(1, 2, 0, 30, 40).want().at(41, 40, 40)
	})
	tests := []struct {
		name      string
		peer      int
		term, era uint32
		want      string
	}{
		{"not of an earlier term", 1, 1, 0, "count stale_term 1"},
		{"not of an earlier era", 1, 2, 0, "count other_era 1"},
		{"not of another worker", 2, 2, 1, "count stale_term 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := fresh(t).up(1).up(2).enter(1, 5).owner(2, 1).forget()
			g.adv(test.peer, test.term, test.era, 30, 30).want(test.want)
			g.lost(test.peer, test.term, test.era, 20, 30).want(test.want)
			if g.Position().Positioned {
				t.Errorf("at %+v", g.Position())
			}
		})
	}
}

func TestUnsought(t *testing.T) {
	g := known(t).owner(2, 1) // no link, so no SEEK
	g.adv(1, 2, 0, 9, 10, 10).want("count unsought 1").lost(1, 2, 0, 9, 10).want("count unsought 1")
}

func TestOwnerTakesNothingFromOthers(t *testing.T) {
	g := owning(t)
	g.adv(1, 1, 0, 14, 15, 15).want("count stale_term 1").lost(1, 1, 0, 14, 15).want("count stale_term 1").at(10, 9, 14)
}

func TestThawedOwnerBecomesAReceiver(t *testing.T) {
	g := owning(t).seek(1, 1, 0, 9).forget()
	g.owner(2, 1).want("stop", "seek 1 term 2 era 0 held 14 le 1")
	g.relay(1, 100).want()
	g.poll(1, 0, 14, 16, 15, 16).want("count stale_term 1")
	g.adv(1, 2, 0, 14, 15, 15).want().holds(10, 11, 13, 15)
}
