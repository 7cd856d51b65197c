//go:build faults

package worker

// faulty begins the channels by which clients have the program fault: one that
// subscribed to FAULT.request at its next request, and so on; FAULT.turn ends
// the worker, and stuck has its loop stand still.
const (
	faulty = "FAULT."
	stuck  = "FAULT.stuck"
)

// provoked is for tests of whole processes alone.
func provoked() func(*process, site, *session) {
	return func(p *process, at site, s *session) {
		if s == nil && at == inTurn && p.awaited(stuck) {
			select {}
		}
		channel := faulty + string(at)
		if s == nil && p.awaited(channel) || s != nil && p.hub.Has(&s.subs, s.index, []byte(channel)) {
			panic("provoked in a " + string(at))
		}
	}
}

// awaited tells whether somebody subscribed to the very channel.
func (p *process) awaited(channel string) bool {
	for _, l := range p.hub.Match(nil, []byte(channel)) {
		if l.Pattern() == channel {
			return true
		}
	}
	return false
}
