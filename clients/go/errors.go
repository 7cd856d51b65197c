package odin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/gorilla/websocket"
)

// CloseError says with which close frame the server ended a connection.
type CloseError struct {
	Code   int    // of RFC 6455 or Odin, such as 1001 or 4000
	Reason string // in words, such as "draining" or "slow_consumer"

	window window // in which to come back
	final  bool   // coming back won't help
}

// Error gives code and reason.
func (e *CloseError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("odin: the server closed the connection: %d %s", e.Code, e.Reason))
}

// RefusedError says with which HTTP status the server refused a connection.
type RefusedError struct {
	Status int
	Reason string // in words, such as "connections: overloaded"

	window window
}

// Error gives status and reason.
func (e *RefusedError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("odin: the server refuses the connection: %d %s: %s", e.Status, http.StatusText(e.Status), e.Reason))
}

// TooLargeError says that a message is larger than Options.MessageBytesMax.
// The record would come again, so the client gives up.
type TooLargeError struct{ Max int64 }

// Error says what would be right.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("odin: a message has more than %d bytes: set a larger MessageBytesMax", e.Max)
}

// handlerError is what a handler returned.
type handlerError struct{ err error }

func (e *handlerError) Error() string { return e.err.Error() }
func (e *handlerError) Unwrap() error { return e.err }

// errLimited is a request that the server had no time for.
var errLimited = errors.New("odin: the server takes no more requests for now (rate_limited)")

// readError words why reading ended.
func readError(err error, messageBytesMax int64) error {
	var end *websocket.CloseError
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return &TooLargeError{messageBytesMax}
	case errors.As(err, &end) && end.Code != websocket.CloseAbnormalClosure:
		return closed(end)
	}
	return fmt.Errorf("odin: the connection broke: %w", err)
}

// closed reads a close frame. Odin's reason is JSON, and says whether to come
// back; other reasons, from something between, leave that to the code.
func closed(end *websocket.CloseError) *CloseError {
	var reason struct {
		Code  string `json:"code"`
		MinMS int64  `json:"retry_min_ms"`
		MaxMS int64  `json:"retry_max_ms"`
	}
	e := &CloseError{Code: end.Code, Reason: end.Text, final: hopeless(end.Code)}
	if err := json.Unmarshal([]byte(end.Text), &reason); err == nil && reason.Code != "" {
		e.Reason = reason.Code
		e.window, e.final = milliseconds(reason.MinMS, reason.MaxMS), reason.MaxMS <= 0
	}
	return e
}

// hopeless tells whether a code means that the same client would be closed the
// same way again.
func hopeless(code int) bool {
	switch code {
	case websocket.CloseProtocolError, websocket.CloseUnsupportedData, websocket.CloseInvalidFramePayloadData,
		websocket.ClosePolicyViolation, websocket.CloseMessageTooBig, websocket.CloseMandatoryExtension:
		return true
	}
	return false
}

// refusalMax bounds what is read of a refused handshake's answer.
const refusalMax = 4 << 10

// refused reads the answer to a handshake that was refused.
func refused(response *http.Response, now time.Time) *RefusedError {
	data, _ := io.ReadAll(io.LimitReader(response.Body, refusalMax))
	e := &RefusedError{Status: response.StatusCode, Reason: firstLine(string(data)), window: retryAfter(response.Header.Get("Retry-After"), now)}
	var body struct{ Error, Reason string }
	if err := json.Unmarshal(data, &body); err == nil && body.Error != "" {
		e.Reason = firstLine(body.Error)
		if body.Reason != "" {
			e.Reason = firstLine(body.Reason + ": " + body.Error)
		}
	}
	return e
}

// lineMax bounds what is told of an answer that is not odind's: a page, say.
const lineMax = 120

// firstLine is what can be shown of a text of anybody's in a line.
func firstLine(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(strings.ToValidUTF8(text, "")), "\n")
	if len(text) > lineMax {
		text = strings.ToValidUTF8(text[:lineMax], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

// retryAfter is the window that a Retry-After gives: from then on, up to twice
// as long, so that not all come at once. It is seconds, however many, or a date.
func retryAfter(value string, now time.Time) window {
	seconds, err := strconv.ParseUint(value, 10, 64)
	after := time.Duration(min(seconds, uint64(retryMax/time.Second))) * time.Second
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		at, err := http.ParseTime(value)
		if err != nil {
			return window{}
		}
		after = min(max(0, at.Sub(now)), retryMax)
	}
	return window{after, 2 * after}.bounded()
}

// final tells whether another attempt could not end otherwise. An answer that
// is neither odind's nor an error is that of something between, which a network
// has today and not tomorrow.
func (e *RefusedError) final() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return e.Status >= http.StatusBadRequest && e.Status < http.StatusInternalServerError
}
