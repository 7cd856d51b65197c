// Package demo is what `odind demo` adds to odind: a Kafka broker of its own
// (franz-go's kfake) with the eight odin.* topics, and a synthetic market that
// produces to them at a given rate.
//
// It owns the broker's goroutines, one that trims what the broker keeps, and,
// while Produce runs, franz-go's. The market is pure: one seed, one sequence.
// It takes no part in serving clients; Odin reads the broker like any other.
package demo
