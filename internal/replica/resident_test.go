//go:build !race

package replica

import (
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// resident is what the kernel holds of the process, once Go has given back all
// that it needn't have.
func resident(t *testing.T) int64 {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestResidentMemoryIsWithinTheBound: a history of the default size takes, of the
// machine's memory, what it says and its bound, within 5 %, and gives it back with
// its records. (The race detector has memory of its own for each byte.)
func TestResidentMemoryIsWithinTheBound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	before := resident(t)
	s := NewStore(Limits{Records: 1 << 30, Age: time.Hour})
	bound := s.BytesMax()
	fillUp(s, 96, func() int { return 150 + random.IntN(200) }, 3*bound/2)
	took, st := resident(t)-before, s.Stats()
	t.Logf("%d records: the kernel holds %d KiB, the history says %d, its bound is %d", st.Records, took>>10, st.Bytes>>10, bound>>10)
	if !near(took, st.Bytes) || !near(took, bound) || st.Evicted == 0 {
		t.Errorf("%d bytes are resident, the history says %+v, the bound is %d", took, st, bound)
	}
	s.Evict(s.now + time.Hour.Milliseconds() + 1)
	if left := resident(t) - before; left > s.limits.headroom()+bound/20 {
		t.Errorf("emptied, %d bytes are resident, and %d are spare", left, s.Stats().Spare)
	}
	runtime.KeepAlive(s)
}
