package shm

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestLockIsHeldOnceAndSaysByWhom(t *testing.T) {
	dir := t.TempDir()
	pid, running, err := Running(dir)
	must(t, err)
	equal(t, "running in an empty directory", running, false)
	equal(t, "pid", pid, 0)

	lock, err := LockDir(dir)
	must(t, err)
	pid, running, err = Running(dir)
	must(t, err)
	equal(t, "running", running, true)
	equal(t, "pid", pid, os.Getpid())

	_, err = LockDir(dir)
	if !errors.Is(err, ErrRunning) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("a second lock: %v", err)
	}
	must(t, lock.Release())
	_, running, err = Running(dir)
	must(t, err)
	equal(t, "running after the release", running, false)
	lock, err = LockDir(dir)
	must(t, err)
	must(t, lock.Release())
}

// Asking takes no lock: a status command never makes a starting odind fail.
func TestAskingDisturbsNobody(t *testing.T) {
	dir := t.TempDir()
	stop, done := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for err == nil {
			select {
			case <-stop:
				done <- nil
				return
			default:
				_, _, err = Running(dir)
			}
		}
		done <- err
	}()
	for range 500 {
		lock, err := LockDir(dir)
		must(t, err)
		must(t, lock.Release())
	}
	close(stop)
	must(t, <-done)
}

func TestLockErrors(t *testing.T) {
	_, err := LockDir(filepath.Join(t.TempDir(), "missing"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing directory: %v", err)
	}
	dir := t.TempDir()
	must(t, os.Symlink("/dev/null", filepath.Join(dir, LockName)))
	if _, err := LockDir(dir); err == nil {
		t.Error("a symbolic link was locked")
	}
	if _, _, err := Running(dir); err == nil {
		t.Error("a symbolic link was asked")
	}
}

func TestNonsenseInTheLockFileIsNoPid(t *testing.T) {
	dir := t.TempDir()
	lock, err := LockDir(dir)
	must(t, err)
	defer lock.Release()
	must(t, os.WriteFile(filepath.Join(dir, LockName), []byte("who knows"), 0o600))
	pid, running, err := Running(dir)
	must(t, err)
	equal(t, "running", running, true)
	equal(t, "pid", pid, 0)
}
