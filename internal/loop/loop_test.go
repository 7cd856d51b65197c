package loop

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func pair(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0], fds[1]
}

func poller(t *testing.T) *Poller {
	t.Helper()
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestTokensAreWhole(t *testing.T) {
	p := poller(t)
	a, b := pair(t)
	const token = 0xfedcba98_87654321
	if err := p.Add(a, token, Input); err != nil {
		t.Fatal(err)
	}
	if ev, err := p.Wait(0); err != nil || len(ev) != 0 {
		t.Fatalf("nothing was sent, got %v, %v", ev, err)
	}
	Write(b, []byte("x"))
	ev, err := p.Wait(time.Second)
	if err != nil || len(ev) != 1 || ev[0] != (Event{Token: token, Input: true}) {
		t.Fatalf("got %+v, %v", ev, err)
	}
}

func TestOutputOnlyWhenAsked(t *testing.T) {
	p := poller(t)
	a, _ := pair(t)
	if err := p.Add(a, 1, Input); err != nil {
		t.Fatal(err)
	}
	if ev, _ := p.Wait(0); len(ev) != 0 {
		t.Fatalf("writable, but nobody asked: %v", ev)
	}
	if err := p.Modify(a, 2, Input|Output); err != nil {
		t.Fatal(err)
	}
	if ev, _ := p.Wait(0); len(ev) != 1 || !ev[0].Output || ev[0].Token != 2 {
		t.Fatalf("got %v", ev)
	}
	if err := p.Remove(a); err != nil {
		t.Fatal(err)
	}
	if ev, _ := p.Wait(0); len(ev) != 0 {
		t.Fatalf("removed, got %v", ev)
	}
}

func TestHalfCloseIsInputThenEOF(t *testing.T) {
	p := poller(t)
	a, b := pair(t)
	if err := p.Add(a, 7, Input); err != nil {
		t.Fatal(err)
	}
	if err := unix.Shutdown(b, unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	if ev, _ := p.Wait(time.Second); len(ev) != 1 || !ev[0].Input {
		t.Fatalf("got %v", ev)
	}
	if _, st := Read(a, make([]byte, 8)); st != EOF {
		t.Fatalf("status %v, want EOF", st)
	}
}

func TestReadAndWriteEnds(t *testing.T) {
	a, b := pair(t)
	buf := make([]byte, 4)
	if _, st := Read(a, buf); st != Again {
		t.Fatalf("empty: %v", st)
	}
	if n, st := Write(b, []byte("hello")); n != 5 || st != OK {
		t.Fatalf("write: %d %v", n, st)
	}
	if n, st := Read(a, buf); n != 4 || st != OK || string(buf) != "hell" {
		t.Fatalf("read: %d %v %q", n, st, buf)
	}
	unix.Close(a)
	if _, st := Write(b, []byte("gone")); st != Failed {
		t.Fatalf("write to a closed peer: %v", st)
	}
}

func TestWritevStopsWhereTheSocketIsFull(t *testing.T) {
	a, b := pair(t)
	var v Vector
	block := bytes.Repeat([]byte("0123456789abcdef"), 1024)
	for v.Add(block) {
	}
	if v.Len() != VectorMax {
		t.Fatalf("took %d buffers, bound %d", v.Len(), VectorMax)
	}
	n, st := Writev(a, &v)
	if st != Again || n <= 0 || n >= VectorMax*len(block) {
		t.Fatalf("wrote %d, %v", n, st)
	}
	if _, st := Writev(a, &v); st != Again {
		t.Fatalf("full: %v", st)
	}
	got := 0
	for {
		k, st := Read(b, make([]byte, 64<<10))
		if st != OK {
			break
		}
		got += k
	}
	if got != n {
		t.Fatalf("wrote %d, peer read %d", n, got)
	}
	v.Reset()
	if _, st := Writev(a, &v); st != OK || v.Len() != 0 {
		t.Fatalf("empty vector: %v", st)
	}
}

// No wake-up may be lost between the loop's last look and its wait, and
// ringing costs a system call only while the loop sleeps.
func TestWakerLosesNothing(t *testing.T) {
	w, err := NewWaker()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	p := poller(t)
	if err := p.Add(w.FD(), 1, Input); err != nil {
		t.Fatal(err)
	}
	const rounds = 20000
	var mu sync.Mutex
	work, seen := 0, 0
	go func() {
		for range rounds {
			mu.Lock()
			work++
			mu.Unlock()
			w.Wake()
		}
	}()
	look := func() bool {
		mu.Lock()
		defer mu.Unlock()
		had := work > 0
		seen += work
		work = 0
		return had
	}
	for seen < rounds {
		w.Sleep()
		if look() {
			w.Awake()
			continue
		}
		ev, err := p.Wait(5 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if len(ev) == 0 && !look() {
			t.Fatalf("slept through: seen %d of %d", seen, rounds)
		}
		w.Awake()
		Drain(w.FD())
	}
}

func TestRingNeverBlocks(t *testing.T) {
	w, err := NewWaker()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := unix.Write(w.FD(), []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	Ring(w.FD())
	Drain(w.FD())
	p := poller(t)
	if err := p.Add(w.FD(), 1, Input); err != nil {
		t.Fatal(err)
	}
	if ev, _ := p.Wait(0); len(ev) != 0 {
		t.Fatalf("drained, but readable: %v", ev)
	}
}
