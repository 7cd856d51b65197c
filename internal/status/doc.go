// Package status derives from the shared memory segment what `odinctl status`
// and `top`, /api/status and the status page all say, so that they agree: as
// a value whose JSON is docs/PROTOCOL.md's, and as text for a terminal.
//
// It only reads, needs no process of odind to be awake, starts no goroutine,
// holds no lock and keeps nothing between two calls.
package status
