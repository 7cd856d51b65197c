//go:build echo

package worker

import (
	"github.com/odin-ws/odin/internal/deflate"
	"github.com/odin-ws/odin/internal/wire"
)

const echoing = true

// echo sends a message back, compressed as a record would be.
func (p *process) echo(s *session, m wire.Message) {
	frame := wire.AppendFrame(nil, m.Op, m.Payload)
	if s.window > 0 && deflate.Fits(len(frame), s.window) {
		if small, ok := wire.AppendDeflated(nil, frame, p.deflating.compressor); ok {
			frame = small
		}
	}
	p.say(s, func(dst []byte) []byte { return append(dst, frame...) })
}
