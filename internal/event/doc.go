// Package event holds the values that travel through Odin: records, batches
// of them, channels, positions, cursors and the words that name an owner.
// It owns no goroutine, no lock and no I/O; everything imports it and it
// imports nothing of Odin's.
package event
