package sim

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestFound runs the schedules that once broke a rule, each with its story in
// its name. They were made smaller, so they have no seed any more.
func TestFound(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.plan"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no plans: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".plan"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := parsePlan(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := try(p, allDuties, nil, nil); err != nil {
				t.Fatal(report(p, allDuties))
			}
		})
	}
}

func TestPlanAsText(t *testing.T) {
	for seed := range uint64(50) {
		p := planOf(seed)
		q, err := parsePlan(p.String())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(p, q) {
			t.Fatalf("seed %d: %v became %v", seed, p, q)
		}
	}
	for _, text := range []string{"", "seed=1", planOf(1).String() + "jump 1 2\n", planOf(1).String() + "step 1\n"} {
		if _, err := parsePlan(text); err == nil {
			t.Errorf("%q is taken for a plan", text)
		}
	}
}

func TestScheduleReplaysExactly(t *testing.T) {
	for seed := range uint64(30) {
		var a, b strings.Builder
		first, second := try(planOf(seed), allDuties, nil, &a), try(planOf(seed), allDuties, nil, &b)
		if first != nil || second != nil || a.String() != b.String() || a.Len() == 0 {
			t.Fatalf("seed %d differs from itself: %v, %v", seed, first, second)
		}
	}
}

func TestFailureIsMadeSmaller(t *testing.T) {
	found := search(1, 1000, untaggedPolls)
	if found.failed == nil {
		t.Fatal("nothing fails")
	}
	small := shrink(found.failed, untaggedPolls)
	if len(small.moves) >= len(found.failed.moves) {
		t.Errorf("%d moves of %d", len(small.moves), len(found.failed.moves))
	}
	text := report(small, untaggedPolls)
	for _, want := range []string{found.err.(*failure).rule, "FAILURE", "owner of 0: {", "seed="} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}
