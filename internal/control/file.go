package control

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Socketpair makes a connected pair of stream sockets as blocking files that
// Go's poller does not know: for Pair, and for links between siblings.
func Socketpair() (a, b *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("control: make a socketpair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "socketpair"), os.NewFile(uintptr(fds[1]), "socketpair"), nil
}

// Detach takes a received file out of Go's runtime: it returns a descriptor
// of the same open file description, close-on-exec, which the caller owns,
// and closes f. Unlike f.Fd() it leaves O_NONBLOCK alone, which is shared
// with every other holder of the description.
func Detach(f *os.File) (int, error) {
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("control: detach %s: %w", f.Name(), err)
	}
	var fd int
	var dupErr error
	if err := raw.Control(func(from uintptr) {
		fd, dupErr = unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0)
	}); err != nil {
		return -1, fmt.Errorf("control: detach %s: %w", f.Name(), err)
	}
	if dupErr != nil {
		return -1, fmt.Errorf("control: detach %s: %w", f.Name(), dupErr)
	}
	return fd, nil
}

// withDescriptors calls do with the descriptors of all files, none of which
// can be closed meanwhile. It avoids Fd for the reason given at Detach.
func withDescriptors(files []*os.File, fds []int, do func([]int) error) error {
	if len(files) == 0 {
		return do(fds)
	}
	raw, err := files[0].SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) {
		inner = withDescriptors(files[1:], append(fds, int(fd)), do)
	}); err != nil {
		return err
	}
	return inner
}

// received takes the descriptors out of a control message.
func received(oob []byte) ([]*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("control: receive descriptors: %w", err)
	}
	var files []*os.File
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue // no SCM_RIGHTS: nothing to own
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}
