//go:build echo

package worker

import "github.com/odin-ws/odin/internal/wire"

const echoing = true

// echo sends a message back.
func (p *process) echo(s *session, m wire.Message) {
	p.say(s, func(dst []byte) []byte { return wire.AppendFrame(dst, m.Op, m.Payload) })
}
