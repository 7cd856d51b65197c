package supervisor

import (
	"errors"
	"fmt"
)

// Exit codes of odind (docs/OPERATIONS.md).
const (
	ExitClean   = 0
	ExitFailed  = 1
	ExitStart   = 3 // could not bind, runs already, or lacks a permission
	ExitGivenUp = 4 // every worker keeps failing
)

// ErrGivenUp says that every slot was given up: each worker failed as often in
// a row as limits.respawn_attempts_max allows.
var ErrGivenUp = errors.New("every worker keeps failing: see their last messages above")

// StartError is a reason not to start, in words for an operator. Nothing was
// left behind.
type StartError struct {
	Doing string // what was tried, with the name of what it was tried on
	Err   error
	Try   string // what may help
}

// Error says what failed, why, and what to try.
func (e *StartError) Error() string { return fmt.Sprintf("%s: %v; %s", e.Doing, e.Err, e.Try) }

// Unwrap gives the reason.
func (e *StartError) Unwrap() error { return e.Err }

// ExitCode maps what Run returned.
func ExitCode(err error) int {
	var start *StartError
	switch {
	case err == nil:
		return ExitClean
	case errors.As(err, &start):
		return ExitStart
	case errors.Is(err, ErrGivenUp):
		return ExitGivenUp
	}
	return ExitFailed
}
