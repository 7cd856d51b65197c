package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/scripts/chaos/check"
)

// library is a client that hears through the package odin. What its handlers
// are given is its stream, and what they are told of losses is all that
// announces one: that the library passes on all that it hears, once and in
// order, is checked with it.
type library struct {
	*client
	odin *odin.Client

	events  sync.Mutex  // guards the stream
	asked   bool        // for channels, and its place in the log is not known yet
	had     odin.Cursor // what handlers were given, or told as dropped
	sampled time.Time   // its cursor
}

const (
	sampleEvery  = 250 * time.Millisecond
	lookEvery    = 50 * time.Millisecond // at the place that a subscription begins at
	handlerFails = 3000                  // one record in so many is more than its handler can take
)

// Reasons for which Run ends that are the client's own.
var (
	errHandler = errors.New("its handler failed")
	errLeft    = errors.New("left")
)

// runLibrary runs a client of the library until all has been had: it leaves and
// comes back, with the same client or with a new one that has its cursor.
func (c *client) runLibrary(ctx context.Context) {
	l := &library{client: c, had: odin.Cursor{}}
	l.make(nil)
	for ctx.Err() == nil && !c.satisfied() {
		c.setWilful("")
		err := l.stay(ctx)
		c.cursor = l.odin.Cursor()
		l.left(ctx, err)
		if c.satisfied() {
			return
		}
		if c.random.IntN(2) == 0 {
			l.reborn()
		}
		c.rest(ctx)
	}
}

// stay runs the client for as long as its manner has it.
func (l *library) stay(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if m := l.manner; m.stayMax > 0 && !l.world.finishing() {
		stay := between(l.random, m.stayMin, m.stayMax)
		defer time.AfterFunc(stay, func() { cancel(errLeft) }).Stop()
	}
	ended := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() { l.look(ended, cancel) })
	err := l.odin.Run(ctx)
	close(ended)
	looking.Wait()
	return err
}

// look waits for what no handler is told: the place of a subscription, and the
// log's end.
func (l *library) look(ended <-chan struct{}, cancel context.CancelCauseFunc) {
	finish := l.world.finish
	for tick := time.Tick(lookEvery); ; {
		select {
		case <-ended:
			return
		case <-finish:
			finish = nil
			if l.manner.pauseMax > 0 {
				l.drop() // a small receive buffer keeps its window small for as long as the connection lasts
			}
		case <-tick:
		}
		l.events.Lock()
		l.settle()
		l.events.Unlock()
		if l.world.finishing() && l.world.reached(l.odin.Cursor()) {
			l.mu.Lock()
			l.done = true
			l.mu.Unlock()
			cancel(errLeft)
			return
		}
	}
}

// left takes down where Run has ended, and why.
func (l *library) left(ctx context.Context, err error) {
	l.events.Lock()
	defer l.events.Unlock()
	l.settle()
	if len(l.cursor) > 0 && !l.asked {
		l.note(check.Note{Kind: check.Pong, Cursor: l.cursor.Clone()})
	}
	switch {
	case errors.Is(err, errLeft):
		l.setWilful("left")
		l.note(check.Note{Kind: check.Ended, Reason: map[bool]string{true: "had all", false: "left"}[l.satisfied()]})
	case errors.Is(err, errHandler): // the end of the connection was told
	case ctx.Err() == nil:
		l.note(check.Note{Kind: check.Refused, Reason: fmt.Sprintf("the library gave up: %v", err)})
	}
}

// reborn replaces the client with one that knows of it only what a file does.
func (l *library) reborn() {
	text, err := json.Marshal(l.cursor)
	if err != nil {
		panic(err)
	}
	cursor, err := odin.ParseCursor(text)
	if err != nil {
		l.note(check.Note{Kind: check.Refused, Reason: fmt.Sprintf("its cursor %s can't be read back: %v", text, err)})
	}
	if len(cursor) == 0 {
		cursor = nil
	}
	l.make(cursor)
	l.had = odin.Cursor{}
	if cursor != nil {
		l.had = cursor.Clone()
	}
}

func (l *library) make(cursor odin.Cursor) {
	made, err := odin.New(l.world.odind.url(), odin.Options{
		Channels: l.stream.Channels, Cursor: cursor, ClientID: l.stream.Name, Heartbeat: l.manner.pulse,
		BackoffMin: 100 * time.Millisecond, BackoffMax: time.Second,
		OnRecord: l.onRecord, OnGap: l.onGap, OnReset: l.onReset, OnRecovery: l.onRecovery,
		OnRejected: l.onRejected, OnConnect: l.onConnect, OnDisconnect: l.onDisconnect,
		Dialer: &websocket.Dialer{HandshakeTimeout: dialMax, ReadBufferSize: 4096, WriteBufferSize: 512, NetDialContext: l.dialHeld},
	})
	if err != nil {
		panic(err)
	}
	l.odin = made
}

// settle takes down where a subscription has begun. The library has no word for
// it, but the cursor that it has before its first handler is called. events is
// held.
func (l *library) settle() {
	if !l.asked {
		return
	}
	if cursor := l.odin.Cursor(); len(cursor) > 0 {
		l.asked = false
		l.note(check.Note{Kind: check.SubscriptionAck, Cursor: cursor})
	}
}

// sample takes down, now and then, what the library claims to have given: its
// cursor is exact while a handler is called.
func (l *library) sample() {
	l.settle()
	if now := time.Now(); now.Sub(l.sampled) >= sampleEvery {
		l.sampled = now
		l.note(check.Note{Kind: check.Pong, Cursor: l.odin.Cursor()})
	}
}

// dialHeld connects so that the connection can be broken.
func (l *library) dialHeld(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := l.dial(ctx, network, addr)
	if err == nil {
		l.hold(conn)
	}
	return conn, err
}

func (l *library) onConnect(odin.Connection) {
	l.events.Lock()
	defer l.events.Unlock()
	l.note(check.Note{Kind: check.Connected})
	cursor := l.odin.Cursor()
	if l.asked = len(cursor) == 0; l.asked {
		l.note(check.Note{Kind: check.Subscribe})
		return
	}
	l.note(check.Note{Kind: check.Reconnect, Cursor: cursor})
	l.sampled = time.Now().Add(time.Hour) // not before the answer
}

func (l *library) onDisconnect(d odin.Disconnection) {
	l.events.Lock()
	defer l.events.Unlock()
	l.settle()
	l.hold(nil)
	l.note(check.Note{Kind: check.Ended, Reason: l.whyEnded(d)})
	l.asked = false
}

// whyEnded words it, and wants the server's window kept to.
func (l *library) whyEnded(d odin.Disconnection) string {
	var end *odin.CloseError
	var no *odin.RefusedError
	switch {
	case errors.Is(d.Err, errHandler):
		return errHandler.Error()
	case errors.As(d.Err, &end):
		if end.Code == websocket.CloseGoingAway && (d.RetryIn < windowMin || d.RetryIn > windowMax) {
			l.note(check.Note{Kind: check.Refused, Reason: fmt.Sprintf("the library comes back %v after a close with 1001", d.RetryIn)})
		}
		return fmt.Sprintf("closed with %d %s", end.Code, end.Reason)
	case errors.As(d.Err, &no):
		return fmt.Sprintf("refused with %d", no.Status)
	}
	return "broken"
}

func (l *library) onRecord(r odin.Record) error {
	if l.random.IntN(handlerFails) == 0 && !l.world.finishing() {
		return errHandler
	}
	l.enter(r)
	l.pause()
	return nil
}

func (l *library) enter(r odin.Record) {
	l.events.Lock()
	defer l.events.Unlock()
	l.sample()
	topic, ok := l.world.ledger.topics[r.Pos.Topic]
	if !ok {
		l.note(check.Note{Kind: check.Refused, Reason: "a record of " + r.Pos.String()})
		return
	}
	l.stream.Events = append(l.stream.Events, check.Event{
		At: int32(time.Since(l.world.began).Milliseconds()), Note: check.NoNote, Topic: topic, Partition: uint16(r.Pos.Partition),
		Channel: l.world.ledger.channels[r.Channel], Sum: sum(r.Value), Offset: r.Pos.Offset,
	})
	l.pass(r.Pos)
}

func (l *library) onGap(g odin.Gap) error {
	l.events.Lock()
	defer l.events.Unlock()
	l.sample()
	l.note(check.Note{Kind: check.Gap, Channel: g.Channel, Dropped: g.Dropped, Pos: g.Pos})
	l.pass(g.Pos)
	return nil
}

// pass takes down that its handlers have had all up to there.
func (l *library) pass(pos odin.Pos) {
	if _, ok := l.had[pos.Topic]; !ok {
		l.had[pos.Topic] = odin.TopicCursor{Epoch: l.odin.Cursor()[pos.Topic].Epoch}
	}
	l.had.Advance(pos)
}

func (l *library) onReset(r odin.Reset) error {
	l.events.Lock()
	defer l.events.Unlock()
	l.sample()
	l.note(check.Note{Kind: check.Reset, Reason: r.Reason, Lost: r.Lost, Cursor: l.places(r.Cursor, r.Reason)})
	return nil
}

func (l *library) onRecovery(r odin.Recovery) error {
	l.events.Lock()
	defer l.events.Unlock()
	if r.Cursor == nil {
		l.note(check.Note{Kind: check.Refused, Reason: fmt.Sprintf("its reconnect: %s %s", r.Reason, r.Message)})
		return nil
	}
	l.note(check.Note{Kind: check.ReconnectAck, Recovered: r.Recovered, Replayed: r.Replayed, Reason: r.Reason, Cursor: l.places(r.Cursor, r.Reason)})
	l.sampled = time.Now()
	return nil
}

func (l *library) onRejected(r odin.Rejection) {
	l.events.Lock()
	defer l.events.Unlock()
	l.note(check.Note{Kind: check.Refused, Reason: fmt.Sprintf("channel %s: %s %s", r.Channel, r.Code, r.Message)})
}

// places are those of the server, no lower than what handlers have had: that
// comes no second time, unless offsets may have become those of others.
func (l *library) places(server odin.Cursor, reason string) odin.Cursor {
	places := server.Clone()
	for topic, entry := range places {
		had, known := l.had[topic]
		if !known || had.Epoch != entry.Epoch {
			had = odin.TopicCursor{Epoch: entry.Epoch}
		}
		for i := range max(len(entry.Offsets), len(had.Offsets)) {
			if i == len(had.Offsets) {
				had.Offsets = append(had.Offsets, -1)
			}
			if i == len(entry.Offsets) {
				entry.Offsets = append(entry.Offsets, -1)
			}
			switch {
			case !sameRecords(reason):
				had.Offsets[i] = min(had.Offsets[i], entry.Offsets[i])
			case entry.Offsets[i] != odin.Unproven:
				entry.Offsets[i] = max(entry.Offsets[i], had.Offsets[i])
			}
		}
		l.had[topic], places[topic] = had, entry
	}
	return places
}

// sameRecords tells whether offsets are still those of the same records behind
// a reset or a reconnect that was not recovered.
func sameRecords(reason string) bool { return reason != "" && reason != "epoch" }
