package sim

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// number reads a setting from the environment.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// result is what a search came to.
type result struct {
	failed *plan // of the lowest seed that was seen to fail, or nil
	err    error
	ran    uint64
	tally
}

// search runs schedules from a seed on, on all cores, until one fails.
func search(first, schedules uint64, broken duty) result {
	return searchUntil(time.Time{}, first, schedules, broken)
}

// searchUntil is search, and ends at some time; the zero Time is none.
func searchUntil(end time.Time, first, schedules uint64, broken duty) result {
	var next, stop atomic.Uint64
	var mu sync.Mutex
	var group sync.WaitGroup
	var all result
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			var mine result
			for stop.Load() == 0 && mine.failed == nil {
				i := next.Add(1) - 1
				if i >= schedules || i%64 == 63 && !end.IsZero() && time.Now().After(end) {
					break
				}
				p := planOf(first + i)
				mine.ran++
				if mine.err = try(p, broken, &mine.tally, nil); mine.err != nil {
					mine.failed = p
					stop.Store(1)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all.ran += mine.ran
			all.add(&mine.tally)
			if mine.failed != nil && (all.failed == nil || mine.failed.seed < all.failed.seed) {
				all.failed, all.err = mine.failed, mine.err
			}
		})
	}
	group.Wait()
	return all
}

// try runs one plan.
func try(p *plan, broken duty, t *tally, trace *strings.Builder) error {
	w := newWorld(p)
	w.broken, w.trace = broken, trace
	err := w.run()
	if t != nil {
		t.add(&w.tally)
	}
	return err
}

// report shrinks a failing plan and gives its trace.
func report(p *plan, broken duty) string {
	small := shrink(p, broken)
	var trace strings.Builder
	err := try(small, broken, nil, &trace)
	return err.Error() + "\n\n" + trace.String() + "\n" + small.String()
}

// TestSchedules searches for a schedule that breaks a rule, and tells whether
// the search came across everything that it is meant to try.
func TestSchedules(t *testing.T) {
	first := number(t, "ODIN_SIM_SEED", 1)
	schedules := number(t, "ODIN_SIM_SCHEDULES", usualSchedules)
	found := searchUntil(soak(t, &schedules), first, schedules, allDuties)
	if p := found.failed; p != nil && os.Getenv(terse) != "" {
		t.Fatalf("seed %d fails after %d: %v", p.seed, found.ran, found.err)
	} else if p != nil {
		t.Fatalf("seed %d fails: %s", p.seed, report(p, allDuties))
	}
	t.Logf("%d schedules: %s", found.ran, &found.tally)
	if found.ran >= 10_000 {
		found.require(t, 20)
	}
}

// soak is when a search that is to take some time ends, whatever it has tried.
func soak(t *testing.T, schedules *uint64) (end time.Time) {
	t.Helper()
	text := os.Getenv("ODIN_SIM_FOR")
	if text == "" {
		return end
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("ODIN_SIM_FOR: %v", err)
	}
	*schedules = 1 << 62
	return time.Now().Add(d)
}
