package supervisor

import "time"

// backoff says when a slot's next worker may start, and when to give up.
type backoff struct {
	first, max  time.Duration
	jitter      int // percent, either way
	reset       time.Duration
	attemptsMax int

	attempts int // respawns in a row
}

// next is asked when a worker has ended that was up for so long. random is in
// [0,1). The first respawn in a row is at once; after attemptsMax of them the
// slot is given up.
func (b *backoff) next(up time.Duration, random float64) (wait time.Duration, giveUp bool) {
	if up >= b.reset {
		b.attempts = 0
	}
	if b.attempts >= b.attemptsMax {
		return 0, true
	}
	b.attempts++
	if b.attempts == 1 {
		return 0, false
	}
	wait = b.first
	for range b.attempts - 2 {
		if wait >= b.max {
			break
		}
		wait *= 2
	}
	wait = min(wait, b.max)
	spread := float64(b.jitter) / 100 * (2*random - 1)
	return wait + time.Duration(float64(wait)*spread), false
}
