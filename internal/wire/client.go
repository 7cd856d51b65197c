package wire

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// ServerMessage is whatever the server sends, for clients in Go: `type` tells
// which of the fields are there.
type ServerMessage struct {
	Type string  `json:"type"`
	ID   *string `json:"id,omitempty"`

	// hello
	Version        string       `json:"version,omitempty"`
	Node           string       `json:"node,omitempty"`
	Worker         int          `json:"worker,omitempty"`
	PingIntervalMS int64        `json:"ping_interval_ms,omitempty"`
	Limits         ServerLimits `json:"limits,omitzero"`

	// message; ts also of hello and pong
	Channel  string          `json:"channel,omitempty"` // also of gap
	Pos      string          `json:"pos,omitempty"`     // also of gap
	TS       int64           `json:"ts,omitempty"`
	Encoding string          `json:"encoding,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`

	// answers
	Subscribed   []string          `json:"subscribed,omitempty"`
	Unsubscribed []string          `json:"unsubscribed,omitempty"`
	Rejected     []ServerRejection `json:"rejected,omitempty"`
	Omitted      int               `json:"omitted,omitempty"`
	Count        int               `json:"count,omitempty"`
	History      int               `json:"history,omitempty"`
	Cursor       Cursor            `json:"cursor,omitempty"`

	// reconnect_ack
	Recovered        bool   `json:"recovered,omitempty"`
	Status           string `json:"status,omitempty"`
	MessagesReplayed int    `json:"messages_replayed,omitempty"`

	Reason  string `json:"reason,omitempty"`  // reconnect_ack, reset
	Lost    bool   `json:"lost,omitempty"`    // reset
	Dropped uint64 `json:"dropped,omitempty"` // gap
	Code    string `json:"code,omitempty"`    // error, reconnect_error
	Message string `json:"message,omitempty"` // error, reconnect_error
}

// ServerLimits are the limits that hello announces.
type ServerLimits struct {
	MaxChannels     int `json:"max_channels"`
	MaxRequestBytes int `json:"max_request_bytes"`
}

// ServerRejection is a channel that was not subscribed.
type ServerRejection struct {
	Channel string `json:"channel"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Cursor is a session's place in each topic, as clients keep it.
type Cursor map[string]CursorEntry

// CursorEntry is the place in one topic; a nil offset can't be proven.
type CursorEntry struct {
	Epoch   string   `json:"epoch"`
	Offsets []*int64 `json:"offsets"`
}

// Value is the record's value as it was produced: base64 undone, nil for a
// tombstone.
func (m *ServerMessage) Value() ([]byte, error) {
	if m.Encoding == "" {
		if string(m.Data) == "null" {
			return nil, nil
		}
		return m.Data, nil
	}
	if m.Encoding != "base64" {
		return nil, fmt.Errorf("wire: unknown encoding %q of %s", m.Encoding, m.Pos)
	}
	var text string
	if err := json.Unmarshal(m.Data, &text); err != nil {
		return nil, fmt.Errorf("wire: data of %s: %w", m.Pos, err)
	}
	value, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("wire: data of %s: %w", m.Pos, err)
	}
	return value, nil
}

// ClientRequest is a request, for clients in Go.
type ClientRequest struct {
	Type string      `json:"type"`
	ID   string      `json:"id,omitempty"`
	Data *ClientData `json:"data,omitempty"`
}

// ClientData is a request's data.
type ClientData struct {
	Channels   []string         `json:"channels,omitzero"`
	Last       int              `json:"last,omitempty"`
	ClientID   string           `json:"client_id,omitempty"`
	Cursor     Cursor           `json:"cursor,omitzero"`
	LastOffset map[string]int64 `json:"last_offset,omitzero"`
}

// CloseReason is the JSON in the reason of a close frame of Odin's.
type CloseReason struct {
	Code       string `json:"code"`
	RetryMinMS int64  `json:"retry_min_ms,omitempty"`
	RetryMaxMS int64  `json:"retry_max_ms,omitempty"` // 0: don't reconnect
}

// AppendClientFrame appends a frame as a client sends it: masked with the
// key.
func AppendClientFrame(dst []byte, fin bool, op Opcode, payload []byte, key [4]byte) []byte {
	start := len(dst)
	dst = appendHeader(dst, op, len(payload))
	if !fin {
		dst[start] &^= finBit
	}
	dst[start+1] |= maskBit
	dst = append(dst, key[:]...)
	body := len(dst)
	dst = append(dst, payload...)
	unmask(dst[body:], binary.LittleEndian.Uint32(key[:]))
	return dst
}
