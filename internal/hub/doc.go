// Package hub knows which sessions want which channels, and what each of them
// is owed. It owns the subscription lists and the form of a session's queue;
// it never encodes, never does I/O and knows no clock.
//
// Everything here belongs to the worker's loop goroutine: there is no lock.
// Lists must not change while one is iterated, which holds because the loop
// takes no input while it applies records.
package hub
