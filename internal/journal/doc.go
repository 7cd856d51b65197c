// Package journal is the log of every process of Odin's: log/slog, text or
// JSON, a line an event, to standard error. It owns how a line looks, which
// lines are repetitions, and the way to the writer. What is worth a line, and
// at which level, is decided where it happens.
//
//   - Logging never waits. A line goes into a bounded queue; one goroutine
//     writes the queue out. When the writer takes nothing (journald stopped, a
//     pipe that nobody reads, a full disk) lines are lost and counted, and a
//     line says how many as soon as one can be written again.
//   - A line that says the same again more than a few times a minute is held
//     back, and one line a minute says how often (repeated=N). What was not said
//     within the last minute is never held back. Debug lines aren't counted:
//     who wants them wants all.
//   - The level can be changed at any time, by any goroutine.
//
// Locks: the repetitions' and the queue's, each held for some copying; never
// one within the other.
package journal
