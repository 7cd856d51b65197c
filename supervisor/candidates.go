package supervisor

import "github.com/odin-ws/odin/internal/election"

// view is what decisions need to know of one slot. The zero view is a slot
// without a process.
type view struct {
	alive      bool // has a process
	generation uint32
	ready      bool // accepts
	suspect    bool
	sick       bool // its source is, others may not be, and that has settled
	founder    bool // started when nobody was ready: may own before it is ready
}

func (v view) sound() bool { return v.alive && !v.suspect }

// candidates are the workers that may own partitions, the best kind there is:
// somebody must, whatever the state of all of them. A worker that starts
// beside ready ones waits until it is ready, for it would only hold up what
// they do at once; but at the very start somebody must be first, because a
// worker becomes ready only once it knows every position.
func candidates(views []view) []election.Candidate {
	for _, may := range []func(view) bool{
		func(v view) bool { return v.sound() && (v.ready || v.founder) && !v.sick },
		func(v view) bool { return v.sound() && (v.ready || v.founder) },
		view.sound,
		func(v view) bool { return v.alive },
	} {
		if chosen := those(views, may); len(chosen) > 0 {
			return chosen
		}
	}
	return nil
}

func those(views []view, may func(view) bool) (chosen []election.Candidate) {
	for slot, v := range views {
		if may(v) {
			chosen = append(chosen, election.Candidate{Slot: slot, Generation: v.generation})
		}
	}
	return chosen
}

// nobody is the slot of nobody.
const nobody = -1

// scout is the slot that should watch the topology: the present one while it
// is sound and not sick beside a healthy one, else the lowest of the best
// kind.
func scout(views []view, present int) int {
	for _, may := range []func(view) bool{
		func(v view) bool { return v.sound() && !v.sick && v.ready },
		func(v view) bool { return v.sound() && !v.sick },
		view.sound,
	} {
		chosen := those(views, may)
		if len(chosen) == 0 {
			continue
		}
		if present != nobody && views[present].sound() && (!views[present].sick || views[chosen[0].Slot].sick) {
			return present
		}
		return chosen[0].Slot
	}
	return nobody
}
