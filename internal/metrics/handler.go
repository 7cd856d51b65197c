package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/odin-ws/odin/shm"
)

// scrapesMax bounds the scrapes that are answered at once; more get 503.
const scrapesMax = 4

// Handler answers /metrics for the segment, as Prometheus text or OpenMetrics,
// whichever the client asks for. It never compresses: that would cost several
// times the rest of a scrape.
func Handler(segment *shm.Segment) http.Handler {
	return promhttp.HandlerFor(New(segment), promhttp.HandlerOpts{
		EnableOpenMetrics:   true,
		DisableCompression:  true,
		MaxRequestsInFlight: scrapesMax,
	})
}
