package plan

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

const length = 5 * time.Minute

func TestSeedsDecide(t *testing.T) {
	t.Parallel()
	if !reflect.DeepEqual(Make(7, length), Make(7, length)) {
		t.Error("one seed makes two schedules")
	}
	if reflect.DeepEqual(Make(7, length), Make(8, length)) {
		t.Error("two seeds make one schedule")
	}
}

func TestOnlyWhatIsNamed(t *testing.T) {
	t.Parallel()
	seen := map[Kind]int{}
	for _, f := range Make(7, length, Truncate, KillOwner, KillAll) {
		seen[f.Kind]++
	}
	if len(seen) != 3 {
		t.Errorf("%v", seen)
	}
	if Lane(Truncate) == Lane(KillOwner) || Lane(Truncate) != Lane(KillBroker) {
		t.Error("what ends brokers is not in the lane of what does")
	}
}

func TestSchedulesAreInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		free := map[int]time.Duration{} // when each lane is
		all := Make(seed, length)
		for i, f := range all {
			lane := Lane(f.Kind)
			switch {
			case i > 0 && f.At < all[i-1].At:
				t.Fatalf("seed %d: %v stands behind %v", seed, f, all[i-1])
			case f.At < free[lane]:
				t.Fatalf("seed %d: %v begins before the one before it in its lane is over", seed, f)
			case f.At+f.For >= length:
				t.Fatalf("seed %d: %v is not over at the end", seed, f)
			}
			free[lane] = f.At + f.For
		}
	}
}

// Five minutes have to bring enough, and a few seeds everything.
func TestSchedulesBringEverything(t *testing.T) {
	t.Parallel()
	seen := map[Kind]int{}
	for seed := range uint64(6) {
		all := Make(seed, length)
		if len(all) < 60 {
			t.Errorf("seed %d has only %d faults", seed, len(all))
		}
		for _, f := range all {
			seen[f.Kind]++
		}
	}
	for _, choices := range lanes() {
		for _, c := range choices {
			if seen[c.kind] == 0 {
				t.Errorf("six seeds bring no %q", c.kind)
			}
		}
	}
}

func TestFaultsLastAsLongAsTheyMay(t *testing.T) {
	t.Parallel()
	all := slices.Concat(lanes()...)
	for seed := range uint64(50) {
		for _, f := range Make(seed, length) {
			i := slices.IndexFunc(all, func(c choice) bool { return c.kind == f.Kind })
			if f.For < all[i].min || f.For > all[i].max {
				t.Fatalf("seed %d: %v, allowed: %v to %v", seed, f, all[i].min, all[i].max)
			}
		}
	}
}

func TestFaultsReadWell(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]Fault{
		"   12.5s kill -9 a worker":          {At: 12500 * time.Millisecond, Kind: KillWorker},
		"    3.0s kill -9 a broker for 2.5s": {At: 3 * time.Second, Kind: KillBroker, For: 2500 * time.Millisecond},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
