package supervisor

import (
	"net/http"
	"time"

	"github.com/odin-ws/odin/shm"
)

// scraped counts the scrapes, and what they cost.
func scraped(p *shm.Process, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		answer := &answered{ResponseWriter: w}
		next.ServeHTTP(answer, r)
		if answer.code == http.StatusServiceUnavailable {
			p.Add(shm.ScrapesRefused, 1)
			return
		}
		p.Add(shm.ScrapeTime, uint64(time.Since(began)))
		p.Add(shm.Scrapes, 1)
	})
}

// answered remembers the status of an answer; 0: not said, which is 200.
type answered struct {
	http.ResponseWriter
	code int
}

// WriteHeader notes the status.
func (a *answered) WriteHeader(code int) {
	a.code = code
	a.ResponseWriter.WriteHeader(code)
}
