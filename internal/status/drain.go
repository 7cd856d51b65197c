package status

import (
	"strings"
	"time"

	"github.com/odin-ws/odin/internal/text"
	"github.com/odin-ws/odin/shm"
)

// Drain is how far a drain of all of odind is.
type Drain struct {
	// StartedTS is when it was begun, in milliseconds since 1970.
	StartedTS int64 `json:"started_ts"`
	// OverS is the seconds from then to the last close that is planned. They
	// change when a drain that goes on gets another window.
	OverS float64 `json:"over_s"`
	// ElapsedS is the seconds since it was begun.
	ElapsedS float64 `json:"elapsed_s"`
	// EtaS is the seconds until the last close that is planned, 0 when that is
	// past or no session is left.
	EtaS float64 `json:"eta_s"`
	// SessionsAtStart is how many there were.
	SessionsAtStart int64 `json:"sessions_at_start"`
	// SessionsClosed is how many of them are gone, in whatever way.
	SessionsClosed int64 `json:"sessions_closed"`
	// SessionsLeft is how many there are.
	SessionsLeft int64 `json:"sessions_left"`
	// Done: no session is left, and no worker takes one. It goes on to refuse
	// new ones until undrain.
	Done bool `json:"done"`
}

// readDrain is nil while there is none: also while odind stops.
func readDrain(seg *shm.Segment, now shm.Clock, workers []Worker, sessions int64) *Drain {
	p := seg.Process()
	start, end, before := p.Gauge(shm.DrainStart), p.Gauge(shm.DrainEnd), p.Gauge(shm.DrainSessions)
	if start == 0 {
		return nil
	}
	d := &Drain{
		StartedTS: start / int64(time.Millisecond), OverS: seconds(time.Duration(max(0, end-start))), ElapsedS: since(start, now),
		SessionsAtStart: before, SessionsClosed: max(0, before-sessions), SessionsLeft: sessions,
		Done: sessions == 0,
	}
	for _, w := range workers {
		// One that is ready has not heard of it yet. The state was read before the
		// sessions, and a worker counts those before it is draining.
		d.Done = d.Done && w.State != Ready
	}
	if !d.Done {
		d.EtaS = seconds(time.Duration(max(0, end-now.Wall)))
	}
	return d
}

// Words is the progress for people.
func (d *Drain) Words() string { return strings.Join(d.facts(), ", ") }

func (d *Drain) facts() []string {
	closed := text.Grouped(d.SessionsClosed) + " of " + text.Plural(max(d.SessionsAtStart, d.SessionsLeft), "session") + " closed"
	if d.Done {
		return []string{closed, "none left"}
	}
	next := "the last close is due"
	if d.EtaS > 0 {
		next = text.Duration(d.EtaS) + " to go"
	}
	return []string{closed, text.Grouped(d.SessionsLeft) + " left", text.Duration(d.ElapsedS) + " gone", next}
}
