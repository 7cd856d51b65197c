package odin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Record is one record of the stream. It is the handler's to keep.
type Record struct {
	Channel string
	Pos     Pos
	// Time is the record's timestamp, set by its producer: no order, no age.
	Time time.Time
	// Value is what was produced: JSON, or any bytes when Binary. A tombstone
	// is the JSON null.
	Value  []byte
	Binary bool
	// History is set for records from before the subscription, which
	// Options.Last asked for.
	History bool
	// Raw is the message as it came: JSON.
	Raw []byte
}

// Gap says that records of a channel were dropped because this client was too
// slow: Dropped of them, the last at Pos.
type Gap struct {
	Channel string
	Dropped uint64
	Pos     Pos
	Raw     []byte
}

// Reset says that the server moved the stream's place in a topic.
type Reset struct {
	// Reason is "epoch" (a topic was made anew or truncated), "trimmed"
	// (records were gone before they could be had) or "topology" (partitions
	// were added).
	Reason string
	// Lost tells whether records may be missing.
	Lost bool
	// Cursor has the new places.
	Cursor Cursor
	Raw    []byte
}

// Rejection is a channel that the server does not subscribe; the client has
// forgotten it.
type Rejection struct {
	Channel string `json:"channel"`
	Code    string `json:"code"` // "bad_channel", "too_many_channels", "forbidden", or an error's
	Message string `json:"message"`
}

// message is whatever the server sends.
type message struct {
	Type string `json:"type"`
	ID   string `json:"id"`

	// hello
	Node           string `json:"node"`
	Worker         int    `json:"worker"`
	PingIntervalMS int64  `json:"ping_interval_ms"`
	Limits         struct {
		MaxRequestBytes int `json:"max_request_bytes"`
	} `json:"limits"`

	// message, gap
	Channel  string          `json:"channel"`
	Pos      string          `json:"pos"`
	TS       int64           `json:"ts"`
	Encoding string          `json:"encoding"`
	Data     json.RawMessage `json:"data"`
	Dropped  uint64          `json:"dropped"`

	// answers, reset
	Subscribed []string    `json:"subscribed"`
	Rejected   []Rejection `json:"rejected"`
	History    int         `json:"history"`
	Cursor     Cursor      `json:"cursor"`
	Recovered  bool        `json:"recovered"`
	Replayed   int         `json:"messages_replayed"`
	Reason     string      `json:"reason"`
	Lost       bool        `json:"lost"`
	Code       string      `json:"code"`
	Message    string      `json:"message"`

	pos Pos // of message and gap
	raw []byte
}

// parse reads one message, and checks what the client relies on. A type that
// it doesn't know is none of its business.
func parse(raw []byte) (*message, error) {
	m := &message{raw: raw}
	err := json.Unmarshal(raw, m)
	var other *json.UnmarshalTypeError
	if errors.As(err, &other) && m.Type != "" && !m.known() {
		return m, nil
	}
	if err != nil {
		return nil, &messageError{err}
	}
	if err := m.check(); err != nil {
		return nil, &messageError{err}
	}
	return m, nil
}

func (m *message) known() bool {
	switch m.Type {
	case "hello", "message", "gap", "reset", "subscription_ack", "unsubscription_ack", "reconnect_ack", "pong", "error", "reconnect_error":
		return true
	}
	return false
}

func (m *message) check() (err error) {
	switch m.Type {
	case "":
		return errors.New("it has no type")
	case "message":
		if m.Data == nil { // null is not nil
			return errors.New("a record has no data")
		}
		m.pos, err = ParsePos(m.Pos)
	case "gap":
		m.pos, err = ParsePos(m.Pos)
	case "hello":
		if m.Limits.MaxRequestBytes < 0 || m.PingIntervalMS < 0 {
			return errors.New("a limit is negative")
		}
	}
	if err != nil {
		return err
	}
	return m.Cursor.check()
}

// record is the record that a message carries.
func (m *message) record(history bool) (Record, error) {
	r := Record{Channel: m.Channel, Pos: m.pos, Time: time.UnixMilli(m.TS), Value: m.Data, History: history, Raw: m.raw}
	if m.Encoding == "" {
		return r, nil
	}
	var text string
	if m.Encoding != "base64" {
		return r, &messageError{fmt.Errorf("unknown encoding %q of %s", m.Encoding, m.Pos)}
	}
	if err := json.Unmarshal(m.Data, &text); err != nil {
		return r, &messageError{fmt.Errorf("data of %s: %w", m.Pos, err)}
	}
	value, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return r, &messageError{fmt.Errorf("data of %s: %w", m.Pos, err)}
	}
	r.Value, r.Binary = value, true
	return r, nil
}

// messageError is a message that breaks the protocol.
type messageError struct{ err error }

func (e *messageError) Error() string {
	return "odin: the server sent what is no odin.v1: " + e.err.Error()
}
func (e *messageError) Unwrap() error { return e.err }

// request is what the client sends.
type request struct {
	Type string       `json:"type"`
	ID   string       `json:"id,omitempty"`
	Data *requestData `json:"data,omitempty"`
}

type requestData struct {
	Channels []string `json:"channels"`
	Last     int      `json:"last,omitempty"`
	ClientID string   `json:"client_id,omitempty"`
	Cursor   Cursor   `json:"cursor,omitzero"`
}
