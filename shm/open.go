package shm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Open maps the segment at path read-only, for odinctl. It works while every
// process of odind is stopped. The error is an *OpenError that wraps one of
// Err…, or the system's.
func Open(path string) (*Segment, error) {
	s, err := OpenLeft(path)
	if err != nil {
		return nil, err
	}
	if _, running, err := Running(filepath.Dir(path)); err != nil || !running {
		if err == nil {
			err = ErrStale
		}
		return nil, errors.Join(refuse(path, err), s.Close())
	}
	return s, nil
}

// OpenLeft is Open for what an odind that is gone left behind, as one does that
// was killed: by who holds LockDir of its directory.
func OpenLeft(path string) (*Segment, error) {
	// Neither a symbolic link nor a pipe may hold us up or lead us elsewhere.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, refuse(path, ErrMissing)
	}
	if errors.Is(err, unix.ELOOP) {
		return nil, refuse(path, fmt.Errorf("%w: a symbolic link", ErrForeign))
	}
	if err != nil {
		return nil, refuse(path, err)
	}
	return attach(f, path, false)
}

// Attach maps a segment read-write from a file that was inherited from the
// supervisor. On success the segment owns f.
func Attach(f *os.File) (*Segment, error) { return attach(f, f.Name(), true) }

func attach(f *os.File, path string, writable bool) (*Segment, error) {
	p, err := verify(f)
	if err == nil {
		var s *Segment
		if s, err = mapped(f, p, writable); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(refuse(path, err), f.Close())
}

// verify reads the description with ordinary reads, before anything is
// mapped: a file that passes is as long as it must be and has each number
// where this program looks for it.
func verify(f *os.File) (plan, error) {
	info, err := f.Stat()
	if err != nil {
		return plan{}, err
	}
	if !info.Mode().IsRegular() {
		return plan{}, fmt.Errorf("%w: not a regular file", ErrForeign)
	}
	p, err := verifyHeader(io.NewSectionReader(f, 0, headerBytes), info.Size())
	if err != nil {
		return plan{}, err
	}
	have := make([]byte, p.process)
	if _, err := f.ReadAt(have, 0); err != nil {
		return plan{}, err
	}
	if !bytes.Equal(have, describe(p)) {
		return plan{}, ErrDifferent
	}
	return p, nil
}

func verifyHeader(r io.Reader, size int64) (plan, error) {
	var h [headerBytes]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return plan{}, fmt.Errorf("%w: %d bytes", ErrForeign, size)
	}
	if binary.LittleEndian.Uint64(h[:]) != magic || binary.NativeEndian.Uint32(h[12:]) != byteOrder {
		return plan{}, fmt.Errorf("%w: no magic", ErrForeign)
	}
	switch v := binary.LittleEndian.Uint32(h[8:]); {
	case v > LayoutVersion:
		return plan{}, fmt.Errorf("%w: layout %d, this program reads %d", ErrNewer, v, LayoutVersion)
	case v < LayoutVersion:
		return plan{}, fmt.Errorf("%w: layout %d, this program reads %d", ErrOlder, v, LayoutVersion)
	}
	return verifySize(h[:], size)
}

func verifySize(h []byte, size int64) (plan, error) {
	says := binary.LittleEndian.Uint64(h[16:])
	if size < 0 || says > uint64(size) {
		return plan{}, fmt.Errorf("%w: %d bytes of %d", ErrTruncated, size, says)
	}
	l := Layout{
		Slots:      int(binary.LittleEndian.Uint32(h[24:])),
		Partitions: int(binary.LittleEndian.Uint32(h[28:])),
	}
	if l.Check() != nil {
		return plan{}, ErrDifferent
	}
	p := planOf(l)
	if uint64(p.size) != says || int64(p.size) != size {
		return plan{}, ErrDifferent
	}
	return p, nil
}
