package e2e

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// Deadlines that only a failure meets; the machine may be very busy.
const (
	soon   = 30 * time.Second
	longer = 3 * time.Minute
)

// pollEvery is how often a condition is looked at that nobody announces.
const pollEvery = 20 * time.Millisecond

// eventually waits until done says true; what it says besides is shown when it
// never does.
func eventually(t testing.TB, within time.Duration, what string, done func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		ok, detail := done()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s: %s", within, what, detail)
		}
		time.Sleep(pollEvery)
	}
}

var hosts atomic.Int32

// nextHost is a loopback address that nothing else uses.
func nextHost() string {
	n := int(hosts.Add(1))
	return fmt.Sprintf("127.%d.%d.%d", 20+os.Getpid()%200, n/250, 1+n%250)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustDo[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}
