// Package odin reads streams of records from an odind over WebSockets, and
// comes back where it was after every break.
//
// A [Client] keeps a set of channels subscribed for as long as [Client.Run]
// runs. It reconnects by itself within the window that the server gives, and
// asks for what it missed with its cursor: the place up to which the handlers
// have had every record. Whether all of it could be had is told by
// [Options.OnRecovery]; what is missing is never passed over in silence.
//
// Handlers are called in the order of the stream, one at a time, from the
// goroutine that called Run. The cursor moves behind a record when its handler
// has returned nil, so a cursor that was saved never covers a record that was
// not handled. That is why there are handlers and no channel or iterator: with
// those nobody could tell when a record has been dealt with. For the same
// reason nothing is buffered: while a handler works, the connection isn't read,
// and TCP holds the server back. A handler that takes longer than the server
// waits for a pong (10 s), or falls behind by more than the server keeps for a
// session, costs the connection; the client then resumes.
//
// What the server promises stands in docs/PROTOCOL.md.
package odin
