package journal

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A writer that takes nothing holds nobody up; what is lost is said when it
// takes lines again.
func TestBlockedWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page
		goOn := make(chan struct{})
		p.set(nil, goOn)
		j := open(t, &p, Options{})
		text := strings.Repeat("x", 1000)
		const n = 3000
		for i := range n {
			j.Warn(text, "id", i)
		}
		j.Info("gives way")
		synctest.Wait()
		if j.Dropped() == 0 || j.Dropped() >= n {
			t.Fatalf("dropped %d of %d", j.Dropped(), n)
		}
		lost := j.Dropped()
		p.set(nil, nil)
		close(goOn)
		synctest.Wait()
		lines := p.all()
		want := fmt.Sprintf(`level=WARN msg="lines of the log were lost: standard error took none" lines=%d`, lost)
		if len(lines)+int(lost) != n+2 || lines[len(lines)-1] != want {
			t.Errorf("%d lines, %d lost, last %q", len(lines), lost, lines[len(lines)-1])
		}
		j.Info("after")
		synctest.Wait()
		if lines := p.all(); lines[len(lines)-1] != "level=INFO msg=after" || j.Dropped() != lost {
			t.Errorf("dropped %d, last %q", j.Dropped(), lines[len(lines)-1])
		}
		j.Close()
	})
}

func TestInfoLeavesRoomForErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page
		goOn := make(chan struct{})
		p.set(nil, goOn)
		j := open(t, &p, Options{})
		for i := range 2000 {
			j.Info(strings.Repeat("x", 1000), "id", i)
		}
		lost := j.Dropped()
		j.Error("this one matters")
		if j.Dropped() != lost || lost == 0 {
			t.Errorf("dropped %d, then %d", lost, j.Dropped())
		}
		close(goOn)
		p.set(nil, nil)
		j.Close()
		if !slices.Contains(p.all(), `level=ERROR msg="this one matters"`) {
			t.Error("the error is not there")
		}
	})
}

// Close gives up on a writer that takes nothing.
func TestCloseDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page
		goOn := make(chan struct{})
		p.set(nil, goOn)
		j := open(t, &p, Options{})
		j.Error("nobody takes it")
		began := time.Now()
		j.Close()
		if took := time.Since(began); took != flushMax {
			t.Errorf("took %v", took)
		}
		close(goOn)
	})
}

// A writer that fails kills nobody and is tried again with each line.
func TestFailingWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page
		p.set(errors.New("no space left on device"), nil)
		j := open(t, &p, Options{})
		for i := range 10 {
			j.Error("lost", "id", i)
		}
		synctest.Wait()
		wantLines(t, &p)
		p.set(nil, nil)
		j.Error("taken")
		synctest.Wait()
		wantLines(t, &p, "level=ERROR msg=taken", `level=WARN msg="lines of the log were lost: standard error took none" lines=10`)
		if j.Dropped() != 10 {
			t.Errorf("dropped %d", j.Dropped())
		}
		j.Close()
	})
}

func TestABlockStaysWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page
		goOn := make(chan struct{})
		p.set(nil, goOn)
		j := open(t, &p, Options{})
		j.Info("before")
		synctest.Wait()
		text := strings.Repeat("goroutine 1:\n", 1000)
		j.Block([]byte(text))
		j.Block([]byte("a second one is lost"))
		j.Info("after")
		p.set(nil, nil)
		close(goOn)
		synctest.Wait()
		j.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		if !slices.Contains(p.lines, text) || j.Dropped() != 1 {
			t.Errorf("%d writes, dropped %d", len(p.lines), j.Dropped())
		}
	})
}

// A pipe whose reader has gone, and a disk that is full: no signal, no end, and
// lines that count as lost.
func TestFilesThatTakeNothing(t *testing.T) {
	r, gone, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []*os.File{gone, full} {
		j := open(t, w, Options{})
		for i := range 5 {
			j.Error("nobody reads", "id", i)
		}
		j.Close()
		if j.Dropped() != 5 {
			t.Errorf("%s: dropped %d", w.Name(), j.Dropped())
		}
		w.Close()
	}
}
