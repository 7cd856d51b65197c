// Package deflate is permessage-deflate (RFC 7692), without context takeover:
// which of a client's offers is taken, a message's payload made small, and one
// made whole again. Frames are not its matter.
//
// Without context takeover each message stands for itself. So a record is
// compressed once for all sessions, and a session keeps nothing between its
// messages: one Compressor and one Inflater serve all sessions of a worker.
//
// It is pure: no I/O, no clock, no goroutine, no lock. A Compressor and an
// Inflater belong to one goroutine. The compression itself (RFC 1951) is
// github.com/klauspost/compress.
package deflate
