package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/control"
	"github.com/spf13/pflag"
)

// callPatience is how long odind may take for each line of an answer, besides
// the time that a request takes by itself.
const callPatience = 10 * time.Second

// call asks the running odind over control.sock, and hands over the items of
// its answer. What odind refuses is an error in its words.
func (p *program) call(flags *pflag.FlagSet, r control.Request, item func(control.Response) error) (control.Response, error) {
	dir, err := runtimeDir(cli.Input(flags))
	if err != nil {
		return control.Response{}, err
	}
	patience := callPatience
	if r.Query != nil {
		patience += time.Duration(r.Query.Seconds) * time.Second
	}
	if r.Command == control.Reload {
		patience += callPatience // files are read, and the workers asked
	}
	answer, err := control.Call(filepath.Join(dir, control.SocketName), r, patience, item)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return answer, noneError{fmt.Errorf("%w (start odind, or name its directory with --runtime-dir)", err)}
	case errors.Is(err, os.ErrPermission):
		return answer, fmt.Errorf("%w; run odinctl as root, or as a member of the runtime directory's group", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return answer, fmt.Errorf("%w: odind does not answer; look at odinctl status, which needs no answer", err)
	case err != nil:
		return answer, err
	case !answer.OK:
		return answer, fmt.Errorf("odind refuses: %s", answer.Error)
	}
	return answer, nil
}

// noneError says that no odind takes requests.
type noneError struct{ error }

// tellMissing warns of the workers that did not answer.
func (p *program) tellMissing(answer control.Response) {
	for _, slot := range answer.Missing {
		fmt.Fprintf(p.stderr, "odinctl: worker %d did not answer: it is stuck, or has just ended; look at odinctl status\n", slot)
	}
}
