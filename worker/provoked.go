//go:build !faults

package worker

// provoked is nothing, but in programs that are built to be made to fault.
func provoked() func(*process, site, *session) { return nil }
