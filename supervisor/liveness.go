package supervisor

import "time"

// verdict is what a worker's heartbeat says of it.
type verdict int

const (
	alive   verdict = iota
	suspect         // its partitions are elected anew
	dead            // dumped and killed
)

// String is the verdict in logs.
func (v verdict) String() string { return [...]string{"alive", "suspect", "dead"}[v] }

// lateBeats is how many beats a poll may come after the one before it and
// still count as on time.
const lateBeats = 5

// liveness watches heartbeats (rule 13 of docs/DESIGN.md). It counts its own
// polls, not time: a heartbeat is stale by as many on-time polls as found it
// unchanged. When a poll is late, the machine or the supervisor stood still,
// perhaps the workers with it, and everything counted before proves nothing.
type liveness struct {
	beat         time.Duration // between polls
	suspectPolls int
	deadPolls    int

	last   time.Time     // of the last poll
	gap    time.Duration // between the last two, as far as it counts
	pulses []pulse
}

// pulse is one slot's heartbeat.
type pulse struct {
	count  uint64
	stale  int           // on-time polls that found count unchanged
	silent time.Duration // since count changed, as we have seen it
}

func newLiveness(slots int, beat, suspectAfter, deadAfter time.Duration) *liveness {
	l := &liveness{pulses: make([]pulse, slots)}
	l.pace(beat, suspectAfter, deadAfter)
	return l
}

// pace sets the bounds; with another beat, what was counted in the old one
// counts for nothing.
func (l *liveness) pace(beat, suspectAfter, deadAfter time.Duration) {
	if beat != l.beat {
		l.forget()
	}
	l.beat = beat
	l.suspectPolls = polls(suspectAfter, beat)
	l.deadPolls = max(polls(deadAfter, beat), l.suspectPolls+1)
}

func (l *liveness) forget() {
	for i := range l.pulses {
		l.pulses[i].stale = 0
	}
}

// polls is how many beats a time has, rounded up, at least one.
func polls(d, beat time.Duration) int { return max(1, int((d+beat-1)/beat)) }

// begin starts a poll of all slots: all counts restart if it is late.
func (l *liveness) begin(now time.Time) (late bool) {
	late = !l.last.IsZero() && now.Sub(l.last) > lateBeats*l.beat
	l.gap, l.last = min(now.Sub(l.last), lateBeats*l.beat), now
	if late {
		l.forget()
	}
	return late
}

// restart forgets what was counted of a slot: a new worker runs in it.
func (l *liveness) restart(slot int) { l.pulses[slot].stale, l.pulses[slot].silent = 0, 0 }

// silence is how long a slot's worker has not beaten. Unlike a verdict it goes
// on counting over late polls, a bounded part of each: a machine that stood
// still adds next to nothing, one on which every poll is late can't hide a
// silence for ever.
func (l *liveness) silence(slot int) time.Duration { return l.pulses[slot].silent }

// look takes the beats that a slot's worker has counted, once a poll.
func (l *liveness) look(slot int, count uint64) verdict {
	p := &l.pulses[slot]
	if p.count != count {
		*p = pulse{count: count}
		return alive
	}
	p.stale++
	p.silent += l.gap
	switch {
	case p.stale > l.deadPolls:
		return dead
	case p.stale > l.suspectPolls:
		return suspect
	}
	return alive
}
