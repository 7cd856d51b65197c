// Package wire is the outside of Odin in bytes: RFC 6455 frames on the
// server's side, and the JSON protocol odin.v1 that they carry. It owns the
// codes, their meanings and the limits that clients are told, so that
// docs/PROTOCOL.md is generated from it.
//
// Reader takes apart what a client sends, ParseRequest says what it asks for,
// and the Append functions build complete frames behind what a buffer holds.
// A record's frame is the same bytes for every session (AppendRecord); all
// else is an answer or a notice to one session.
//
// It never does I/O, reads no clock, starts no goroutine and takes no lock. A
// Reader belongs to one session and to the goroutine that owns the session;
// everything else is a pure function.
package wire

//go:generate go test -run ^TestProtocolPage$ . -update
