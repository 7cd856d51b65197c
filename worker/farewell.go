package worker

import (
	"math/rand/v2"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// farewell has all sessions leave over a window, each with a window of its own
// in which to come back. A drain and a stop differ in their end alone: behind a
// stop's the process ends, behind a drain's it waits for being undrained.
type farewell struct {
	on       bool
	last     bool   // the process ends with it
	reason   string // of the closes
	due      []parting
	next     int   // of due
	end      int64 // of the window, monotonic ns
	deadline int64 // of a last one, monotonic ns: who is left then is cut off
}

// parting is when one session is closed.
type parting struct {
	at    int64 // monotonic ns
	token uint64
}

// partingsApart is the least time between two turns that only close sessions:
// a farewell is as fine as this, and costs no more turns.
const partingsApart = time.Millisecond

// plan has every session leave once: one, whichever it is, at a random instant
// in each of as many equal slices of the window as there are sessions. So the
// rate is flat by construction, and nobody can tell when a session's turn is.
func plan(tokens []uint64, from int64, window time.Duration, random *rand.Rand) []parting {
	random.Shuffle(len(tokens), func(i, j int) { tokens[i], tokens[j] = tokens[j], tokens[i] })
	due := make([]parting, len(tokens))
	for i, token := range tokens {
		begin, end := boundary(i, len(tokens), window), boundary(i+1, len(tokens), window)
		due[i] = parting{at: from + begin, token: token}
		if end > begin {
			due[i].at += random.Int64N(end - begin)
		}
	}
	return due
}

// boundary is where the i-th of n slices of the window begins: i*window/n,
// without its overflow.
func boundary(i, n int, window time.Duration) int64 {
	whole, rest := int64(window)/int64(n), int64(window)%int64(n)
	return int64(i)*whole + int64(i)*rest/int64(n)
}

// begin plans the leave of all sessions. What was planned before is forgotten.
func (f *farewell) begin(p *process, window time.Duration, reason string) {
	var tokens []uint64
	p.sessions.each(func(s *session) {
		if s.stage == open {
			tokens = append(tokens, s.token())
		}
	})
	*f = farewell{on: true, reason: reason, due: plan(tokens, p.now, window, p.random), end: p.now + int64(window)}
}

// alarm is when the loop has to turn, at the latest: not later than it was
// going to.
func (f *farewell) alarm(p *process, at int64) int64 {
	if f.next == len(f.due) {
		return at
	}
	return min(at, max(f.due[f.next].at, p.now+int64(partingsApart)))
}

// drain closes the sessions over a window and takes no more, until undrain. A
// worker that is not ready yet will be draining instead.
func (p *process) drain(window time.Duration) {
	if p.state == shm.Gone || p.farewell.last {
		return
	}
	if p.state == shm.Ready {
		p.enter(shm.Draining)
	}
	p.farewell.begin(p, window, "draining")
}

// undrain takes sessions again; those that are left stay.
func (p *process) undrain() {
	if !p.farewell.on || p.farewell.last {
		return
	}
	p.farewell = farewell{}
	if p.state == shm.Draining {
		p.enter(shm.Ready)
	}
}

// stop begins the end of the process, whether or not it drains.
func (p *process) stop(window time.Duration) {
	if p.state == shm.Gone || p.farewell.last {
		return
	}
	p.enter(shm.Draining)
	p.farewell.begin(p, window, "shutting_down")
	lim := &p.config.Limits
	grace := max(min(lim.CloseLinger+time.Second, lim.OrphanStopMax-window), 0)
	p.farewell.last, p.farewell.deadline = true, p.farewell.end+int64(grace)
}

// sayFarewells closes the sessions that are due, behind all that they are owed.
func (p *process) sayFarewells() {
	f := &p.farewell
	if f.next == len(f.due) {
		return
	}
	for now := p.clock(); f.next < len(f.due) && f.due[f.next].at <= now; f.next++ {
		if s := p.sessions.find(f.due[f.next].token); s != nil {
			p.sendAway(s, f.reason)
		}
	}
}

func (p *process) sendAway(s *session, reason string) {
	defer p.contain(s)
	lim := &p.config.Limits
	p.blame(s, control.Ending(reason), "")
	p.close(s, wire.CloseGoingAway, func(dst []byte) []byte {
		return wire.AppendClose(dst, wire.CloseGoingAway, reason, lim.RetryMin, lim.RetryMax)
	})
}

// depart ends the process when the last session has left, or had the time to.
func (p *process) depart(now int64) {
	f := &p.farewell
	if !f.last || p.state == shm.Gone {
		return
	}
	if now >= f.deadline {
		p.sessions.each(func(s *session) { p.abort(s) })
	} else if p.sessions.live > 0 {
		return
	}
	p.report(control.Message{Type: control.Stopped})
	p.enter(shm.Gone)
}
