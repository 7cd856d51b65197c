package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// enclosedMark tells a program that it runs in a mount namespace of its own.
const enclosedMark = "CHAOS_ENCLOSED"

// enclose runs this program again in a mount namespace, where it may mount the
// disk that it fills: as root, or as a user whom the kernel gives a namespace
// in which he is root. It returns only if there is none to be had, or if this
// is that run.
func enclose() error {
	if os.Getenv(enclosedMark) != "" {
		return os.Unsetenv(enclosedMark)
	}
	var refused []error
	for _, kind := range [][]string{{"--mount"}, {"--mount", "--user", "--map-root-user"}} {
		args := append(kind, "--propagation", "private", "--")
		if text, err := exec.Command("unshare", append(args, "true")...).CombinedOutput(); err != nil {
			refused = append(refused, fmt.Errorf("unshare %s: %w: %s", strings.Join(kind, " "), err, strings.TrimSpace(string(text))))
			continue
		}
		return reexec(args)
	}
	return fmt.Errorf("no mount namespace, so no disk that can be filled: run it as root, or allow user namespaces: %w", errors.Join(refused...))
}

func reexec(args []string) error {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	argv := append(append([]string{"unshare"}, args...), append([]string{self}, os.Args[1:]...)...)
	return syscall.Exec(unshare, argv, append(os.Environ(), enclosedMark+"=1"))
}

// disk is a small one.
type disk string

const diskSize = "256k"

// mount makes the disk. What is on it at the end is kept beside it.
func (w *world) mount(dir string) (disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if err := unix.Mount("chaos", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700,size="+diskSize); err != nil {
		return "", fmt.Errorf("mount a disk of %s at %s: %w", diskSize, dir, err)
	}
	d := disk(dir)
	w.stage.Cleanup(func() {
		if text, err := os.ReadFile(d.file(erasFile)); err == nil {
			_ = os.WriteFile(dir+"."+erasFile, text, 0o600)
		}
		_ = unix.Unmount(dir, unix.MNT_DETACH)
	})
	return d, nil
}

const (
	erasFile = "eras.json"
	ballast  = "ballast"
)

func (d disk) file(name string) string { return filepath.Join(string(d), name) }

// fill leaves no room.
func (d disk) fill() error {
	f, err := os.Create(d.file(ballast))
	if err != nil {
		return err
	}
	defer f.Close()
	for block := make([]byte, 4<<10); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return nil
}

// free makes room.
func (d disk) free() error { return os.Remove(d.file(ballast)) }

// fillDisk leaves odind no room for its state, until it has noticed and said
// so. Then it gets room, and has to use it.
func (w *world) fillDisk(ctx context.Context, length time.Duration) error {
	began := time.Now()
	if err := w.odind.disk.fill(); err != nil {
		return err
	}
	err := retry(ctx, func(context.Context) error {
		return errors.Join(w.odind.saysOfState("degraded"), w.odind.logged("the eras of partitions can't be kept"))
	})
	time.Sleep(time.Until(began.Add(length)))
	if err := errors.Join(err, w.odind.disk.free()); err != nil {
		return fmt.Errorf("%w: there is no room for its state: %w", errBroken, err)
	}
	freed := time.Now()
	err = retry(ctx, func(context.Context) error {
		return errors.Join(w.odind.saysOfState("healthy"), w.odind.logged("the eras of partitions are kept again"), w.odind.disk.written(freed))
	})
	if err != nil {
		return fmt.Errorf("%w: there is room for its state again: %w", errBroken, err)
	}
	return nil
}

// saysOfState is nil if /health says so of it.
func (o *odind) saysOfState(want string) error {
	_, body, err := o.get("/health")
	if err != nil {
		return err
	}
	var health struct {
		Checks map[string]struct{ Status string }
	}
	if err := json.Unmarshal(body, &health); err != nil {
		return err
	}
	if got := health.Checks["state"].Status; got != want {
		return fmt.Errorf("/health says of state %q, not %q", got, want)
	}
	return nil
}

// logged is nil if a line is in its log, at any time: one that comes again
// within a minute is only counted.
func (o *odind) logged(line string) error {
	text, err := os.ReadFile(o.file("odind.log"))
	if err == nil && !strings.Contains(string(text), line) {
		err = fmt.Errorf("its log does not say that %s", line)
	}
	return err
}

// written is nil if the state was since then.
func (d disk) written(since time.Time) error {
	info, err := os.Stat(d.file(erasFile))
	if err == nil && info.ModTime().Before(since.Add(-time.Second)) { // the kernel's clock is coarse
		err = fmt.Errorf("%s is of %v, there was room at %v", erasFile, info.ModTime(), since)
	}
	return err
}

// keeps is nil if the state has all topics, in their last incarnation.
func (d disk) keeps(topics []*topic) error {
	text, err := os.ReadFile(d.file(erasFile))
	if err != nil {
		return err
	}
	var kept struct {
		Partitions []struct{ Topic, ID string }
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return fmt.Errorf("%s: %w", erasFile, err)
	}
	have := map[string]bool{}
	for _, p := range kept.Partitions {
		have[p.Topic+" "+p.ID] = true
	}
	for _, t := range topics {
		if !have[t.name+" "+t.id] {
			return fmt.Errorf("%s does not have %s with the id %s", erasFile, t.name, t.id)
		}
	}
	return nil
}
