package shm

import "strconv"

// State is where a worker, or odind as a whole, stands.
type State uint32

// The states, in the order in which a worker passes through them.
const (
	Empty    State = iota // nothing was ever started here
	Starting              // running, but takes no clients yet
	Ready                 // takes clients
	Draining              // takes no more clients and lets go of the ones it has
	Gone                  // its process has ended
	stateCount
)

// String gives the name that operators see.
func (s State) String() string {
	names := [stateCount]string{"empty", "starting", "ready", "draining", "gone"}
	if s >= stateCount {
		return "unknown(" + strconv.FormatUint(uint64(s), 10) + ")"
	}
	return names[s]
}
