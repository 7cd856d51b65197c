package odin

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gorilla/websocket"
)

var worlds = flag.Int("worlds", 300, "how many random worlds a client is tried in")

// TestRandomWorlds runs clients against a server that does all that the
// protocol allows, at random: drops of the connection at any point, workers
// that lag, gaps, resets, topics made anew, replays that fail for each reason.
// Clients end at random, too, by a handler's error or whole, and begin again
// with the cursor that they kept. However that goes, each record of the
// client's channels is handed over once and in order, or its loss was told.
func TestRandomWorlds(t *testing.T) {
	for seed := range *worlds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newWorld(t, uint64(seed)).play(200) })
		})
	}
}

// place of a record in the world: offsets of different epochs are different.
type at3 struct{ epoch, partition, offset int }

const (
	parts   = 2
	workers = 2
)

// world is a log, two workers that know it more or less, and the session that
// the client has with one of them.
type world struct {
	*rig
	rand    *rand.Rand
	crashes *rand.Rand // of handlers: another goroutine's
	epoch   int
	log     [parts][]string     // of this epoch: the channel at each offset, "" for none
	applied [workers][parts]int // the last offset that each worker has
	all     []at3               // every record of the client's channels since it subscribed
	peer    *peer               // nil: none
	worker  int                 // that serves it
	at      [parts]int          // the session's place
	live    bool                // it gets what comes
	refused bool                // a reconnect was, and nothing subscribed since
	began   bool                // the client was ever subscribed
	losses  map[int][]at3       // what notices tell of, by their number
	told    map[at3]bool        // what the client was told that it misses
	had     map[at3]bool        // what it has dealt with
	last    [parts]at3          // of that, each partition's last
	fails   int                 // the record at which the handler fails; 0: none
	history []string            // for the message of a failure
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{rand: rand.New(rand.NewPCG(seed, 1)), crashes: rand.New(rand.NewPCG(seed, 2)), losses: map[int][]at3{}, told: map[at3]bool{}, had: map[at3]bool{}}
	for i := range w.applied {
		for p := range parts {
			w.applied[i][p] = -1
		}
	}
	w.rig = &rig{fake: newFake(t), done: make(chan struct{})}
	close(w.done)
	w.Client = w.newClient(nil)
	return w
}

var (
	wanted   = []string{"A.x", "B.x"}
	errCrash = errors.New("crash")
)

func (w *world) newClient(cursor Cursor) *Client {
	c, err := New("ws://odin.test/ws", Options{
		Channels:     wanted,
		Cursor:       cursor,
		Dialer:       &websocket.Dialer{NetDialContext: w.dial},
		OnRecord:     w.onRecord,
		OnGap:        func(g Gap) error { return w.tell(g.Raw) },
		OnReset:      func(r Reset) error { return w.tell(r.Raw) },
		OnRecovery:   w.onRecovery,
		OnDisconnect: func(d Disconnection) { w.note("disconnected: %v", d.Err) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, fmt.Sprintf(format, args...))
}

func (w *world) fatalf(format string, args ...any) {
	w.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(w.history, "\n"))
}

// crash makes one handler in thirty fail; what it was called for was not dealt
// with then.
func (w *world) crash() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails > 0 && w.crashes.IntN(30) == 0 {
		return errCrash
	}
	return nil
}

func (w *world) onRecord(r Record) error {
	if err := w.crash(); err != nil {
		return err
	}
	w.note("  has %s", r.Value)
	w.mu.Lock()
	defer w.mu.Unlock()
	var x at3
	if _, err := fmt.Sscanf(string(r.Value), "[%d,%d,%d]", &x.epoch, &x.partition, &x.offset); err != nil {
		w.t.Errorf("%s: %v", r.Raw, err)
	}
	if before := w.last[x.partition]; w.had[x] || before.epoch > x.epoch || before.epoch == x.epoch && len(w.had) > 0 && w.hadIn(x) && before.offset >= x.offset {
		w.t.Errorf("%+v comes behind %+v, had: %v\n%s", x, before, w.had[x], strings.Join(w.history, "\n"))
	}
	w.had[x] = true
	w.last[x.partition] = x
	return nil
}

// hadIn tells whether a record of the same epoch and partition was had.
func (w *world) hadIn(x at3) bool {
	last := w.last[x.partition]
	return w.had[last] && last.epoch == x.epoch && last.partition == x.partition
}

// tell is told of a loss by the number that its notice carries.
func (w *world) tell(raw []byte) error {
	if err := w.crash(); err != nil {
		return err
	}
	var notice struct{ Loss int }
	if err := json.Unmarshal(raw, &notice); err != nil {
		w.t.Error(err)
	}
	w.note("  is told %s", raw)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.losses[notice.Loss] {
		w.told[x] = true
	}
	return nil
}

func (w *world) onRecovery(r Recovery) error {
	if err := w.crash(); err != nil {
		return err
	}
	w.note("  recovery %+v", r)
	if !r.Recovered {
		w.mu.Lock()
		for _, x := range w.losses[-1] {
			w.told[x] = true
		}
		w.mu.Unlock()
	}
	return nil
}

// start runs the client, if it doesn't; perhaps a new one, with the cursor of
// the old.
func (w *world) start() {
	select {
	case <-w.done:
	default:
		return
	}
	if w.err != nil && !errors.Is(w.err, errCrash) && !errors.Is(w.err, context.Canceled) {
		w.fatalf("Run returned %v", w.err)
	}
	if w.began && w.rand.IntN(2) == 0 && len(w.Cursor()) > 0 {
		text, _ := json.Marshal(w.Cursor())
		w.note("a new client with %s", text)
		cursor, err := ParseCursor(text)
		if err != nil {
			w.fatalf("%v", err)
		}
		w.Client = w.newClient(cursor)
	}
	w.run()
}

func (w *world) play(steps int) {
	w.fails = 1
	for range steps {
		w.start()
		switch w.rand.IntN(20) {
		case 0:
			w.hangUp()
		case 1:
			w.skip()
		case 2:
			if w.rand.IntN(8) == 0 {
				w.remake()
			}
		case 3:
			w.cancel()
			<-w.done
			w.start()
		case 4, 5, 6, 7, 8:
			w.apply(w.rand.IntN(workers))
		case 9, 10, 11:
			w.serve()
		case 12:
			w.await()
		default:
			w.produce()
		}
	}
	w.finish()
}

// await waits for the client's next connection, if it has none.
func (w *world) await() {
	if w.peer == nil {
		w.acceptInto()
		w.serve()
	}
}

// acceptInto waits for a connection and puts it back for serve.
func (w *world) acceptInto() {
	synctest.Wait()
	w.start()
	p := w.acceptSilent()
	w.peers <- p
}

// finish brings the client up to the end of the log, and looks at what it has.
func (w *world) finish() {
	w.mu.Lock()
	w.fails = 0
	w.mu.Unlock()
	for tries := 0; tries == 0 || w.peer == nil || !w.live; tries++ { // the last delivery may find it gone
		if tries > 1000 {
			w.fatalf("the client doesn't come back")
		}
		w.await()
		w.serve()
		for p := range parts {
			w.applied[w.worker][p] = len(w.log[p]) - 1
		}
		if w.live {
			w.deliver(false)
		}
		synctest.Wait()
	}
	w.check()
	w.cancel()
	<-w.done
}

func (w *world) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.all {
		if !w.had[x] && !w.told[x] {
			w.fatalf("%+v was neither handed over nor told to be lost", x)
		}
	}
}
