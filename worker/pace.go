package worker

import "math"

// pace lets so many a second go on. What is more waits where it is: nothing is
// dropped. What goes in one piece may overdraw it, and what follows waits longer.
type pace struct {
	left float64 // how many might still go then
	at   int64   // monotonic ns
}

// paceBurst is how much of a second's worth may have been saved up.
const paceBurst = 0.1

// room is how many may go at a time. 0 a second is no limit; what went without
// one isn't held against a later limit.
func (a *pace) room(now int64, perSecond int) int {
	if perSecond == 0 {
		*a = pace{}
		return math.MaxInt
	}
	rate := float64(perSecond)
	most := max(1, rate*paceBurst)
	if a.at == 0 {
		a.left = most
	} else {
		a.left = min(most, a.left+float64(now-a.at)/1e9*rate)
	}
	a.at = now
	return max(0, int(a.left))
}

// spend takes n off what may go.
func (a *pace) spend(n int) { a.left -= float64(n) }

// alarm is when there is room again, at the latest at a time.
func (a *pace) alarm(at int64, perSecond int) int64 {
	if perSecond == 0 || a.left >= 1 {
		return at
	}
	wait := (1 - a.left) / float64(perSecond) * 1e9
	return min(at, a.at+int64(min(wait, 1e9))+1)
}

// paces are those that limits.fetch_records_per_s_max and
// limits.deliver_records_per_s_max set.
type paces struct{ fetch, deliver pace }

// mayFetch tells whether one more fetch may be taken over now.
func (p *process) mayFetch() bool {
	return p.paces.fetch.room(p.clock(), p.config.Limits.FetchRecordsMax) > 0
}

// deliverable is how many records may be given to sessions now.
func (p *process) deliverable() int {
	return p.paces.deliver.room(p.clock(), p.config.Limits.DeliverRecordsMax)
}

// congested tells that nothing more is to come into the history: it is full, or
// its records may go on to sessions only so fast. What isn't taken waits where it
// lies, at the broker or in the owner's history.
func (p *process) congested() bool {
	limited := p.config.Limits.DeliverRecordsMax > 0
	return p.store.Full() || limited && (len(p.waiting) > 0 || p.deliverable() == 0)
}

// alarm is when the loop has something to do that nothing announces.
func (p *process) alarm() int64 {
	lim, at := &p.config.Limits, p.farewell.alarm(p, p.ticked+int64(tick))
	at = p.paces.fetch.alarm(at, lim.FetchRecordsMax)
	return p.paces.deliver.alarm(at, lim.DeliverRecordsMax)
}
