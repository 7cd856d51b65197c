package control

// Ending is why a session ended, and who ended it.
type Ending string

// The endings.
const (
	ClientClosed  Ending = "client_closed"   // by a close frame of its own
	ClientGone    Ending = "client_gone"     // without one: the connection ended or broke
	PingTimeout   Ending = "ping_timeout"    // its pong didn't come in time
	SlowConsumer  Ending = "slow_consumer"   // it read more slowly than records came
	ProtocolError Ending = "protocol_error"  // it broke RFC 6455, or sent too large a request
	TooManyErrors Ending = "too_many_errors" // too many of its requests were wrong
	Overloaded    Ending = "overloaded"      // a bound over all sessions of the worker was reached
	ReplayBroken  Ending = "replay_broken"   // what it missed left the history, or its topic changed, while it was sent
	Draining      Ending = "draining"        // odinctl drain
	ShuttingDown  Ending = "shutting_down"   // the worker, or odind, ended
	InternalFault Ending = "internal_fault"  // a defect of Odin's; its id is in the log
)

// Endings is every ending, for those who ask for one.
func Endings() []Ending {
	return []Ending{
		ClientClosed, ClientGone, PingTimeout, SlowConsumer, ProtocolError, TooManyErrors,
		Overloaded, ReplayBroken, Draining, ShuttingDown, InternalFault,
	}
}

// Words is the ending for people.
func (e Ending) Words() string {
	switch e {
	case ClientClosed:
		return "the client closed"
	case ClientGone:
		return "the client vanished"
	case PingTimeout:
		return "no pong in time"
	case SlowConsumer:
		return "slow consumer"
	case ProtocolError:
		return "protocol error"
	case TooManyErrors:
		return "too many errors"
	case Overloaded:
		return "overloaded"
	case ReplayBroken:
		return "replay broken"
	case Draining:
		return "draining"
	case ShuttingDown:
		return "shutting down"
	case InternalFault:
		return "internal fault"
	}
	return string(e)
}
