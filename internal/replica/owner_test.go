package replica

import "testing"

func TestOwnerFetchesFromItsOwnPosition(t *testing.T) {
	g := known(t).up(1).want()
	g.owner(1, self).want("fetch 10 le -1 term 1 era 0")
	g.owner(1, self).want() // the same word costs nothing
	g.poll(1, 0, 9, 12, 10, 12).want().at(10, 9, 12)
	g.owner(2, 1).want("stop", "seek 1 term 2 era 0 held 12 le 1")
	g.owner(4, self).want("fetch 13 le 1 term 4 era 0")
	g.owner(3, 1).want() // words only rise
	g.owner(5, -1).want("stop")
	g.holds(10, 12)
}

func TestOwnerReelectedFetchesAnew(t *testing.T) {
	g := known(t).owner(1, self).poll(1, 0, 9, 11, 11).forget()
	g.owner(3, self).want("fetch 12 le 1 term 3 era 0")
	g.poll(1, 0, 11, 12, 12).want("count stale_term 1").at(10, 9, 11)
}

func TestOwnerOfAnotherGeneration(t *testing.T) {
	g := known(t)
	o := g.Owner()
	o.Term, o.Slot, o.Generation = 1, self, 6
	g.did(g.OwnerChanged(nil, o)).want()
	if g.Owns() {
		t.Error("a word for the slot's last generation is taken as one's own")
	}
}

func TestPollsAreTagged(t *testing.T) {
	tests := []struct {
		name string
		g    func(*testing.T) *rig
		want string
	}{
		{"its own", func(t *testing.T) *rig { return known(t).owner(2, self) }, ""},
		{"an earlier term", func(t *testing.T) *rig { return known(t).owner(3, self) }, "count stale_term 1"},
		{"not the owner any more", func(t *testing.T) *rig { return known(t).up(1).owner(2, self).owner(3, 1) }, "count stale_term 1"},
		{"never the owner", func(t *testing.T) *rig { return known(t).owner(2, 1) }, "count stale_term 1"},
		{"an earlier era", func(t *testing.T) *rig { return known(t).owner(2, self).enter(1, 5) }, "count other_era 1"},
		{"without a position", func(t *testing.T) *rig { return fresh(t).owner(2, self) }, "count unsought 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := test.g(t).forget().poll(2, 0, 9, 11, 10, 11)
			if test.want == "" {
				g.want().at(10, 9, 11).holds(10, 11)
				return
			}
			g.want(test.want)
			if g.window.len != 0 {
				t.Error("records were appended")
			}
		})
	}
}

func TestGapInPollsIsFetchedAgain(t *testing.T) {
	g := known(t).owner(1, self).forget()
	g.poll(1, 0, 11, 12, 12).want("count gap 1", "fetch 10 le -1 term 1 era 0")
	g.poll(1, 0, 12, 13, 13).want("count missed 1")
	g.poll(1, 0, 9, 13, 10, 12, 13).want().holds(10, 12, 13)
}

func TestFreshOwnerBegins(t *testing.T) {
	live := func(era uint32, held int64) Published { return Published{Live: true, Era: era, Held: held, Epoch: 2} }
	dead := func(era uint32, held int64) Published { return Published{Era: era, Held: held, Epoch: 2} }
	tests := []struct {
		name string
		era  uint32
		all  []Published
		want string
	}{
		{"at the base", 0, nil, "fetch 10 le -1 term 1 era 0"},
		{"at a living worker's", 0, []Published{live(0, 20)}, "fetch 21 le 2 term 1 era 0"},
		{"at the furthest of the living", 0, []Published{live(0, 20), live(0, 30), live(0, 25)}, "fetch 31 le 2 term 1 era 0"},
		{"at a living rather than a dead one's", 0, []Published{dead(0, 40), live(0, 20), dead(0, 50)}, "fetch 21 le 2 term 1 era 0"},
		{"at the last published of the dead", 0, []Published{dead(0, 40), dead(0, 50)}, "fetch 51 le 2 term 1 era 0"},
		{"not at what was held before the start", 0, []Published{{Kept: true, Held: 40, Epoch: 2}}, "fetch 10 le -1 term 1 era 0"},
		{"where the era begins", 2, nil, "fetch 15 le 3 term 1 era 2"},
		{"where the era begins, not at an earlier era's", 2, []Published{live(1, 70), dead(0, 80)}, "fetch 15 le 3 term 1 era 2"},
		{"at a dead one's of the era", 2, []Published{live(1, 70), dead(2, 60)}, "fetch 61 le 2 term 1 era 2"},
		{"not before it knows of a later era", 2, []Published{live(3, 70)}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := fresh(t)
			if test.era > 0 {
				g.enter(test.era, 15)
			}
			g.owner(1, self).published(test.all...)
			if g.out = g.out[len(g.out)-1:]; test.want == "" {
				g.want("ask")
				return
			}
			g.want(test.want)
			held := g.Position().Held
			g.at(held+1, held, held)
		})
	}
}

func TestPublishedPositionsUnasked(t *testing.T) {
	p := Published{Live: true, Held: 50}
	fresh(t).published(p).want()
	known(t).owner(1, self).forget().published(p).want().at(10, 9, 9)
}

func TestFreshOwnerAsksAgainInANewEra(t *testing.T) {
	fresh(t).owner(1, self).want("ask").enter(1, 5).want("count era_changes 1", "ask").published().want("fetch 5 le 3 term 1 era 1")
}
