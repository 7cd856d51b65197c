package shm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// spoiled gives the bytes of a good segment after change.
func spoiled(t testing.TB, change func(data []byte) []byte) []byte {
	t.Helper()
	_, path := created(t, small)
	data, err := os.ReadFile(path)
	must(t, err)
	return change(data)
}

func set32(off int, v uint32) func([]byte) []byte {
	return func(data []byte) []byte {
		binary.LittleEndian.PutUint32(data[off:], v)
		return data
	}
}

func cutTo(n int) func([]byte) []byte {
	return func(data []byte) []byte { return data[:n] }
}

func TestOpenRefusesWithReasonAndAdvice(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func([]byte) []byte
		want   error
	}{
		{"empty", cutTo(0), ErrForeign},
		{"shorter than a header", cutTo(headerBytes - 1), ErrForeign},
		{"a text", func([]byte) []byte { return []byte(strings.Repeat("not a segment\n", 100)) }, ErrForeign},
		{"zeros, as while it is being built", func(d []byte) []byte { clear(d); return d }, ErrForeign},
		{"another byte order", set32(12, 0x04030201), ErrForeign},
		{"newer", set32(8, LayoutVersion+1), ErrNewer},
		{"older", set32(8, LayoutVersion-1), ErrOlder},
		{"only the header", cutTo(headerBytes), ErrTruncated},
		{"only the description", cutTo(planOf(small).process), ErrTruncated},
		{"a page too short", func(d []byte) []byte { return d[:len(d)-page] }, ErrTruncated},
		{"a byte too short", func(d []byte) []byte { return d[:len(d)-1] }, ErrTruncated},
		{"a byte too long", func(d []byte) []byte { return append(d, 0) }, ErrDifferent},
		{"says that it is shorter", set32(16, page), ErrDifferent},
		{"no slots", set32(24, 0), ErrDifferent},
		{"more slots than fit", set32(24, 4), ErrDifferent},
		{"countless slots", set32(24, 1<<31), ErrDifferent},
		{"countless partitions", set32(28, 1<<32-1), ErrDifferent},
		{"another metric", func(d []byte) []byte { d[headerBytes+areaCount*areaBytes]++; return d }, ErrDifferent},
		{"another area", func(d []byte) []byte { d[headerBytes+24]++; return d }, ErrDifferent},
	} {
		t.Run(c.what, func(t *testing.T) {
			data := spoiled(t, c.change)
			path := filepath.Join(t.TempDir(), "stats.shm")
			must(t, os.WriteFile(path, data, 0o600))
			_, err := Open(path)
			rejects(t, err, path, c.want)
		})
	}
}

func rejects(t *testing.T, err error, path string, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
	var open *OpenError
	if !errors.As(err, &open) || open.Path != path || open.Try == "" {
		t.Fatalf("no path or advice in %#v", err)
	}
	for _, part := range []string{path, open.Try, want.Error()} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.Mkdir(at("dir"), 0o700))
	must(t, unix.Mkfifo(at("pipe"), 0o600)) // must not block either
	must(t, os.Symlink("/dev/zero", at("link")))
	for name, want := range map[string]error{
		"dir": ErrForeign, "pipe": ErrForeign, "link": ErrForeign, "none": ErrMissing, "none/none": ErrMissing,
	} {
		_, err := Open(at(name))
		rejects(t, err, at(name), want)
	}
}

func TestOpenRefusesASegmentThatNobodyHolds(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "stats.shm")
	s, err := Create(path, small)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	_, err = Open(path) // there is no lock file at all
	rejects(t, err, path, ErrStale)

	lock, err := LockDir(dir)
	must(t, err)
	opened(t, path)
	must(t, lock.Release())
	_, err = Open(path)
	rejects(t, err, path, ErrStale)
}

func TestAttachRefusesAsOpenDoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stats.shm")
	must(t, os.WriteFile(path, spoiled(t, set32(8, LayoutVersion+1)), 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	_, err = Attach(f)
	rejects(t, err, path, ErrNewer)
	if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file was left open: %v", err)
	}
}

// FuzzOpen changes a good segment at one place, or its length. It is opened if
// and only if its description and length are still those of a segment made by
// Create; and then it must be readable to the last number: no panic, no SIGBUS,
// no endless loop.
func FuzzOpen(f *testing.F) {
	l := Layout{Slots: 2, Partitions: 3}
	good := spoiledSeed(f, l)
	p := planOf(l)
	f.Add(uint32(0), []byte("odinshm\n"), int32(0))
	f.Add(uint32(8), []byte{2}, int32(0))
	f.Add(uint32(16), []byte{0, 0, 0, 0, 1}, int32(0))
	f.Add(uint32(24), []byte{128}, int32(4096))
	f.Add(uint32(p.process+processTopology), []byte{255, 255, 255, 255, 255, 255, 255, 255, 255}, int32(0))
	f.Add(uint32(p.partitions), []byte{255, 255, 255, 255, 9, 0, 0, 0, 7, 3}, int32(0))
	f.Add(uint32(p.slots), []byte{255, 255, 255, 255, 255, 255, 255, 255}, int32(-1))
	f.Fuzz(func(t *testing.T, off uint32, patch []byte, grow int32) {
		data := append([]byte(nil), good...)
		if at := int(off) % len(data); len(patch) <= len(data)-at {
			copy(data[at:], patch)
		}
		size := int64(len(data)) + int64(grow)%(1<<20)
		path := filepath.Join(t.TempDir(), "s")
		must(t, os.WriteFile(path, data, 0o600))
		must(t, os.Truncate(path, max(0, size)))
		s, err := OpenLeft(path)
		// To become one of another layout takes more than one change.
		if right := size == int64(p.size) && bytes.Equal(data[:p.process], good[:p.process]); right != (err == nil) {
			t.Fatalf("as Create makes it: %t, opened: %v", right, err)
		}
		if err != nil {
			var open *OpenError
			if !errors.As(err, &open) || open.Try == "" {
				t.Fatalf("no advice: %v", err)
			}
			return
		}
		readAll(s)
		must(t, s.Close())
	})
}

func spoiledSeed(t testing.TB, l Layout) []byte {
	s, path := created(t, l)
	added(t, s, "odin.trades", 1, 5)
	s.Slot(1).PublishPosition(0, Position{Held: 7, Positioned: true})
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

// readAll calls every reading method with every index.
func readAll(s *Segment) {
	now := Now()
	for n := range NameCount {
		s.Process().Name(n)
	}
	for c := range SupervisorCounterCount {
		s.Process().Counter(c)
	}
	_, _, _, _ = s.Process().Pid(), s.Process().State().String(), s.TopologyVersion(), s.Process().Stale(now)
	for i := range s.Partitions() {
		s.Partition(i)
		s.Owner(i)
		s.Era(i)
		s.Progress(i, now)
	}
	for i := range s.Layout().Slots {
		readSlot(s.Slot(i), s.Partitions(), now)
	}
}

func readSlot(s *Slot, partitions int, now Clock) {
	for c := range CounterCount {
		s.Counter(c)
	}
	for g := range GaugeCount {
		s.Gauge(g)
	}
	for h := range HistogramCount {
		s.Histogram(h)
	}
	for i := range partitions {
		s.Position(i)
	}
	s.Spawned()
	_, _, _, _, _ = s.State().String(), s.Reason(), s.Lent(), s.Suspect(), s.Stale(now)
}
