//go:build !echo

package worker

import "github.com/odin-ws/odin/internal/wire"

// echoing is true in programs that are built for RFC 6455's test suite: their
// sessions get their own messages back, through the very same loop, reader and
// queue, and neither hello nor pings.
const echoing = false

func (*process) echo(*session, wire.Message) {}
