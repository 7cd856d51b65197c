package odin

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing/synctest"

	"github.com/gorilla/websocket"
)

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
