package metrics

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/shm"
)

func scrape(t testing.TB, h http.Handler, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	equal(t, "status", w.Code, http.StatusOK)
	equal(t, "encoding", w.Header().Get("Content-Encoding"), "")
	return w
}

func TestHandlerSpeaksPrometheusText(t *testing.T) {
	h := Handler(busy(t, 2, 1))
	for _, accept := range []string{"", "*/*", "text/plain;version=0.0.4"} {
		w := scrape(t, h, accept)
		if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/plain; version=0.0.4") {
			t.Errorf("content type %q", got)
		}
		for _, line := range []string{
			"# TYPE odin_deliveries_total counter",
			"# TYPE odin_delivery_latency_seconds histogram",
			`odin_connections_accepted_total{worker="1"} 1e+09`,
			`odin_delivery_latency_seconds_bucket{worker="0",le="0.0015"} 5`,
			`odin_delivery_latency_seconds_bucket{worker="0",le="+Inf"} 5`,
			`odin_build_info{code="v1.4.0"} 1`,
			`odin_partition_position{partition="0",topic="odin.trades"} 1.2345678e+07`,
		} {
			if !strings.Contains(w.Body.String(), line+"\n") {
				t.Errorf("no %q", line)
			}
		}
	}
}

func TestHandlerSpeaksOpenMetrics(t *testing.T) {
	w := scrape(t, Handler(busy(t, 2, 1)), "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/openmetrics-text; version=1.0.0") {
		t.Errorf("content type %q", got)
	}
	for _, line := range []string{"# TYPE odin_deliveries counter", `odin_deliveries_total{worker="0"} `} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %q", line)
		}
	}
	if !strings.HasSuffix(w.Body.String(), "# EOF\n") {
		t.Error("no end")
	}
}

// Each scrape reads the segment as it is then.
func TestHandlerIsNeverStale(t *testing.T) {
	seg := newSegment(t, 1, 0)
	h := Handler(seg)
	scrape(t, h, "")
	seg.Slot(0).Block(0).Add(shm.Turns, 7)
	if !strings.Contains(scrape(t, h, "").Body.String(), "odin_turns_total{worker=\"0\"} 7\n") {
		t.Error("the turns are not there")
	}
}

// Ten milliseconds of CPU time, so that a busy machine changes nothing.
func TestScrapeIsCheap(t *testing.T) {
	h := Handler(busy(t, 16, 96))
	scrape(t, h, "") // the first one allocates the tables of the library
	const times = 20
	best := time.Hour
	for range times {
		begin := cpuTime(t)
		scrape(t, h, "")
		best = min(best, cpuTime(t)-begin)
	}
	t.Logf("a scrape of 16 workers and 96 partitions: %s", best)
	if best > 10*time.Millisecond*raceCost {
		t.Errorf("a scrape of 16 workers and 96 partitions costs %s", best)
	}
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used unix.Timespec
	must(t, unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &used))
	return time.Duration(used.Nano())
}

func BenchmarkScrape(b *testing.B) {
	h := Handler(busy(b, 16, 96))
	for b.Loop() {
		scrape(b, h, "")
	}
}

// A scraper's way: a connection that stays, OpenMetrics, the whole body.
func BenchmarkScrapeOverHTTP(b *testing.B) {
	server := httptest.NewServer(Handler(busy(b, 16, 96)))
	defer server.Close()
	r, err := http.NewRequest(http.MethodGet, server.URL, nil)
	must(b, err)
	r.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	for b.Loop() {
		resp, err := server.Client().Do(r)
		must(b, err)
		n, err := io.Copy(io.Discard, resp.Body)
		must(b, err)
		resp.Body.Close()
		b.SetBytes(n)
	}
}
