//go:build faults

package worker

// faulty begins the channels by which clients have the program fault: one that
// subscribed to FAULT.request at its next request, and so on; FAULT.turn ends
// the worker.
const faulty = "FAULT."

// provoked is for tests of whole processes alone.
func provoked() func(*process, site, *session) {
	return func(p *process, at site, s *session) {
		channel := []byte(faulty + string(at))
		if s == nil && len(p.hub.Match(nil, channel)) > 0 || s != nil && p.hub.Has(&s.subs, s.index, channel) {
			panic("provoked in a " + string(at))
		}
	}
}
