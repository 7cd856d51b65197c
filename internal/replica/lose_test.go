package replica

import "testing"

func TestLostIsTaken(t *testing.T) {
	tests := []struct {
		name     string
		prev, to int64
		want     []string
		held     int64
		from     int64
	}{
		{"what follows", 12, 20, []string{"count lost_ranges 1", "count lost_offsets 8", "reset trimmed lost true to 20"}, 20, 21},
		{"what it holds in part", 5, 20, []string{"count lost_ranges 1", "count lost_offsets 8", "reset trimmed lost true to 20"}, 20, 21},
		{"not what it holds", 5, 12, []string{"count duplicate 1"}, 12, 10},
		{"not after a gap", 13, 20, []string{"count gap 1", "seek 1 term 2 era 0 held 12 le 1"}, 12, 10},
		{"not backwards", 13, 12, []string{"count malformed 1"}, 12, 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := receiving(t).apply().forget().lost(1, 2, 0, test.prev, test.to)
			g.want(test.want...).at(test.from, test.held, test.held)
		})
	}
}

func TestLostOfAnother(t *testing.T) {
	g := receiving(t)
	g.lost(1, 1, 0, 12, 20).want("count stale_term 1")
	g.lost(1, 2, 1, 12, 20).want("count other_era 1")
	g.lost(2, 2, 0, 12, 20).want("count stale_term 1").at(10, 9, 12)
}

func TestLostWaitsUntilAllIsApplied(t *testing.T) {
	g := receiving(t).lost(1, 2, 0, 12, 20).want("drain").at(10, 9, 12)
	g.apply().want("session 10 s.e <10 s.e>", "session 12 s.e <12 s.e>",
		"count lost_ranges 1", "count lost_offsets 8", "reset trimmed lost true to 20")
	g.at(21, 20, 20).adv(1, 2, 0, 20, 21, 21).want().holds(21)
}

func TestLostNotDrained(t *testing.T) {
	g := receiving(t).lost(1, 2, 0, 12, 20).forget()
	g.adv(1, 2, 0, 20, 21, 21).want("count missed 1").lost(1, 2, 0, 21, 22).want("count missed 1")
	g.apply().want("session 10 s.e <10 s.e>", "session 12 s.e <12 s.e>",
		"count lost_ranges 1", "count lost_offsets 8", "reset trimmed lost true to 20", "seek 1 term 2 era 0 held 20 le -1")
	g.adv(1, 2, 0, 22, 23, 23).want("count missed 1") // sent before the SEEK was read
	g.adv(1, 2, 0, 20, 23, 21, 23).want().holds(21, 23)
}

func TestLostLapsesWithWhoSaidSo(t *testing.T) {
	tests := []struct {
		name string
		do   func(*rig)
	}{
		{"term", func(g *rig) { g.owner(3, 2) }},
		{"ownership", func(g *rig) { g.owner(3, self) }},
		{"link", func(g *rig) { g.down(1) }},
		{"new link", func(g *rig) { g.up(1) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := receiving(t).lost(1, 2, 0, 12, 20)
			test.do(g)
			g.apply().forget().at(10, 12, 12).holds(10, 12)
		})
	}
}

func TestOwnerLoses(t *testing.T) {
	g := owning(t).seek(1, 1, 0, 11).seek(2, 1, 0, 14).apply().forget()
	g.trimmed(1, 0, 20).want("count lost_ranges 1", "count lost_offsets 5", "reset trimmed lost true to 19",
		"fetch 20 le -1 term 1 era 0", "wake 2").at(20, 19, 19)
	g.relay(1, 100).want("LOST 1 term 1 era 0 (11,19]").relay(2, 100).want("LOST 2 term 1 era 0 (14,19]")
	g.poll(1, 0, 19, 20, 20).want("wake 1", "wake 2").relay(1, 100).want("ADV 1 term 1 era 0 (19,20] le 1 20")
}

func TestOwnerLosesWhenAllIsApplied(t *testing.T) {
	g := owning(t).trimmed(1, 0, 20).want("drain").trimmed(1, 0, 21).want("count missed 1")
	g.apply().want("session 10 s.e <10 s.e>", "session 11 s.e <11 s.e>", "session 13 s.e <13 s.e>",
		"count lost_ranges 1", "count lost_offsets 5", "reset trimmed lost true to 19", "fetch 20 le -1 term 1 era 0")
}

func TestTrimmedBelowWhatIsHeld(t *testing.T) {
	owning(t).trimmed(1, 0, 12).want("count duplicate 1", "fetch 15 le 1 term 1 era 0").at(10, 9, 14)
}

func TestFaultsAreTagged(t *testing.T) {
	for _, tag := range []Tag{{Term: 0}, {Term: 2}, {Term: 1, Era: 1}} {
		g := owning(t)
		want := "count stale_term 1"
		if tag.Term == 1 {
			want = "count other_era 1"
		}
		g.trimmed(tag.Term, tag.Era, 20).want(want)
		g.did(g.Truncated(nil, tag, 12, 1)).want(want)
		g.did(g.Recreated(nil, tag, [16]byte{9})).want(want).at(10, 9, 14)
	}
}
