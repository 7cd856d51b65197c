package wire

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// CloseCode is the status in a close frame (RFC 6455 section 7.4).
type CloseCode uint16

// The codes with which Odin closes, and CloseNoStatus and CloseAbnormal,
// which never travel: they stand for a close frame without a code and for a
// connection that ended without a close frame.
const (
	CloseNormal          CloseCode = 1000
	CloseGoingAway       CloseCode = 1001
	CloseProtocolError   CloseCode = 1002
	CloseUnsupportedData CloseCode = 1003
	CloseNoStatus        CloseCode = 1005
	CloseAbnormal        CloseCode = 1006
	CloseInvalidData     CloseCode = 1007
	ClosePolicy          CloseCode = 1008
	CloseTooBig          CloseCode = 1009
	CloseInternal        CloseCode = 1011
	CloseRestarting      CloseCode = 1012
	CloseOverloaded      CloseCode = 1013
	CloseSlowConsumer    CloseCode = 4000
	CloseTokenExpired    CloseCode = 4001
)

// CloseError says why Odin has to end a connection.
type CloseError struct {
	Code    CloseCode
	Message string // for the log
}

// Error gives code and message.
func (e *CloseError) Error() string {
	return "close " + strconv.Itoa(int(e.Code)) + ": " + e.Message
}

// CloseMeaning documents a code with which Odin closes.
type CloseMeaning struct {
	Code      CloseCode
	Reasons   []string // what `code` in the reason can be
	When      string
	Reconnect string // what the client should do, in words
	// The window for a reconnect, at a random instant within it; both zero:
	// don't.
	RetryMin, RetryMax time.Duration
}

// CloseMeanings is every code with which Odin closes, in ascending order.
func CloseMeanings() []CloseMeaning {
	const soon, soonMax = 500 * time.Millisecond, 5 * time.Second
	return []CloseMeaning{
		{Code: CloseNormal, Reasons: nil, When: "the answer to the client's own close", Reconnect: "as the client likes"},
		{CloseGoingAway, []string{"draining", "shutting_down"}, "draining or shutting down", "yes, within the window given", soon, soonMax},
		{Code: CloseProtocolError, Reasons: []string{"protocol_error"}, When: "a frame that breaks RFC 6455", Reconnect: "no"},
		{Code: CloseUnsupportedData, Reasons: []string{"binary"}, When: "a binary message: requests are text", Reconnect: "no"},
		{Code: CloseInvalidData, Reasons: []string{"invalid_utf8"}, When: "text that is not valid UTF-8", Reconnect: "no"},
		{Code: ClosePolicy, Reasons: []string{"origin", "too_many_errors"}, When: "an origin that is not allowed; 20 errors within 60 s", Reconnect: "no"},
		{Code: CloseTooBig, Reasons: []string{"too_big"}, When: "a request larger than `max_request_bytes`", Reconnect: "no"},
		{CloseInternal, []string{"internal"}, "an internal fault; behind `internal:` stands its id in the log", "yes", soon, soonMax},
		{CloseRestarting, []string{"restarting", "replay_broken"}, "the worker restarts and the session could not be moved; a replay could not go on", "yes", soon, soonMax},
		{CloseOverloaded, []string{"overloaded"}, "overloaded", "yes, later", 5 * time.Second, 30 * time.Second},
		{CloseSlowConsumer, []string{"slow_consumer"}, "the client reads too slowly and its queue is full", "yes, with its cursor", soon, soonMax},
		{CloseTokenExpired, []string{"token_expired"}, "the token expired *(later)*", "yes, with a new token", soon, soonMax},
	}
}

// Meaning is the documented meaning of a code; ok is false for a code with
// which Odin doesn't close.
func (c CloseCode) Meaning() (m CloseMeaning, ok bool) {
	for _, m := range CloseMeanings() {
		if m.Code == c {
			return m, true
		}
	}
	return CloseMeaning{}, false
}

// String gives the number and, for a code of Odin's, when it is sent.
func (c CloseCode) String() string {
	if m, ok := c.Meaning(); ok {
		return fmt.Sprintf("%d (%s)", uint16(c), m.When)
	}
	return strconv.Itoa(int(c))
}

// valid tells whether a client may send the code: those registered with IANA
// for use in a close frame, and the ranges of libraries and applications (RFC
// 6455 section 7.4.2).
func (c CloseCode) valid() bool {
	switch {
	case c >= 1000 && c <= 1003, c >= 1007 && c <= 1014:
		return true
	}
	return c >= 3000 && c <= 4999
}

// ParseClose takes the payload of a client's close frame, which Reader has
// checked, apart. Without a code it is CloseNoStatus.
func ParseClose(payload []byte) (code CloseCode, reason []byte) {
	if len(payload) < 2 {
		return CloseNoStatus, nil
	}
	return CloseCode(binary.BigEndian.Uint16(payload)), payload[2:]
}

// checkClose checks the payload of a close frame (RFC 6455 section 5.5.1);
// that it isn't one byte long, the header has shown.
func checkClose(payload []byte) *CloseError {
	code, reason := ParseClose(payload)
	switch {
	case len(payload) == 0:
		return nil
	case !code.valid():
		return breach("close code " + strconv.Itoa(int(code)) + " must not be sent")
	case !utf8.Valid(reason):
		return &CloseError{Code: CloseInvalidData, Message: "the reason of a close frame must be valid UTF-8"}
	}
	return nil
}
