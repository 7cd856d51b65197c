package demo

import "time"

// behindMax is how far Produce may fall behind before it lets the missed
// events go: after a stop of the process, nobody wants them in one burst.
const behindMax = time.Second

// pace says when events are due at a rate.
type pace struct {
	start time.Time
	each  float64 // seconds between two events
	made  int64
}

func newPace(rate float64, now time.Time) *pace {
	return &pace{start: now, each: asked / (rate * weights)}
}

// due counts the events that are due at now and not yet made; at is when the
// next one will be.
func (p *pace) due(now time.Time) (n int64, at time.Time) {
	n = int64(now.Sub(p.start).Seconds()/p.each) - p.made
	if late := time.Duration(float64(n-1) * p.each * float64(time.Second)); late > behindMax {
		n = max(1, int64(behindMax.Seconds()/p.each))
		p.start, p.made = now, -n
	}
	p.made += n
	return n, p.start.Add(time.Duration(float64(p.made+1) * p.each * float64(time.Second)))
}
