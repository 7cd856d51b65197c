package profile

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
)

func TestTake(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // what measures for a while ends at once
	for _, kind := range Kinds() {
		var out bytes.Buffer
		if err := Take(ctx, kind, 0, &out); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		magic := []byte{0x1f, 0x8b} // pprof's form is gzipped
		if kind == "trace" {
			magic = []byte("go 1.")
		}
		if !bytes.HasPrefix(out.Bytes(), magic) {
			t.Errorf("%s begins with %.8q", kind, out.Bytes())
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		kind    string
		seconds int
		want    string
	}{
		{"cpu", 0, ""},
		{"cpu", SecondsMax, ""},
		{"cpu", SecondsMax + 1, "allowed: 1 to 300"},
		{"heap", -1, "allowed: 1 to 300"},
		{"heaps", 0, `unknown profile "heaps", allowed: cpu, trace, heap`},
		{"", 0, "allowed"},
	} {
		err := Check(c.kind, c.seconds)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %d s: %v, want %q", c.kind, c.seconds, err, c.want)
		}
		if c.want != "" && Take(context.Background(), c.kind, c.seconds, &bytes.Buffer{}) == nil {
			t.Errorf("%s for %d s was taken", c.kind, c.seconds)
		}
	}
}

// Two measurements of one kind can't run at once: the second is refused.
func TestOneAtATime(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	first, done := &started{began: make(chan struct{})}, make(chan error)
	go func() { done <- Take(ctx, "trace", 60, first) }()
	<-first.began
	if err := Take(canceled(), "trace", 1, io.Discard); err == nil || !strings.Contains(err.Error(), "profile: ") {
		t.Errorf("the second one: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// started tells when the first byte, a trace's header, was written.
type started struct {
	once  sync.Once
	began chan struct{}
}

func (s *started) Write(b []byte) (int, error) {
	s.once.Do(func() { close(s.began) })
	return len(b), nil
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
