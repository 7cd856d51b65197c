package main

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// deflated is a message as a server compresses it.
func deflated(t *testing.T, plain string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(plain)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

func TestInflate(t *testing.T) {
	z := newInflater()
	for _, plain := range []string{"", "a", strings.Repeat("odin ", 5000), "a", "b"} {
		got, err := z.inflate(deflated(t, plain))
		if err != nil || string(got) != plain {
			t.Errorf("%.20q: %.20q, %v", plain, got, err)
		}
	}
	if len(z.known) != 4 {
		t.Errorf("%d messages are known", len(z.known))
	}
	if _, err := z.inflate([]byte{0xff, 0xff, 0xff}); err == nil {
		t.Error("what is no compressed message is taken")
	}
}

// A compressed message where none was agreed on ends the session.
func TestDeflatedUnasked(t *testing.T) {
	c := &crowd{byFD: map[int]*session{}}
	frame := append([]byte{0x80 | deflatedBit | opText, 3}, "abc"...)
	s := newSession(0, normal)
	c.frames(s, frame)
	if s.stage != over || s.fault == nil {
		t.Errorf("stage %d, %v", s.stage, s.fault)
	}
}

// What is over reads nothing any more: its descriptor is another's soon.
func TestOverReadsNothing(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	c := &crowd{byFD: map[int]*session{}, buffer: make([]byte, 1<<10), throttle: 10 << 10}
	s := newSession(0, throttled)
	s.fd, s.slow, s.stage, s.story = pair[0], true, listening, &story{}
	c.sessions = append(c.sessions, s)
	c.lose(s, errEnded)
	if s.fd != -1 || s.slow || !errors.Is(s.fault, errEnded) {
		t.Errorf("descriptor %d, slow %v, %v", s.fd, s.slow, s.fault)
	}
}

// Records of quotes are JSON, no larger than they may be, and compressible as
// JSON is.
func TestQuotes(t *testing.T) {
	p := &publisher{rng: rand.New(rand.NewPCG(1, 2)), size: 1000, json: true}
	b := append(p.appendQuotes([]byte(`{"bch":1`)), '}')
	if !json.Valid(b) || len(b) > p.size || len(b) < p.size-120 {
		t.Fatalf("%d bytes: %s", len(b), b)
	}
	if n := len(deflated(t, string(b))); n < 200 || n > 600 {
		t.Errorf("%d bytes become %d", len(b), n)
	}
}
