package election

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// o is a short owner word: term, slot, generation.
func o(term uint32, slot int, generation uint32) event.Owner {
	return event.Owner{Term: term, Slot: slot, Generation: generation}
}

func TestAssign(t *testing.T) {
	a, b, c := Candidate{0, 1}, Candidate{1, 1}, Candidate{2, 1}
	never, nobody := event.Owner{}, event.Nobody
	for _, test := range []struct {
		name          string
		live          []Candidate
		current, want []event.Owner
	}{
		{"nothing to own", []Candidate{a}, nil, nil},
		{
			"first election spreads neighbours",
			[]Candidate{a, b},
			[]event.Owner{never, never, never, never, never},
			[]event.Owner{o(1, 0, 1), o(1, 1, 1), o(1, 0, 1), o(1, 1, 1), o(1, 0, 1)},
		},
		{
			"nobody alive, never owned", nil,
			[]event.Owner{never, never},
			[]event.Owner{never, never},
		},
		{
			"nobody alive", nil,
			[]event.Owner{o(3, 0, 1), o(1, nobody, 0)},
			[]event.Owner{o(4, nobody, 0), o(1, nobody, 0)},
		},
		{
			"balanced stays",
			[]Candidate{b, a},
			[]event.Owner{o(7, 1, 1), o(2, 0, 1)},
			[]event.Owner{o(7, 1, 1), o(2, 0, 1)},
		},
		{
			"a dead owner's only",
			[]Candidate{a, c},
			[]event.Owner{o(1, 0, 1), o(1, 1, 1), o(1, 2, 1), o(1, 1, 1)},
			[]event.Owner{o(1, 0, 1), o(2, 0, 1), o(1, 2, 1), o(2, 2, 1)},
		},
		{
			"an earlier generation is dead",
			[]Candidate{{0, 2}, b},
			[]event.Owner{o(1, 0, 1), o(1, 1, 1)},
			[]event.Owner{o(2, 0, 2), o(1, 1, 1)},
		},
		{
			"a newcomer gets every second one",
			[]Candidate{a, b},
			[]event.Owner{o(5, 0, 1), o(5, 0, 1), o(5, 0, 1), o(5, 0, 1)},
			[]event.Owner{o(5, 0, 1), o(6, 1, 1), o(5, 0, 1), o(6, 1, 1)},
		},
		{
			"the odd one stays where it is",
			[]Candidate{a, b},
			[]event.Owner{o(5, 1, 1), o(5, 1, 1), o(5, 0, 1)},
			[]event.Owner{o(5, 1, 1), o(5, 1, 1), o(5, 0, 1)},
		},
		{
			"more workers than partitions",
			[]Candidate{a, b, c},
			[]event.Owner{o(1, 2, 1)},
			[]event.Owner{o(1, 2, 1)},
		},
		{
			"generations wrap in 24 bits",
			[]Candidate{{0, 1<<24 + 5}},
			[]event.Owner{o(1, 0, 5)},
			[]event.Owner{o(1, 0, 5)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Assign(test.live, test.current); !slices.Equal(got, test.want) {
				t.Fatalf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

// schedule is a random history of one set of partitions.
type schedule struct {
	*rand.Rand
	generation [event.MaxSlots]uint32
}

// live draws who is alive; some of the slots are new incarnations.
func (s *schedule) live() (live []Candidate) {
	slots := 1 + s.IntN(12)
	for slot := range slots {
		if s.IntN(8) == 0 {
			s.generation[slot]++
		}
		if s.IntN(4) > 0 {
			live = append(live, Candidate{slot, s.generation[slot]})
		}
	}
	s.Shuffle(len(live), func(i, k int) { live[i], live[k] = live[k], live[i] })
	return live
}

// TestProperties walks random histories: workers die, return and multiply,
// partitions are added, and after every step all that doc.go says must hold.
func TestProperties(t *testing.T) {
	for seed := range uint64(300) {
		s := &schedule{Rand: rand.New(rand.NewPCG(seed, 1))}
		owners := make([]event.Owner, s.IntN(40))
		for range 30 {
			if s.IntN(3) == 0 {
				owners = append(owners, make([]event.Owner, s.IntN(9))...)
			}
			live := s.live()
			next := Assign(live, owners)
			checkOwned(t, live, next)
			checkEven(t, live, next)
			checkTerms(t, owners, next)
			checkMovement(t, live, owners, next)
			checkOrder(t, s, live, owners, next)
			if t.Failed() {
				t.Fatalf("seed %d: live %v\nfrom %v\nto   %v", seed, live, owners, next)
			}
			owners = next
		}
	}
}

func counts(live []Candidate, owners []event.Owner) []int {
	held := make([]int, len(live))
	for _, owner := range owners {
		for i, c := range live {
			if owner.Term > 0 && owner.Is(c.Slot, c.Generation) {
				held[i]++
			}
		}
	}
	return held
}

func checkOwned(t *testing.T, live []Candidate, next []event.Owner) {
	sum := 0
	for _, n := range counts(live, next) {
		sum += n
	}
	if len(live) > 0 && sum != len(next) {
		t.Errorf("%d of %d partitions have a live owner", sum, len(next))
	}
	for _, owner := range next {
		if len(live) == 0 && owner.Term > 0 && owner.Slot != event.Nobody {
			t.Errorf("owned by %v though nobody is alive", owner)
		}
	}
}

func checkEven(t *testing.T, live []Candidate, next []event.Owner) {
	if len(live) == 0 {
		return
	}
	held := counts(live, next)
	if slices.Max(held)-slices.Min(held) > 1 {
		t.Errorf("uneven: %v", held)
	}
}

func checkTerms(t *testing.T, before, after []event.Owner) {
	for i := range before {
		moved := before[i].Slot != after[i].Slot || before[i].Generation != after[i].Generation ||
			before[i].Term == 0 && after[i].Term > 0
		switch {
		case moved && after[i].Term != before[i].Term+1:
			t.Errorf("partition %d changed from %v to %v", i, before[i], after[i])
		case !moved && after[i] != before[i]:
			t.Errorf("partition %d stayed, yet %v became %v", i, before[i], after[i])
		}
	}
}

// checkMovement compares with the least possible: of what the living hold,
// each keeps at most its even share, and as many keep the extra one as the
// division leaves.
func checkMovement(t *testing.T, live []Candidate, before, after []event.Owner) {
	if len(live) == 0 {
		return
	}
	even, extra := len(before)/len(live), len(before)%len(live)
	keep := 0
	for _, n := range counts(live, before) {
		if n > even && extra > 0 {
			keep, extra = keep+1, extra-1
		}
		keep += min(n, even)
	}
	moved := 0
	for i := range before {
		if before[i] != after[i] {
			moved++
		}
	}
	if least := len(before) - keep; moved != least {
		t.Errorf("moved %d, least is %d", moved, least)
	}
}

func checkOrder(t *testing.T, s *schedule, live []Candidate, before, after []event.Owner) {
	again := slices.Clone(live)
	s.Shuffle(len(again), func(i, k int) { again[i], again[k] = again[k], again[i] })
	if !slices.Equal(Assign(again, before), after) {
		t.Error("another order of the candidates, another result")
	}
	if !slices.Equal(Assign(live, after), after) {
		t.Error("electing once more changes something")
	}
}

// TestHotTopicIsSpread: the partitions of one topic are neighbours in the
// table, and each topic must be even too when workers start together and when
// one returns.
func TestHotTopicIsSpread(t *testing.T) {
	owners := make([]event.Owner, 32) // 4 topics of 8
	four := []Candidate{{0, 1}, {1, 1}, {2, 1}, {3, 1}}
	one := []Candidate{{2, 1}}
	for name, path := range map[string][][]Candidate{
		"together":     {four},
		"from one":     {one, four[1:3]},
		"one after it": {one, four[1:3], four[1:4]},
	} {
		at := owners
		for _, live := range path {
			at = Assign(live, at)
		}
		last := path[len(path)-1]
		for topic := range 4 {
			held := counts(last, at[topic*8:][:8])
			if slices.Max(held)-slices.Min(held) > 2 {
				t.Errorf("%s: topic %d is held %v", name, topic, held)
			}
		}
	}
}
