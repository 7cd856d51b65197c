package shm

import (
	"errors"
	"fmt"
)

// Why a segment is refused; an *OpenError wraps one of them.
var (
	ErrMissing   = errors.New("there is no segment")
	ErrStale     = errors.New("no odind holds its lock: the segment was left behind")
	ErrForeign   = errors.New("it is not a segment of odind")
	ErrTruncated = errors.New("it is shorter than it says")
	ErrNewer     = errors.New("it was written by a newer odind")
	ErrOlder     = errors.New("it was written by an older odind")
	ErrDifferent = errors.New("its directory is another build's")
)

// OpenError says which segment was refused, why, and what to try.
type OpenError struct {
	Path string
	Err  error  // wraps one of Err…, or an error of the system
	Try  string // for an operator
}

// Error gives all three.
func (e *OpenError) Error() string { return fmt.Sprintf("shm: open %s: %v (%s)", e.Path, e.Err, e.Try) }

// Unwrap gives the reason.
func (e *OpenError) Unwrap() error { return e.Err }

func refuse(path string, err error) error {
	return &OpenError{Path: path, Err: err, Try: advice(err)}
}

func advice(err error) string {
	for _, known := range []struct {
		err error
		try string
	}{
		{ErrMissing, "start odind, or name its directory with --runtime-dir"},
		{ErrStale, "start odind; its next start replaces the file"},
		{ErrForeign, "name odind's own directory with --runtime-dir"},
		{ErrTruncated, "remove the file and restart odind"},
		{ErrNewer, "use the odinctl that came with the odind that runs"},
		{ErrOlder, "use the odinctl that came with the odind that runs, or restart odind"},
		{ErrDifferent, "use the odinctl that came with the odind that runs, or restart odind"},
	} {
		if errors.Is(err, known.err) {
			return known.try
		}
	}
	return "check the permissions: the file belongs to odind's user and group"
}
