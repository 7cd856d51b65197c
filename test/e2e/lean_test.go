package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// lean is a client of which thousands fit into a test: of a record it keeps the
// position alone.
type lean struct {
	*raw
	worker   int
	patterns []string
	got      []position32
	pongs    chan cursor // of heartbeats, one at a time
	end      error       // why reading ended; to be read when pongs is closed
	payload  []byte
}

// position32 is a position in 8 bytes; topics are numbered by the test.
type position32 struct {
	topic, number uint16
	offset        uint32
}

// leanConnect connects, subscribes, and reads from then on.
func leanConnect(s *server, topics map[string]uint16, patterns []string) (*lean, error) {
	r, err := rawDial(s, 0)
	if err != nil {
		return nil, err
	}
	_ = r.SetDeadline(time.Time{})
	if _, err := r.WriteString(handshake + "\r\n"); err != nil {
		return nil, err
	}
	hello, err := r.hello()
	if err != nil {
		return nil, err
	}
	l := &lean{raw: r, worker: *hello.Worker, patterns: patterns, pongs: make(chan cursor, 1)}
	request, _ := json.Marshal(map[string]any{"type": "subscribe", "id": "s", "data": map[string]any{"channels": patterns}})
	if _, err := r.Write(text(string(request))); err != nil {
		return nil, err
	}
	if err := r.answered("subscription_ack", "s"); err != nil {
		return nil, err
	}
	go l.read(topics)
	return l, nil
}

func (l *lean) read(topics map[string]uint16) {
	defer close(l.pongs)
	for l.end == nil {
		l.end = l.one(topics)
	}
}

var (
	recordStart = []byte(`{"type":"message","channel":"`)
	posStart    = []byte(`","pos":"`)
)

// one reads a frame. Records are taken apart by their fixed beginning.
func (l *lean) one(topics map[string]uint16) error {
	op, err := l.nextInto()
	if err != nil {
		return err
	}
	switch op {
	case opPing:
		_, err = l.Write(frame(flagFin|opPong, true, l.payload))
		return err
	case opClose:
		return closeFrame(l.payload)
	}
	if rest, ok := bytes.CutPrefix(l.payload, recordStart); ok {
		at := bytes.Index(rest, posStart)
		if at < 0 {
			return fmt.Errorf("record %.200q", l.payload)
		}
		return l.take(topics, rest[at+len(posStart):])
	}
	m, err := parseMessage(bytes.Clone(l.payload))
	if err != nil {
		return err
	}
	if m.Type != "pong" {
		return fmt.Errorf("instead of a record or a pong: %.300s", m.raw)
	}
	l.pongs <- m.Cursor
	return nil
}

func (l *lean) take(topics map[string]uint16, rest []byte) error {
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return errors.New("a record without the end of its pos")
	}
	p, err := parsePosition(string(rest[:end]))
	if err != nil {
		return err
	}
	topic, ok := topics[p.topic]
	if !ok {
		return fmt.Errorf("a record of topic %q", p.topic)
	}
	l.got = append(l.got, position32{topic, uint16(p.number), uint32(p.offset)})
	return nil
}

// nextInto is raw.next with one buffer for all payloads.
func (l *lean) nextInto() (opcode byte, err error) {
	head, err := l.in.Peek(2)
	if err != nil {
		return 0, err
	}
	size := 2
	switch head[1] {
	case 126:
		size = 4
	case 127:
		size = 10
	}
	if head, err = l.in.Peek(size); err != nil {
		return 0, err
	}
	opcode = head[0] & 0xf
	n := uint64(head[1])
	switch size {
	case 4:
		n = uint64(binary.BigEndian.Uint16(head[2:]))
	case 10:
		n = binary.BigEndian.Uint64(head[2:])
	}
	if _, err := l.in.Discard(size); err != nil || n > 16<<20 {
		return 0, fmt.Errorf("a frame of %d bytes: %w", n, err)
	}
	if uint64(cap(l.payload)) < n {
		l.payload = make([]byte, n)
	}
	l.payload = l.payload[:n]
	_, err = io.ReadFull(l.in, l.payload)
	return opcode, err
}

// settle asks with heartbeats until the cursor covers the ends, or something is
// wrong.
func (l *lean) settle(ends map[partition]int64, within time.Duration) error {
	deadline := time.After(within)
	for {
		if _, err := l.Write(text(`{"type":"heartbeat"}`)); err != nil {
			return err
		}
		var at cursor
		var ok bool
		select {
		case at, ok = <-l.pongs:
		case <-deadline:
			return fmt.Errorf("not settled within %v", within)
		}
		if !ok {
			return l.end
		}
		if l.covers(at, ends) {
			return nil
		}
		time.Sleep(10 * pollEvery)
	}
}

func (l *lean) covers(at cursor, ends map[partition]int64) bool {
	for p, end := range ends {
		if got, ok := at.at(p); relevant(l.patterns, p.topic) && (!ok || got < end) {
			return false
		}
	}
	return true
}
