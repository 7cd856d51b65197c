package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/scripts/chaos/check"
)

// hear takes down what comes until the connection ends.
func (c *client) hear(conn *websocket.Conn) error {
	c.next = time.Now().Add(c.manner.pauseMax)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		_, r, err := conn.NextReader()
		if err != nil {
			return err
		}
		if err := c.take(r); err != nil {
			return err
		}
		if c.satisfied() {
			_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
			return nil
		}
		c.pause()
	}
}

// pause doesn't read for a while, now and then, if that is the client's manner.
func (c *client) pause() {
	if c.manner.pauseMax == 0 || time.Now().Before(c.next) {
		return
	}
	select {
	case <-time.After(between(c.random, c.manner.pauseMax/4, c.manner.pauseMax)):
	case <-c.world.finish:
	}
	c.next = time.Now().Add(between(c.random, time.Second, c.manner.pauseMax))
}

func (c *client) take(r io.Reader) error {
	b := bytes.NewBuffer(c.buffer[:0])
	if _, err := b.ReadFrom(r); err != nil {
		return err
	}
	c.buffer = b.Bytes()
	if c.record(c.buffer) {
		return nil
	}
	return c.answer(c.buffer)
}

// record takes a record, whose form doesn't vary.
func (c *client) record(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte(`{"type":"message","channel":"`))
	if !ok {
		return false
	}
	channel, rest, ok1 := bytes.Cut(rest, []byte(`","pos":"`))
	place, rest, ok2 := bytes.Cut(rest, []byte(`","ts":`))
	_, data, ok3 := bytes.Cut(rest, []byte(`"data":`))
	pos, err := odin.ParsePos(string(place))
	topic, ok4 := c.world.ledger.topics[pos.Topic]
	if !ok1 || !ok2 || !ok3 || !ok4 || err != nil || len(data) == 0 {
		return false
	}
	data = data[:len(data)-1]
	if bytes.Contains(rest[:len(rest)-len(data)-1], []byte(`"encoding":"base64"`)) {
		data, _ = base64.StdEncoding.AppendDecode(nil, bytes.Trim(data, `"`))
		data = append([]byte{}, data...) // an empty value is no tombstone
	}
	c.stream.Events = append(c.stream.Events, check.Event{
		At: int32(time.Since(c.world.began).Milliseconds()), Note: check.NoNote, Topic: topic, Partition: uint16(pos.Partition),
		Channel: c.world.ledger.channels[string(channel)], Sum: sum(data), Offset: pos.Offset,
	})
	c.cursor.Advance(pos)
	return true
}

// reply is whatever else the server sends.
type reply struct {
	Type      check.Kind  `json:"type"`
	Cursor    odin.Cursor `json:"cursor"`
	History   int         `json:"history"`
	Replayed  int         `json:"messages_replayed"`
	Recovered bool        `json:"recovered"`
	Lost      bool        `json:"lost"`
	Reason    string      `json:"reason"`
	Message   string      `json:"message"`
	Pos       string      `json:"pos"`
	Channel   string      `json:"channel"`
	Dropped   uint64      `json:"dropped"`
}

func (c *client) answer(text []byte) error {
	var m reply
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	n := check.Note{
		Kind: m.Type, Cursor: m.Cursor, History: m.History, Replayed: m.Replayed, Recovered: m.Recovered, Lost: m.Lost,
		Reason: m.Reason, Channel: m.Channel, Dropped: m.Dropped,
	}
	switch m.Type {
	case "hello":
		return nil
	case check.Gap:
		pos, err := odin.ParsePos(m.Pos)
		if err != nil { // -1: not known where
			pos = unknownPlace(m.Pos)
		}
		n.Pos = pos
		c.cursor.Advance(pos)
	case check.Refused, "reconnect_error", "message":
		n.Kind, n.Reason = check.Refused, strconv.Quote(string(text[:min(len(text), 300)]))
	}
	c.adopt(m.Cursor)
	c.note(n)
	return nil
}

// unknownPlace is a place of which only the partition is told: offset -1.
func unknownPlace(text string) odin.Pos {
	pos, _ := odin.ParsePos(text[:max(0, len(text)-len("-1"))] + "0")
	pos.Offset = -1
	return pos
}

// adopt replaces the cursor's entries, and looks whether all has been had.
func (c *client) adopt(cursor odin.Cursor) {
	if cursor == nil {
		return
	}
	if c.cursor == nil {
		c.cursor = odin.Cursor{}
	}
	for topic, entry := range cursor.Clone() {
		c.cursor[topic] = entry
	}
	if c.world.reached(cursor) {
		c.mu.Lock()
		c.done = true
		c.mu.Unlock()
	}
}
