package supervisor

import (
	"slices"
	"testing"
)

// Views of one worker, all of generation 1.
var (
	gone      = view{}
	fine      = view{alive: true, generation: 1, ready: true}
	first     = view{alive: true, generation: 1, founder: true}
	late      = view{alive: true, generation: 1}
	frozen    = view{alive: true, generation: 1, ready: true, suspect: true}
	cut       = view{alive: true, generation: 1, ready: true, sick: true}
	frozenCut = view{alive: true, generation: 1, ready: true, suspect: true, sick: true}
)

func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		name  string
		views []view
		want  []int
	}{
		{"nobody", []view{gone, gone}, nil},
		{"all are well", []view{fine, fine, fine}, []int{0, 1, 2}},
		{"the first start together", []view{first, first}, []int{0, 1}},
		{"one of the first is ready, the others stay", []view{fine, first, first}, []int{0, 1, 2}},
		{"one that starts beside a ready one waits", []view{fine, late}, []int{0}},
		{"but is better than nobody", []view{gone, late}, []int{1}},
		{"and better than a frozen one", []view{frozen, late}, []int{1}},
		{"a suspect loses its partitions", []view{fine, frozen, gone}, []int{0}},
		{"only suspects: they keep them", []view{frozen, frozen}, []int{0, 1}},
		{"a sick source moves them", []view{cut, fine}, []int{1}},
		{"all sources are sick: nothing moves", []view{cut, cut}, []int{0, 1}},
		{"sick is better than suspect", []view{frozen, cut}, []int{1}},
		{"sick is better than starting late", []view{cut, late}, []int{0}},
		{"sick and suspect, alone", []view{frozenCut, gone}, []int{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []int
			for _, candidate := range candidates(c.views) {
				got = append(got, candidate.Slot)
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("candidates %v, want %v", got, c.want)
			}
		})
	}
}

func TestScout(t *testing.T) {
	for _, c := range []struct {
		name    string
		views   []view
		present int
		want    int
	}{
		{"nobody", []view{gone, gone}, nobody, nobody},
		{"the lowest that starts", []view{gone, first, first}, nobody, 1},
		{"the lowest that is ready", []view{first, fine, fine}, nobody, 1},
		{"the present one stays", []view{fine, fine}, 1, 1},
		{"the present one stays while it starts", []view{fine, first}, 1, 1},
		{"dead: moved", []view{gone, fine}, 0, 1},
		{"suspect: moved", []view{frozen, fine}, 0, 1},
		{"suspect and alone: nobody", []view{frozen, gone}, 0, nobody},
		{"sick: moved to a healthy one", []view{cut, fine}, 0, 1},
		{"sick: moved even to one that starts", []view{cut, late}, 0, 1},
		{"all sick: stays", []view{cut, cut}, 1, 1},
		{"all sick and dead: the lowest", []view{cut, cut, gone}, 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := scout(c.views, c.present); got != c.want {
				t.Fatalf("scout %d, want %d", got, c.want)
			}
		})
	}
}
