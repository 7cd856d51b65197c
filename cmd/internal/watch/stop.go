package watch

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// signal does what the shell asks by one: stop, or draw anew after it went on.
func (s *screen) signal(sig os.Signal) error {
	if sig == syscall.SIGTSTP {
		return s.stop()
	}
	s.terminal.Sync()
	return nil
}

// stop gives the terminal back, stops, and takes the terminal again when the
// shell continues us.
func (s *screen) stop() error {
	if orphaned() {
		return nil
	}
	if err := s.terminal.Suspend(); err != nil {
		return err
	}
	if err := pause(); err != nil {
		return err
	}
	if err := s.terminal.Resume(); err != nil {
		return err
	}
	s.next()
	return nil
}

// pause stops the process, as SIGTSTP does to one without a handler. That
// signal itself can't be used: once the Go runtime has caught it, it never
// leaves it to the kernel again. It goes to the thread that runs this, so that
// it has come before the call returns.
func pause() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGSTOP)
}

// orphaned tells whether there is no shell that could continue us: the kernel
// ignores SIGTSTP then, and so do we.
func orphaned() bool {
	parent := unix.Getppid()
	group, err := unix.Getpgid(parent)
	if err != nil || group == unix.Getpgrp() {
		return true
	}
	theirs, err := unix.Getsid(parent)
	ours, mistake := unix.Getsid(0)
	return err != nil || mistake != nil || theirs != ours
}
