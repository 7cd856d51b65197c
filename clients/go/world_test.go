package odin

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
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

// send sends to the client, if it is still there.
func (w *world) send(format string, args ...any) {
	if w.peer == nil {
		return
	}
	text := fmt.Sprintf(format, args...)
	w.note("sends %s", text)
	if w.peer.conn.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
		w.hangUp()
	}
}

func (w *world) hangUp() {
	if w.peer != nil {
		w.note("cut")
		w.peer.drop()
		w.peer, w.live = nil, false
	}
}

// cursor is a place as JSON.
func (w *world) cursor(at [parts]int) string {
	return fmt.Sprintf(`{"t":{"epoch":"e%d","offsets":[%d,%d]}}`, w.epoch, at[0], at[1])
}

// between are the client's records of a partition behind one offset, up to
// another.
func (w *world) between(p, from, to int) (found []at3) {
	for offset := from + 1; offset <= to && offset < len(w.log[p]); offset++ {
		if slices.Contains(wanted, w.log[p][offset]) {
			found = append(found, at3{w.epoch, p, offset})
		}
	}
	return found
}

func (w *world) produce() {
	p := w.rand.IntN(parts)
	channel := []string{"A.x", "B.x", "C.x", ""}[w.rand.IntN(4)]
	w.log[p] = append(w.log[p], channel)
	if w.began && slices.Contains(wanted, channel) {
		w.all = append(w.all, at3{w.epoch, p, len(w.log[p]) - 1})
	}
}

// apply lets a worker learn more of the log, and its session.
func (w *world) apply(worker int) {
	for p := range parts {
		if more := len(w.log[p]) - 1 - w.applied[worker][p]; more > 0 {
			w.applied[worker][p] += 1 + w.rand.IntN(more)
		}
	}
	if w.live && worker == w.worker {
		w.deliver(true)
	}
}

// deliver sends the session what its worker has; some of it may be dropped.
func (w *world) deliver(lossy bool) {
	for p := range parts {
		to := w.applied[w.worker][p]
		var dropped []at3
		for _, x := range w.between(p, w.at[p], to) {
			if lossy && w.rand.IntN(6) == 0 {
				dropped = append(dropped, x)
				continue
			}
			w.gap(p, dropped)
			dropped = nil
			w.record(x)
		}
		w.gap(p, dropped)
		w.at[p] = max(w.at[p], to)
	}
}

func (w *world) record(x at3) {
	w.send(`{"type":"message","channel":%q,"pos":"t:%d:%d","ts":1,"data":[%d,%d,%d]}`, w.log[x.partition][x.offset], x.partition, x.offset, x.epoch, x.partition, x.offset)
}

func (w *world) gap(p int, dropped []at3) {
	if len(dropped) > 0 {
		w.send(`{"type":"gap","channel":"A.x","dropped":%d,"pos":"t:%d:%d","loss":%d}`, len(dropped), p, dropped[len(dropped)-1].offset, w.loss(dropped))
	}
}

// loss numbers what a notice tells of.
func (w *world) loss(records []at3) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.losses) + 1
	w.losses[n] = records
	return n
}

// skip moves the session on without sending, and says so.
func (w *world) skip() {
	if !w.live {
		return
	}
	var lost []at3
	for p := range parts {
		lost = append(lost, w.between(p, w.at[p], w.applied[w.worker][p])...)
		w.at[p] = max(w.at[p], w.applied[w.worker][p])
	}
	w.send(`{"type":"reset","reason":"trimmed","lost":true,"loss":%d,"cursor":%s}`, w.loss(lost), w.cursor(w.at))
}

// remake makes the topic anew: what wasn't delivered is gone for good.
func (w *world) remake() {
	var lost []at3
	for p := range parts {
		lost = append(lost, w.between(p, -1, len(w.log[p]))...)
		w.log[p] = nil
		for i := range workers {
			w.applied[i][p] = -1
		}
	}
	w.epoch++
	w.mu.Lock()
	w.losses[-w.epoch-1] = lost // for whoever asks with a cursor of before
	w.mu.Unlock()
	if w.live {
		w.at = [parts]int{-1, -1}
		w.send(`{"type":"reset","reason":"epoch","lost":true,"loss":%d,"cursor":%s}`, w.loss(lost), w.cursor(w.at))
	}
}

// serve takes a new connection, or the requests of the one there is.
func (w *world) serve() {
	synctest.Wait()
	select {
	case p := <-w.peers:
		w.hangUp()
		w.peer, w.live, w.worker = p, false, w.rand.IntN(workers)
		w.send("%s", greeting)
		synctest.Wait()
	default:
	}
	for w.peer != nil {
		select {
		case a, open := <-w.peer.got:
			if !open {
				w.hangUp()
				return
			}
			w.answer(a)
			synctest.Wait()
		default:
			return
		}
	}
}

func (w *world) answer(a asked) {
	w.note("asked %s %q %s", a.Type, a.Data.Channels, a.Data.Cursor)
	switch a.Type {
	case "heartbeat":
		if w.live {
			w.send(`{"type":"pong","ts":1,"cursor":%s}`, w.cursor(w.at))
		}
	case "subscribe":
		w.subscribe(a)
	case "reconnect":
		w.reconnect(a)
	}
}

func (w *world) subscribe(a asked) {
	if !w.refused { // its stream begins here
		w.all = nil
		for p := range parts {
			w.all = append(w.all, w.between(p, w.applied[w.worker][p], len(w.log[p]))...)
		}
	}
	w.at, w.live, w.began, w.refused = w.applied[w.worker], true, true, false
	names, _ := json.Marshal(a.Data.Channels)
	w.send(`{"type":"subscription_ack","id":%q,"subscribed":%s,"rejected":[],"count":2,"history":0,"cursor":%s}`, a.ID, names, w.cursor(w.at))
}

// reconnect recovers, or says truthfully why not.
func (w *world) reconnect(a asked) {
	var cursor map[string]struct {
		Epoch   string
		Offsets [parts]int
	}
	if err := json.Unmarshal(a.Data.Cursor, &cursor); err != nil {
		w.fatalf("cursor %s: %v", a.Data.Cursor, err)
	}
	names, _ := json.Marshal(a.Data.Channels)
	have, a0 := cursor["t"], w.applied[w.worker]
	if have.Epoch != fmt.Sprintf("e%d", w.epoch) {
		w.owes(w.lostOfEpochs())
		w.at, w.live = a0, true
		w.send(`{"type":"reconnect_ack","id":%q,"recovered":false,"reason":"epoch","subscribed":%s,"rejected":[],"cursor":%s}`, a.ID, names, w.cursor(w.at))
		return
	}
	behind := a0[0] < have.Offsets[0] || a0[1] < have.Offsets[1]
	switch w.rand.IntN(4) {
	case 0: // fails without need
		var lost []at3
		for p := range parts {
			lost = append(lost, w.between(p, have.Offsets[p], a0[p])...)
		}
		w.owes(lost)
		reason := []string{"limit", "trimmed", "unavailable"}[w.rand.IntN(3)]
		if !behind && w.rand.IntN(3) == 0 {
			w.refused = true
			w.send(`{"type":"error","id":%q,"code":"bad_request","message":"no"}`, a.ID)
			return
		}
		w.at, w.live = a0, true
		w.send(`{"type":"reconnect_ack","id":%q,"recovered":false,"reason":%q,"subscribed":%s,"rejected":[],"cursor":%s}`, a.ID, reason, names, w.cursor(w.at))
	default: // waits until it has as much as the client, and replays
		for p := range parts {
			w.applied[w.worker][p] = max(a0[p], have.Offsets[p])
			w.at[p] = have.Offsets[p]
		}
		peer := w.peer
		for p := range parts {
			for _, x := range w.between(p, w.at[p], w.applied[w.worker][p]) {
				if w.rand.IntN(20) == 0 {
					w.hangUp()
				}
				if w.peer != peer {
					return
				}
				w.record(x)
			}
		}
		w.at, w.live = w.applied[w.worker], true
		w.send(`{"type":"reconnect_ack","id":%q,"recovered":true,"status":"completed","messages_replayed":1,"subscribed":%s,"rejected":[],"cursor":%s}`, a.ID, names, w.cursor(w.at))
	}
}

// owes is what the client will be told that it misses, by recovered:false.
func (w *world) owes(lost []at3) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.losses[-1] = lost
}

// lostOfEpochs is all that earlier epochs had, and what the worker has of this.
func (w *world) lostOfEpochs() (lost []at3) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n, records := range w.losses {
		if n < -1 {
			lost = append(lost, records...)
		}
	}
	for p := range parts {
		lost = append(lost, w.between(p, -1, w.applied[w.worker][p])...)
	}
	return lost
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
