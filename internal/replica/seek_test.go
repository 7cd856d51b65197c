package replica

import "testing"

func TestReceiverSeeks(t *testing.T) {
	t.Run("when the term changes", func(t *testing.T) {
		g := known(t).up(1).up(2).owner(1, 1).want("seek 1 term 1 era 0 held 9 le -1")
		g.owner(2, 2).want("seek 2 term 2 era 0 held 9 le -1")
		g.owner(4, 2).want("seek 2 term 4 era 0 held 9 le -1") // back after one it never saw
	})
	t.Run("when the link comes", func(t *testing.T) {
		known(t).owner(1, 1).want().up(2).want().up(1).want("seek 1 term 1 era 0 held 9 le -1")
	})
	t.Run("when the link is remade", func(t *testing.T) {
		g := known(t).up(1).owner(1, 1).adv(1, 1, 0, 9, 10, 10).forget()
		g.up(1).want("seek 1 term 1 era 0 held 10 le 1")
		g.down(1).want().down(5).want()
		g.up(1).want("seek 1 term 1 era 0 held 10 le 1")
	})
	t.Run("when the era changes", func(t *testing.T) {
		g := known(t).up(1).owner(1, 1).forget()
		g.enter(1, 4).want("reset epoch lost true to 3", "count era_changes 1", "seek 1 term 1 era 1 held 3 le 3")
	})
	t.Run("while it holds nothing", func(t *testing.T) {
		fresh(t).up(1).owner(1, 1).want("seek 1 term 1 era 0 fresh")
	})
	t.Run("nobody", func(t *testing.T) { known(t).up(1).owner(1, -1).want() })
}

func TestSeekIsIgnored(t *testing.T) {
	tests := []struct {
		name string
		g    func(*testing.T) *rig
	}{
		{"by who does not own", func(t *testing.T) *rig { return known(t).up(1).owner(2, 2) }},
		{"of an earlier term", func(t *testing.T) *rig { return known(t).up(1).owner(3, self) }},
		{"of a later term", func(t *testing.T) *rig { return known(t).up(1).owner(1, self) }},
		{"of another era", func(t *testing.T) *rig { return known(t).up(1).owner(2, self).enter(1, 10) }},
		{"without a link", func(t *testing.T) *rig { return known(t).owner(2, self) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.g(t).forget().seek(1, 2, 0, 5).want("count seek_ignored 1").relay(1, 100).want()
		})
	}
}

// owning is an owner of term 1 that holds 10, 11 and 13 of [10, 14].
func owning(t *testing.T) *rig {
	return known(t).up(1).up(2).owner(1, self).poll(1, 0, 9, 11, 10, 11).poll(1, 0, 11, 14, 13).forget()
}

func TestOwnerRelays(t *testing.T) {
	tests := []struct {
		name string
		held int64
		max  int
		want []string
	}{
		{"from where the receiver is", 10, 100, []string{"wake 1", "ADV 1 term 1 era 0 (10,14] le 1 11 13"}},
		{"everything", 9, 100, []string{"wake 1", "ADV 1 term 1 era 0 (9,14] le 1 10 11 13"}},
		{"cut at a record", 9, 16, []string{"wake 1", "ADV 1 term 1 era 0 (9,11] le 1 10 11", "ADV 1 term 1 era 0 (11,14] le 1 13"}},
		{"at least one record", 9, 1, []string{
			"wake 1", "ADV 1 term 1 era 0 (9,10] le 1 10", "ADV 1 term 1 era 0 (10,11] le 1 11", "ADV 1 term 1 era 0 (11,14] le 1 13",
		}},
		{"an empty batch", 13, 100, []string{"wake 1", "ADV 1 term 1 era 0 (13,14] le 1"}},
		{"its own position to a fresh one", -2, 100, []string{"wake 1", "ADV 1 term 1 era 0 (14,14] le 1"}},
		{"nothing to who has all", 14, 100, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := owning(t).seek(1, 1, 0, test.held).relay(1, test.max).want(test.want...)
			g.relay(1, test.max).want().relay(2, test.max).want()
			g.poll(1, 0, 14, 15).want("wake 1").relay(1, 100).want("ADV 1 term 1 era 0 (14,15] le 1")
		})
	}
}

func TestOwnerRelaysToWhoIsAheadOnceItGetsThere(t *testing.T) {
	g := owning(t).seek(1, 1, 0, 20).want().relay(1, 100).want()
	g.poll(1, 0, 14, 18, 16, 18).want().relay(1, 100).want()
	g.poll(1, 0, 18, 23, 19, 20, 21).want("wake 1").relay(1, 100).want("ADV 1 term 1 era 0 (20,23] le 1 21")
}

func TestOwnerAnswersFreshOnceItKnows(t *testing.T) {
	g := fresh(t).up(1).owner(1, self).want("ask")
	g.seek(1, 1, 0, -2).want().relay(1, 100).want()
	g.published(Published{Live: true, Held: 30, Epoch: 4}).want("fetch 31 le 4 term 1 era 0", "wake 1")
	g.relay(1, 100).want("ADV 1 term 1 era 0 (30,30] le 4")
}

func TestWakeIsGivenOnce(t *testing.T) {
	g := owning(t).seek(1, 1, 0, 9).seek(2, 1, 0, 14).want("wake 1")
	g.poll(1, 0, 14, 15, 15).want("wake 2")
	g.poll(1, 0, 15, 16, 16).want()
	g.relay(1, 100).relay(2, 100).forget()
	g.poll(1, 0, 16, 17, 17).want("wake 1", "wake 2")
}

func TestSubscriptionsLapse(t *testing.T) {
	tests := []struct {
		name string
		do   func(*rig)
	}{
		{"with the term", func(g *rig) { g.owner(2, self) }},
		{"with the ownership", func(g *rig) { g.owner(2, 1) }},
		{"with the era", func(g *rig) { g.enter(1, 12) }},
		{"with the link", func(g *rig) { g.down(1) }},
		{"with a new link", func(g *rig) { g.up(1) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := owning(t).seek(1, 1, 0, 9).forget()
			test.do(g)
			g.forget().relay(1, 100).want()
		})
	}
}

func TestSeekAgainBeginsAnew(t *testing.T) {
	g := owning(t).seek(1, 1, 0, 9).relay(1, 100).forget()
	g.seek(1, 1, 0, 11).want("wake 1").relay(1, 100).want("ADV 1 term 1 era 0 (11,14] le 1 13")
}

func TestSiblingsInStepShareABatch(t *testing.T) {
	g := owning(t).up(3).seek(1, 1, 0, 9).seek(2, 1, 0, 9).seek(3, 1, 0, 10).forget()
	a, _ := g.Next(nil, 1, 100)
	b, _ := g.Next(nil, 2, 100)
	c, _ := g.Next(nil, 3, 100)
	if a.Repeated || !b.Repeated || c.Repeated {
		t.Errorf("repeated: %t %t %t", a.Repeated, b.Repeated, c.Repeated)
	}
	g.relay(1, 100).relay(2, 100).relay(3, 100).want()
	g.poll(1, 0, 14, 15, 15).forget()
	a, _ = g.Next(nil, 1, 100)
	if got := describeBatch(1, a); got != "ADV 1 term 1 era 0 (14,15] le 1 15" || a.Repeated {
		t.Errorf("%s, repeated: %t", got, a.Repeated)
	}
	b, _ = g.Next(nil, 2, 100)
	if got := describeBatch(2, b); got != "ADV 2 term 1 era 0 (14,15] le 1 15" || !b.Repeated {
		t.Errorf("%s, repeated: %t", got, b.Repeated)
	}
}
