package supervisor

import (
	"net/http"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/shm"
)

func TestMost(t *testing.T) {
	for _, c := range []struct {
		value, limit float64
		set          bool
		want         string
	}{
		{0, 0, true, healthy},
		{1e9, 0, true, healthy}, // no limit
		{89, 100, true, healthy},
		{90, 100, true, degraded},
		{99, 100, false, degraded},
		{100, 100, true, overloaded},
		{100, 100, false, degraded}, // the machine's own limit: that is what it is there for
		{500, 100, false, degraded},
	} {
		got := most(c.value, c.limit, c.set, "things")
		if got.Status != c.want || (got.Reason == "") != (c.want == healthy) {
			t.Errorf("%v of %v (set: %v): %+v, want %s", c.value, c.limit, c.set, got, c.want)
		}
	}
}

// diagnosis of a stage whose workers are ready, after change.
func diagnosis(t *testing.T, change func(*stage, *physician)) Health {
	t.Helper()
	s := readied(t, false)
	p := newPhysician(s.segment, s.limits, 2, 1<<30)
	for slot := range s.live {
		s.segment.Slot(slot).Block(1).Set(shm.SourceHealthy, 1)
	}
	change(s, p)
	return p.diagnose(s.readiness.Load(), shm.Now())
}

func TestHealth(t *testing.T) {
	block := func(s *stage) *shm.Block { return s.segment.Slot(0).Block(1) }
	for _, c := range []struct {
		name   string
		change func(*stage, *physician)
		check  string // that is not healthy
		status string
		code   int
	}{
		{"all is well", func(*stage, *physician) {}, "", healthy, http.StatusOK},
		{"full", func(s *stage, _ *physician) {
			block(s).Set(shm.Sessions, int64(s.limits.ConnectionsMax))
		}, "capacity", overloaded, http.StatusServiceUnavailable},
		{"nearly full", func(s *stage, _ *physician) {
			block(s).Set(shm.Sessions, int64(s.limits.ConnectionsMax)*95/100)
		}, "capacity", degraded, http.StatusOK},
		{"much of the control group's memory", func(s *stage, _ *physician) {
			block(s).Set(shm.ResidentBytes, 1<<30)
		}, "memory", degraded, http.StatusOK},
		{"beyond the configured memory", func(s *stage, p *physician) {
			p.follow(config.Limits{MemoryBytesMax: 1 << 30})
			block(s).Set(shm.ResidentBytes, 1<<30)
		}, "memory", overloaded, http.StatusServiceUnavailable},
		{"too many goroutines", func(s *stage, p *physician) {
			p.follow(config.Limits{GoroutinesMax: 100})
			block(s).Set(shm.Goroutines, 100)
		}, "goroutines", overloaded, http.StatusServiceUnavailable},
		{"no room for the state", func(s *stage, _ *physician) {
			s.segment.Process().Set(shm.StateUnwritten, 1)
		}, "state", degraded, http.StatusOK},
		{"all cores busy", func(s *stage, p *physician) {
			p.measure(time.Unix(1000, 0))
			block(s).Add(shm.CPUUser, uint64(2*time.Second))
			p.measure(time.Unix(1001, 0))
		}, "cpu", degraded, http.StatusOK},
		{"a worker is gone", func(s *stage, _ *physician) {
			s.dies(1)
		}, "workers", degraded, http.StatusOK},
		{"all workers are gone", func(s *stage, _ *physician) {
			s.dies(0)
			s.dies(1)
		}, "workers", overloaded, http.StatusServiceUnavailable},
		{"no broker", func(s *stage, _ *physician) {
			s.says(1, sick("connection refused"))
		}, "kafka", degraded, http.StatusOK},
		{"a topic is missing", func(s *stage, _ *physician) {
			s.says(0, lacks("odin.social"))
		}, "kafka", degraded, http.StatusOK},
		{"draining", func(s *stage, _ *physician) { s.drain(time.Minute) }, "workers", draining, http.StatusServiceUnavailable},
		{"stopping", func(s *stage, _ *physician) { s.stop("terminated") }, "workers", draining, http.StatusServiceUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := diagnosis(t, c.change)
			if h.Status != c.status || h.code() != c.code {
				t.Errorf("%s (%d), want %s (%d): %+v", h.Status, h.code(), c.status, c.code, h.Checks)
			}
			for name, check := range h.Checks {
				if (check.Status != healthy) != (name == c.check) {
					t.Errorf("check %s: %+v", name, check)
				}
			}
		})
	}
}

// TestCoresAreAveraged over the last few measurements, not since the start.
func TestCoresAreAveraged(t *testing.T) {
	s := newStage(t, 1)
	p := newPhysician(s.segment, s.limits, 2, 0)
	for i := range 20 {
		p.measure(time.Unix(int64(1000+i), 0))
		if i >= 10 {
			s.segment.Slot(0).Block(1).Add(shm.CPUUser, uint64(500*time.Millisecond))
		}
	}
	if got := p.diagnose(s.readiness.Load(), shm.Now()).Checks["cpu"].Value; got != 0.5 {
		t.Fatalf("%v cores, want 0.5", got)
	}
}
