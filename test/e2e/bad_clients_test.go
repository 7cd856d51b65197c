package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// timesEach is how often each misdeed is done at once: a descriptor that one
// leaks shows above the few that come and go by themselves.
const (
	timesEach = 8
	fdSlack   = 4
)

// TestBadClients lets clients do what they shouldn't. Each gets what the
// protocol says, the others get their records, and nothing leaks.
func TestBadClients(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s := startOdind(t, options{brokers: b.addr})
	witnesses := clientsOnEach(t, s, 2)
	for _, c := range witnesses {
		c.subscribe(t, "WITNESS.*")
	}
	b.produce(t, batch(10, "WITNESS.trade", "WITNESS.social")...)
	for _, c := range witnesses {
		b.settle(t, c)
	}
	before := workerFiles(t, s)
	stop := b.produceOn(t, 50, "WITNESS.trade", "WITNESS.social")
	t.Run("misdeeds", func(t *testing.T) {
		for name, misdeed := range misdeeds() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if failed := atOnce(timesEach, func() error { return misdeed(s) }); len(failed) > 0 {
					t.Errorf("%d of %d times, first: %v", len(failed), timesEach, failed[0])
				}
			})
		}
		t.Run("slow consumers", func(t *testing.T) {
			t.Parallel()
			testSlow(t, b, s)
		})
	})
	stop()
	for _, c := range witnesses {
		b.settle(t, c)
	}
	eventually(t, soon, "sessions and files are as before", func() (bool, string) {
		files, sessions := workerFiles(t, s), s.metrics(t).sum(t, "odin_sessions")
		return files <= before+fdSlack && int(sessions) == len(witnesses),
			fmt.Sprintf("%d files, before %d; %v sessions of %d", files, before, sessions, len(witnesses))
	})
	s.stop(t)
}

// workerFiles counts the open files of all workers.
func workerFiles(t testing.TB, s *server) int {
	n := 0
	for slot := range s.options.workers {
		n += openFiles(s.worker(t, slot))
	}
	return n
}

// atOnce runs f n times side by side and returns what failed.
func atOnce(n int, f func() error) []error {
	var mu sync.Mutex
	var failed []error
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			if err := f(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, err)
			}
		})
	}
	group.Wait()
	return failed
}

// produceOn produces about so many records a second until the returned function
// is called.
func (b *broker) produceOn(t testing.TB, rate int, channels ...string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				done <- nil
				return
			case <-tick.C:
			}
			if err := b.tryProduce(record(channels[n%len(channels)], fmt.Sprintf(`{"n":%d}`, n))); err != nil {
				done <- err
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// afterUpgrade is a misdeed of a session: it sends these bytes and is closed with
// this code.
func afterUpgrade(code int, sent ...[]byte) func(*server) error {
	return func(s *server) error {
		r, err := rawUpgrade(s, 0)
		if err != nil {
			return err
		}
		defer r.Close()
		for _, b := range sent {
			if _, err := r.Write(b); err != nil {
				return err
			}
		}
		return r.closedWith(code)
	}
}

// inPlaceOfHandshake is a misdeed before there is a session: refused with a
// status.
func inPlaceOfHandshake(status int, word, request string) func(*server) error {
	return func(s *server) error {
		r, err := rawDial(s, 0)
		if err != nil {
			return err
		}
		defer r.Close()
		if _, err := r.WriteString(request); err != nil {
			return err
		}
		return r.refused(status, word)
	}
}

func misdeeds() map[string]func(*server) error {
	all := map[string]func(*server) error{
		"binary":                           afterUpgrade(1003, frame(flagFin|opBinary, true, []byte{1, 2})),
		"not masked":                       afterUpgrade(1002, frame(flagFin|opText, false, []byte(`{"type":"heartbeat"}`))),
		"a reserved bit":                   afterUpgrade(1002, frame(flagFin|flagReserved|opText, true, []byte(`{}`))),
		"a reserved opcode":                afterUpgrade(1002, frame(flagFin|0x3, true, nil)),
		"a reserved control opcode":        afterUpgrade(1002, frame(flagFin|0xB, true, nil)),
		"a fragmented ping":                afterUpgrade(1002, frame(opPing, true, nil)),
		"a ping of 126 bytes":              afterUpgrade(1002, frame(flagFin|opPing, true, make([]byte, 126))),
		"continues nothing":                afterUpgrade(1002, frame(flagFin|opContinuation, true, []byte(`x`))),
		"text within fragments":            afterUpgrade(1002, frame(opText, true, []byte(`{`)), text(`{}`)),
		"a length of 2^63":                 afterUpgrade(1002, []byte{flagFin | opText, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}),
		"a close of one byte":              afterUpgrade(1002, frame(flagFin|opClose, true, []byte{3})),
		"a close code that nobody may use": afterUpgrade(1002, frame(flagFin|opClose, true, []byte{1005 >> 8, 1005 & 0xff})),
		"invalid UTF-8":                    afterUpgrade(1007, text("{\"type\":\"\xff\"}")),
		"UTF-8 cut off at the end":         afterUpgrade(1007, text("\xe2\x82")),
		"invalid UTF-8 in fragments":       afterUpgrade(1007, frame(opText, true, []byte("\xe2")), frame(flagFin|opContinuation, true, []byte("\x28"))),
		"invalid UTF-8 as the reason":      afterUpgrade(1007, frame(flagFin|opClose, true, []byte("\x03\xe8\xff"))),
		"a request of 1 MiB":               afterUpgrade(1009, text(strings.Repeat(" ", 1<<20))),
		"fragments of 1 MiB":               afterUpgrade(1009, fragments(64, 16<<10)...),
		"a length of 2^62":                 afterUpgrade(1009, []byte{flagFin | opText, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}),
		"leaves politely":                  afterUpgrade(1000, frame(flagFin|opClose, true, []byte("\x03\xe8bye"))),

		"no upgrade":               inPlaceOfHandshake(400, "bad_handshake", "GET /ws HTTP/1.1\r\nHost: odin\r\n\r\n"),
		"an old version":           inPlaceOfHandshake(400, "bad_handshake", strings.Replace(handshake, "13", "8", 1)+"\r\n"),
		"no key":                   inPlaceOfHandshake(400, "bad_handshake", handshake[:strings.Index(handshake, "Sec-WebSocket-Key")]+"\r\n"),
		"a key that is none":       inPlaceOfHandshake(400, "bad_handshake", strings.Replace(handshake, "dGhlIHNhbXBsZSBub25jZQ==", "short", 1)+"\r\n"),
		"POST":                     inPlaceOfHandshake(400, "bad_handshake", strings.Replace(handshake, "GET", "POST", 1)+"\r\n"),
		"20 errors":                manyErrors,
		"a byte at a time":         byteAtATime,
		"silence from the start":   func(s *server) error { return silent(s, "") },
		"silence within the head":  func(s *server) error { return silent(s, handshake) },
		"a head that trickles":     tricklingHead,
		"half-closed":              halfClosed,
		"half-closed in the head":  halfClosedHead,
		"reset within a frame":     resetWithinFrame,
		"reset within the head":    resetWithinHead,
		"bytes before the 101":     earlyBytes,
		"a head of 9 KiB":          largeHead,
		"TLS to a plain port":      notHTTP("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		"line noise":               notHTTP(strings.Repeat("\x00\xff\r\n", 50)),
		"pings and a pong":         pinging,
		"a request in fragments":   fragmented,
		"vanishes after subscribe": vanishing,
	}
	return all
}

// fragments is a text message of n frames, which never ends.
func fragments(n, size int) [][]byte {
	list := [][]byte{frame(opText, true, make([]byte, size))}
	for len(list) < n {
		list = append(list, frame(opContinuation, true, []byte(strings.Repeat(" ", size))))
	}
	list[0] = frame(opText, true, []byte(strings.Repeat(" ", size)))
	return list
}

func manyErrors(s *server) error {
	r, err := rawUpgrade(s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	for range 25 {
		if _, err := r.Write(text(`{"type":"sing"}`)); err != nil {
			return err
		}
	}
	for n := 0; ; n++ {
		m, err := r.message()
		var e *closeError
		if errors.As(err, &e) && e.code == 1008 && n <= 20 { // what was owed may be cut off by the close
			return nil
		}
		if err != nil || m.Type != "error" || m.Code != "unknown_type" {
			return fmt.Errorf("after %d answers: %s, %w", n, m.raw, err)
		}
	}
}
