package loop

import (
	"time"

	"golang.org/x/sys/unix"
)

// usualSlack is the kernel's usual timer slack.
const usualSlack = 50 * time.Microsecond

// Exact takes from the calling thread the slack of its timers that the process
// was given: what a loop rests for is shorter than that. Lock the thread first.
func Exact() {
	// Without it a rest is longer.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(usualSlack), 0, 0, 0)
}
