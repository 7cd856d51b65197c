package worker

import (
	"sort"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// farewell closes all sessions over a window: one at a random instant in each
// of as many equal slices as there are sessions, so that the rate is flat and
// the returns are spread.
type farewell struct {
	over     bool // a farewell goes on
	reason   string
	due      []parting // by time
	next     int
	deadline int64 // monotonic ns: what is left then is cut off
}

type parting struct {
	at    int64
	token uint64
}

// begin plans the closes of all sessions. grace is how long the last of them
// may take behind the window.
func (f *farewell) begin(p *process, window, grace time.Duration, reason string) {
	if f.over {
		return
	}
	f.over, f.reason, f.next = true, reason, 0
	f.deadline = p.now + int64(window+grace)
	p.sessions.each(func(s *session) {
		if s.stage == open {
			f.due = append(f.due, parting{token: s.token()})
		}
	})
	p.random.Shuffle(len(f.due), func(i, j int) { f.due[i], f.due[j] = f.due[j], f.due[i] })
	if slice := int64(window) / int64(max(len(f.due), 1)); slice > 0 {
		for i := range f.due {
			f.due[i].at = p.now + int64(i)*slice + p.random.Int64N(slice)
		}
	}
	sort.Slice(f.due, func(i, j int) bool { return f.due[i].at < f.due[j].at })
}

// late closes a session that came while the others already go.
func (f *farewell) late(p *process, s *session) {
	if f.over {
		p.leaveWith(s, f.reason)
	}
}

// leaveWith closes with 1001 and the window in which to come back.
func (p *process) leaveWith(s *session, reason string) {
	lim := &p.config.Limits
	p.close(s, wire.CloseGoingAway, func(dst []byte) []byte {
		return wire.AppendClose(dst, wire.CloseGoingAway, reason, lim.RetryMin, lim.RetryMax)
	})
}

// stop begins the end of the process.
func (p *process) stop(window time.Duration) {
	if p.state == shm.Gone || p.farewell.over {
		return
	}
	p.enter(shm.Draining)
	lim := &p.config.Limits
	grace := max(min(lim.CloseLinger+time.Second, lim.OrphanStopMax-window), 0)
	p.farewell.begin(p, window, grace, "shutting_down")
	p.sayFarewells()
}

// sayFarewells closes the sessions that are due, and ends the process when
// none is left.
func (p *process) sayFarewells() {
	f := &p.farewell
	if !f.over {
		return
	}
	now := p.clock()
	for ; f.next < len(f.due) && f.due[f.next].at <= now; f.next++ {
		if s := p.sessions.find(f.due[f.next].token); s != nil {
			p.leaveWith(s, f.reason)
		}
	}
	if now >= f.deadline {
		p.sessions.each(func(s *session) { p.abort(s) })
	} else if p.sessions.live > 0 || p.doors.coming.Load() > 0 {
		return
	}
	p.report(control.Message{Type: control.Stopped})
	p.enter(shm.Gone)
}
