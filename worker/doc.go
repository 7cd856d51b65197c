// Package worker is one worker process: it accepts connections, reads what
// clients ask for, holds a replica of every partition and writes records to
// the sessions that want them.
//
// It is a state machine, starting → ready → draining → gone, around one loop.
// The loop's goroutine owns every session, replica, subscription and link;
// nothing of them is locked, and nobody else touches them. A pass of the loop
// is a turn: input is taken, records are relayed to the siblings, applied to
// the sessions' queues and written, each session once; then positions are
// published and, under load, the loop rests (docs/DESIGN.md).
//
// The other goroutines only hand things to the loop, through the mailbox or
// the intake, and each is bounded: the source's fetchers, one reads the control
// socket, one watches the topology if this worker is the scout, one reads each
// range that a sibling misses, and one answers each question of an operator's.
//
// Locks: mailbox.mu and intake.mu, both leaves, held for a few instructions.
package worker
