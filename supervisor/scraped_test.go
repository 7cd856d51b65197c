package supervisor

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/odin-ws/odin/internal/metrics"
	"github.com/odin-ws/odin/shm"
)

func TestScrapesAreCounted(t *testing.T) {
	s := newStage(t, 1)
	p := s.segment.Process()
	get := func(h http.Handler) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return w.Code
	}
	for range 3 {
		if code := get(scraped(p, metrics.Handler(s.segment))); code != http.StatusOK {
			t.Fatalf("status %d", code)
		}
	}
	took := p.Counter(shm.ScrapeTime)
	if n := p.Counter(shm.Scrapes); n != 3 || took == 0 {
		t.Errorf("%d scrapes, %d ns", n, took)
	}
	full := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	get(scraped(p, full))
	if p.Counter(shm.ScrapesRefused) != 1 || p.Counter(shm.Scrapes) != 3 || p.Counter(shm.ScrapeTime) != took {
		t.Error("a refused scrape is not counted as one")
	}
}
