package worker

// site is where a test can have something fault.
type site string

// The sites. All but the last two are within the serving of one session.
const (
	inRequest site = "request"
	inApply   site = "apply"
	inWrite   site = "write"
	inTimer   site = "timer"
	inCall    site = "call"
	inTurn    site = "turn"
)

// provoke faults where a test wants it to. Otherwise it costs a comparison.
func (p *process) provoke(at site, s *session) {
	if p.provoked != nil {
		p.provoked(p, at, s)
	}
}
