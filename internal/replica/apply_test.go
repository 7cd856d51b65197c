package replica

import (
	"fmt"
	"testing"
)

func TestPendingKeepsItsBudget(t *testing.T) {
	g := known(t).owner(1, self).poll(1, 0, 9, 16, 10, 11, 13, 15).forget()
	steps := []struct {
		records, bytes int
		want           string
		to             int64
	}{
		{0, 100, "", 9},
		{2, 100, "10 11", 11},
		{9, 1, "13", 13}, // at least one, however large
		{9, 100, "15", 16},
		{9, 100, "", 16},
	}
	for _, s := range steps {
		entries, to := g.Pending(nil, s.records, s.bytes)
		got := ""
		for i, e := range entries {
			if i > 0 {
				got += " "
			}
			got += fmt.Sprint(e.Offset)
		}
		if got != s.want || to != s.to {
			t.Errorf("%q up to %d, want %q up to %d", got, to, s.want, s.to)
		}
		if waiting := s.to < 16 || len(entries) > 0; g.Waiting() != waiting {
			t.Errorf("waiting: %t", g.Waiting())
		}
		g.did(g.Applied(nil, to)).want()
	}
	g.at(10, 16, 16)
}

func TestAppliedStaysWithinBounds(t *testing.T) {
	g := known(t).owner(1, self).poll(1, 0, 9, 16, 10, 11).forget()
	g.did(g.Applied(nil, 99)).at(10, 16, 16)
	g.did(g.Applied(nil, 3)).at(10, 16, 16)
}

func TestPendingOfAnEmptyBatch(t *testing.T) {
	g := known(t).owner(1, self).poll(1, 0, 9, 16).forget().apply().want().at(10, 16, 16)
	if g.Waiting() {
		t.Error("still waiting")
	}
	if fresh(t).Waiting() {
		t.Error("a fresh one waits")
	}
}

func TestReadForASessionThatLags(t *testing.T) {
	g := owning(t)
	tests := []struct {
		above   int64
		records int
		want    string
		to      int64
		ok      bool
	}{
		{9, 9, "[10 11 13]", 14, true},
		{9, 2, "[10 11]", 11, true},
		{11, 9, "[13]", 14, true},
		{12, 9, "[13]", 14, true},
		{14, 9, "[]", 14, true},
		{20, 9, "[]", 20, true}, // ahead of this worker
		{8, 9, "[]", 8, false},
	}
	for _, test := range tests {
		entries, to, ok := g.Read(nil, test.above, test.records, 1000)
		got := []int64{}
		for _, e := range entries {
			got = append(got, e.Offset)
		}
		if fmt.Sprint(got) != test.want || to != test.to || ok != test.ok {
			t.Errorf("above %d: %v up to %d, %t", test.above, got, to, ok)
		}
	}
	if _, _, ok := fresh(t).Read(nil, 50, 9, 9); ok {
		t.Error("a fresh one covers something")
	}
}

func TestFullWhenTooMuchWaits(t *testing.T) {
	g := newRig(t, Config{FromBase: true}, Limits{Records: 3}).owner(1, self)
	g.poll(1, 0, -1, 2, 0, 1, 2)
	if g.Full() {
		t.Error("full at the bound")
	}
	g.poll(1, 0, 2, 5, 3, 4, 5)
	if !g.Full() {
		t.Error("not full above the bound")
	}
	g.forget().holds(0, 1, 2, 3, 4, 5)
	g.apply()
	if g.Full() {
		t.Error("full although all is applied")
	}
	g.poll(1, 0, 5, 6, 6).at(4, 5, 6).holds(4, 5, 6)
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for c := range Counter(Counters) {
		if name := c.String(); seen[name] || name == "unknown" {
			t.Errorf("counter %d is called %q", c, name)
		} else {
			seen[name] = true
		}
	}
	if Counter(Counters).String() != "unknown" || Counter(200).String() != "unknown" {
		t.Error("what is no counter has a name")
	}
	if Epoch.String() != "epoch" || Trimmed.String() != "trimmed" || Reason(0).String() != "unknown" {
		t.Error("reasons")
	}
}

// TestAllocations: the path of a record takes no memory but the Store's.
func TestAllocations(t *testing.T) {
	g := owning(t).seek(1, 1, 0, 14).apply()
	a := batch(1, 0, 14, 15, 15)
	entries, fx := make([]Entry, 0, 16), make([]Effect, 0, 16)
	next := int64(15)
	allocs := testing.AllocsPerRun(2000, func() {
		a.Prev, a.To, a.Records[0].Offset = next-1, next, next
		next++
		fx = g.Polled(fx[:0], a)
		for {
			b, _ := g.Next(fx[:0], 1, 1<<18)
			if b.None() {
				break
			}
		}
		e, to := g.Pending(entries[:0], 100, 1<<20)
		fx = g.Applied(fx[:0], to)
		if len(e) != 1 {
			t.Fatal(len(e))
		}
	})
	if allocs > 0.1 {
		t.Errorf("%v allocations a record", allocs)
	}
}
