package shm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Segment is one mapped segment. Its methods may be called from any
// goroutine; who may write what is said at each. After Close every access
// faults, so Close comes last.
type Segment struct {
	plan
	mem        memory
	file       *os.File
	list       []Slot
	supervisor Process
	writable   bool
}

// fileMode lets the group read, so that an operator's group can use odinctl.
const fileMode = 0o640

// Create makes the segment at path, by the supervisor, which holds LockDir of
// its directory. The file is allocated in full (a sparse page is a SIGBUS
// later, when the file system has filled up), its magic is written last, and
// only then does it take its name: nobody ever opens half a segment.
func Create(path string, l Layout) (*Segment, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	building := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	s, err := build(building, planOf(l))
	if err != nil {
		return nil, fmt.Errorf("shm: create %s: %w", path, err)
	}
	if err := os.Rename(building, path); err != nil {
		return nil, errors.Join(fmt.Errorf("shm: create %s: %w", path, err), s.Close(), os.Remove(building))
	}
	return s, nil
}

func build(path string, p plan) (*Segment, error) {
	// A leftover of a supervisor that was killed in here: nobody maps it.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	s, err := fill(f, p)
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return s, nil
}

func fill(f *os.File, p plan) (*Segment, error) {
	if err := f.Chmod(fileMode); err != nil { // whatever the umask says
		return nil, err
	}
	if err := allocate(f, p.size); err != nil {
		return nil, err
	}
	s, err := mapped(f, p, true)
	if err != nil {
		return nil, err
	}
	text := describe(p)
	copy(s.mem[word:], text[word:])
	s.mem.store(0, magic)
	return s, nil
}

func allocate(f *os.File, size int) error {
	err := retryEINTR(func() error { return unix.Fallocate(int(f.Fd()), 0, 0, int64(size)) })
	if errors.Is(err, unix.EOPNOTSUPP) {
		_, err = f.Write(make([]byte, size))
	}
	if err != nil {
		return fmt.Errorf("allocate %d bytes (make room there, or choose another runtime_dir): %w", size, err)
	}
	return nil
}

func retryEINTR(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func mapped(f *os.File, p plan, writable bool) (*Segment, error) {
	access := unix.PROT_READ
	if writable {
		access |= unix.PROT_WRITE
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, p.size, access, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes: %w", p.size, err)
	}
	s := &Segment{plan: p, mem: mem, file: f, writable: writable}
	s.supervisor = newProcess(s)
	s.list = make([]Slot, p.layout.Slots)
	for i := range s.list {
		s.list[i] = newSlot(s, i)
	}
	return s, nil
}

// File is the segment's file, to be inherited by workers.
func (s *Segment) File() *os.File { return s.file }

// Layout tells for how many slots and partitions the segment has room.
func (s *Segment) Layout() Layout { return s.layout }

// Slot gives the numbers of worker i, 0 to Layout().Slots-1.
func (s *Segment) Slot(i int) *Slot { return &s.list[i] }

// Process gives the supervisor's own numbers.
func (s *Segment) Process() *Process { return &s.supervisor }

// Close unmaps the segment and closes its file; the file stays where it is.
func (s *Segment) Close() error {
	err := errors.Join(unix.Munmap(s.mem), s.file.Close())
	s.mem = nil
	return err
}

// mustWrite catches a write through a read-only mapping with a clear message;
// without it the process would die of SIGSEGV.
func (s *Segment) mustWrite() {
	if !s.writable {
		panic("shm: write to a segment that was opened read-only")
	}
}
