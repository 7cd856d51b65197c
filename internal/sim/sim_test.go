package sim

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
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

// search runs schedules from a seed on, on all cores, until one fails.
func search(first, schedules uint64, broken duty) (failed *plan, ran uint64) {
	var next, stop atomic.Uint64
	var mu sync.Mutex
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for stop.Load() == 0 {
				i := next.Add(1) - 1
				if i >= schedules {
					return
				}
				p := planOf(first + i)
				if try(p, broken, nil) == nil {
					continue
				}
				stop.Store(1)
				mu.Lock()
				if failed == nil || p.seed < failed.seed {
					failed = p
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return failed, min(next.Load(), schedules)
}

// try runs one plan.
func try(p *plan, broken duty, trace *strings.Builder) error {
	w := newWorld(p)
	w.broken, w.trace = broken, trace
	return w.run()
}

// report shrinks a failing plan and gives its trace.
func report(p *plan, broken duty) string {
	small := shrink(p, broken)
	var trace strings.Builder
	err := try(small, broken, &trace)
	return err.Error() + "\n\n" + trace.String() + "\n" + small.String()
}

func TestSchedules(t *testing.T) {
	first := number(t, "ODIN_SIM_SEED", 1)
	schedules := number(t, "ODIN_SIM_SCHEDULES", 20_000)
	failed, ran := search(first, schedules, allDuties)
	if failed != nil {
		t.Fatalf("seed %d fails: %s", failed.seed, report(failed, allDuties))
	}
	t.Logf("%d schedules", ran)
}
