package worker

import (
	"strconv"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/wire"
)

// ending is why a session ends, and what it was when that began.
type ending struct {
	why      control.Ending
	detail   string // printable ASCII, at most control.DetailMax bytes
	owed     int    // bytes
	channels int
}

// blame notes why a session ends. The first cause counts: what follows from it,
// like an aborted connection, is none.
func (p *process) blame(s *session, why control.Ending, detail string) {
	if s.ending == nil {
		s.ending = &ending{why: why, detail: detail, owed: s.queue.Bytes, channels: s.subs.Count()}
	}
}

// endings is why Odin closes with a code, where nothing more is known.
var endings = map[wire.CloseCode]control.Ending{
	wire.CloseNormal:          control.ClientClosed,
	wire.CloseGoingAway:       control.ShuttingDown,
	wire.CloseProtocolError:   control.ProtocolError,
	wire.CloseUnsupportedData: control.ProtocolError,
	wire.CloseInvalidData:     control.ProtocolError,
	wire.CloseTooBig:          control.ProtocolError,
	wire.ClosePolicy:          control.TooManyErrors,
	wire.CloseRestarting:      control.ReplayBroken,
	wire.CloseOverloaded:      control.Overloaded,
	wire.CloseSlowConsumer:    control.SlowConsumer,
	wire.CloseAbnormal:        control.ClientGone,
}

func endingOf(code wire.CloseCode) control.Ending {
	if why, ok := endings[code]; ok {
		return why
	}
	return control.InternalFault
}

// closeWords is what a client's own close frame says: its code and, quoted, its
// reason.
func closeWords(payload []byte) string {
	code, reason := wire.ParseClose(payload)
	words := "without a code"
	if code != wire.CloseNoStatus {
		words = "code " + strconv.Itoa(int(code))
	}
	if len(reason) > 0 {
		words += " " + quoted(reason, control.DetailMax-len(words)-1)
	}
	return words
}

// quoted shows what a client sent in at most so many bytes of printable ASCII.
func quoted(b []byte, most int) string {
	for n := len(b); ; n-- {
		text := strconv.QuoteToASCII(string(b[:n]))
		if n < len(b) {
			text += "..."
		}
		if len(text) <= most || n == 0 {
			return text
		}
	}
}

// printable is what a client sent as printable ASCII: the rest is escaped as in
// Go, and so are quotes and backslashes.
func printable(b []byte) string {
	text := strconv.QuoteToASCII(string(b))
	return text[1 : len(text)-1]
}

// id names the session in logs and answers.
func (p *process) id(s *session) control.SessionID {
	return control.SessionID{Slot: p.slot, Generation: p.generation, Number: s.number}
}
