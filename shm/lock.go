package shm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// LockName is the file in the runtime directory whose lock says that odind
// runs there. The file itself stays for ever and says nothing.
const LockName = "odind.lock"

// ErrRunning says that another odind holds the lock of a runtime directory.
var ErrRunning = errors.New("odind is running already")

// Lock is the right to run in a runtime directory. The kernel drops it when
// the process ends, in whatever way; it is kept while the process is stopped.
type Lock struct{ file *os.File }

// LockDir takes the lock of a runtime directory, by the supervisor, for as
// long as it lives. Workers don't inherit it. The error wraps ErrRunning if
// somebody has it.
//
// It is an open file description lock on the whole file, not flock(2): it
// holds in the same way, and whether it is held can be asked without taking
// it, so that a status command can never make a starting odind fail.
func LockDir(dir string) (*Lock, error) {
	path := filepath.Join(dir, LockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, fileMode)
	if err != nil {
		return nil, fmt.Errorf("shm: lock: %w", err)
	}
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &whole)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		pid := holder(f)
		return nil, errors.Join(fmt.Errorf("shm: lock %s: %w (pid %d)", path, ErrRunning, pid), f.Close())
	}
	if err == nil {
		err = sign(f)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("shm: lock %s: %w", path, err), f.Close())
	}
	return &Lock{f}, nil
}

// sign writes the holder's pid into the lock's file, for messages only.
func sign(f *os.File) error {
	text := fmt.Sprintf("%-20d\n", os.Getpid()) // one write of one width: never half a number
	_, err := f.WriteAt([]byte(text), 0)
	return errors.Join(err, f.Chmod(fileMode))
}

func holder(f *os.File) int {
	text := make([]byte, 21)
	n, _ := f.ReadAt(text, 0)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	return pid
}

// Release gives the lock back.
func (l *Lock) Release() error { return l.file.Close() }

// Running tells whether an odind, stopped or not, holds the lock of a runtime
// directory, and which (0 if unknown). It takes no lock and disturbs nobody.
func Running(dir string) (pid int, running bool, err error) {
	f, err := os.OpenFile(filepath.Join(dir, LockName), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &whole); err != nil {
		return 0, false, fmt.Errorf("ask for the lock of %s: %w", f.Name(), err)
	}
	if whole.Type == unix.F_UNLCK {
		return 0, false, nil
	}
	return holder(f), true, nil
}
