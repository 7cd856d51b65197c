package wire

import (
	"strconv"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

// Each function here appends one complete text frame. An id that is nil is
// left out; a cursor is JSON made by AppendCursor, nil for an empty one.

// Subprotocol is the name of this protocol's version.
const Subprotocol = "odin.v1"

// answerGuess is the size that an answer is guessed to have: with the shorter
// form of length, so that a short one never moves.
const answerGuess = 0

// RejectCode says why a channel was not subscribed.
type RejectCode string

// The codes of rejected channels.
const (
	RejectBadChannel RejectCode = "bad_channel"
	RejectTooMany    RejectCode = "too_many_channels"
	RejectForbidden  RejectCode = "forbidden"
)

// Rejection is one channel that was not subscribed.
type Rejection struct {
	Channel []byte
	Code    RejectCode
	Message string
}

// Hello greets a session.
type Hello struct {
	Node            string
	Worker          int
	Time            int64 // Unix milliseconds
	PingInterval    time.Duration
	ChannelsMax     int // of a session
	RequestBytesMax int
}

// AppendHello appends the greeting.
func AppendHello(dst []byte, h Hello) []byte {
	dst, body := beginText(dst, answerGuess)
	dst = append(dst, `{"type":"hello","version":"`+Subprotocol+`","node":`...)
	dst = appendString(dst, h.Node)
	dst = appendKeyInt(dst, `,"worker":`, int64(h.Worker))
	dst = appendKeyInt(dst, `,"ts":`, h.Time)
	dst = appendKeyInt(dst, `,"ping_interval_ms":`, h.PingInterval.Milliseconds())
	dst = appendKeyInt(dst, `,"limits":{"max_channels":`, int64(h.ChannelsMax))
	dst = appendKeyInt(dst, `,"max_request_bytes":`, int64(h.RequestBytesMax))
	return endText(append(dst, '}', '}'), body, answerGuess)
}

// SubscriptionAck answers a subscribe.
type SubscriptionAck struct {
	ID         []byte
	Subscribed [][]byte // this request's accepted channels
	Rejected   []Rejection
	Omitted    int // channels that were not looked at; sent unless 0
	Count      int // channels of the session
	History    int // records that follow for the request's `last`
	Cursor     []byte
}

// AppendSubscriptionAck appends the answer to a subscribe.
func AppendSubscriptionAck(dst []byte, a SubscriptionAck) []byte {
	dst, body := beginAnswer(dst, "subscription_ack", a.ID)
	dst = appendChannels(dst, a.Subscribed, a.Rejected, a.Omitted)
	dst = appendKeyInt(dst, `,"count":`, int64(a.Count))
	dst = appendKeyInt(dst, `,"history":`, int64(a.History))
	return endText(append(appendCursorKey(dst, a.Cursor), '}'), body, answerGuess)
}

// AppendUnsubscriptionAck appends the answer to an unsubscribe; count is what
// the session has left.
func AppendUnsubscriptionAck(dst, id []byte, unsubscribed [][]byte, count int) []byte {
	dst, body := beginAnswer(dst, "unsubscription_ack", id)
	dst = appendStrings(append(dst, `,"unsubscribed":`...), unsubscribed)
	dst = appendKeyInt(dst, `,"count":`, int64(count))
	return endText(append(dst, '}'), body, answerGuess)
}

// AppendPong appends the answer to a heartbeat; ms is the time in Unix
// milliseconds.
func AppendPong(dst, id []byte, ms int64, cursor []byte) []byte {
	dst, body := beginAnswer(dst, "pong", id)
	dst = appendKeyInt(dst, `,"ts":`, ms)
	return endText(append(appendCursorKey(dst, cursor), '}'), body, answerGuess)
}

// AppendError appends the answer to a request that is refused.
func AppendError(dst []byte, e *RequestError) []byte {
	return appendFault(dst, "error", e.ID, string(e.Code), e.Message)
}

// ReconnectCode is the code of a reconnect_error.
type ReconnectCode string

// ReconnectPartitionNeeded: last_offset names a topic of several partitions.
const ReconnectPartitionNeeded ReconnectCode = "partition_needed"

// AppendReconnectError appends the answer to a reconnect whose form can't
// tell what is missing.
func AppendReconnectError(dst, id []byte, code ReconnectCode, message string) []byte {
	return appendFault(dst, "reconnect_error", id, string(code), message)
}

// UnrecoveredReason says why a reconnect could not be recovered.
type UnrecoveredReason string

// The reasons of recovered:false.
const (
	UnrecoveredEpoch       UnrecoveredReason = "epoch"
	UnrecoveredTrimmed     UnrecoveredReason = "trimmed"
	UnrecoveredLimit       UnrecoveredReason = "limit"
	UnrecoveredUnavailable UnrecoveredReason = "unavailable"
)

// ReconnectAck answers a reconnect.
type ReconnectAck struct {
	ID         []byte
	Reason     UnrecoveredReason // empty: recovered
	Replayed   int               // records sent before this answer
	Subscribed [][]byte
	Rejected   []Rejection
	Omitted    int // channels that were not looked at; sent unless 0
	Cursor     []byte
}

// AppendReconnectAck appends the answer to a reconnect.
func AppendReconnectAck(dst []byte, a ReconnectAck) []byte {
	dst, body := beginAnswer(dst, "reconnect_ack", a.ID)
	if a.Reason == "" {
		dst = append(dst, `,"recovered":true,"status":"completed"`...)
	} else {
		dst = appendString(append(dst, `,"recovered":false,"reason":`...), a.Reason)
	}
	dst = appendKeyInt(dst, `,"messages_replayed":`, int64(a.Replayed))
	dst = appendChannels(dst, a.Subscribed, a.Rejected, a.Omitted)
	return endText(append(appendCursorKey(dst, a.Cursor), '}'), body, answerGuess)
}

// ResetReason says why a session's cursor was moved.
type ResetReason string

// The reasons of a reset.
const (
	ResetEpoch    ResetReason = "epoch"
	ResetTrimmed  ResetReason = "trimmed"
	ResetTopology ResetReason = "topology"
)

// AppendReset appends the notice that stands before the first record that it
// concerns; lost tells whether records can be missing.
func AppendReset(dst []byte, reason ResetReason, lost bool, cursor []byte) []byte {
	dst, body := beginAnswer(dst, "reset", nil)
	dst = appendString(append(dst, `,"reason":`...), reason)
	dst = strconv.AppendBool(append(dst, `,"lost":`...), lost)
	return endText(append(appendCursorKey(dst, cursor), '}'), body, answerGuess)
}

// AppendGap appends the notice that so many records of a channel were dropped
// for slowness, up to the one at the position.
func AppendGap(dst, channel []byte, dropped uint64, p event.Partition, offset int64) []byte {
	dst, body := beginAnswer(dst, "gap", nil)
	dst = appendString(append(dst, `,"channel":`...), channel)
	dst = strconv.AppendUint(append(dst, `,"dropped":`...), dropped, 10)
	dst = appendPos(append(dst, `,"pos":`...), p, offset)
	return endText(append(dst, '}'), body, answerGuess)
}

func beginAnswer(dst []byte, kind string, id []byte) (_ []byte, body int) {
	dst, body = beginText(dst, answerGuess)
	dst = append(append(append(dst, `{"type":"`...), kind...), '"')
	if id != nil {
		dst = appendString(append(dst, `,"id":`...), id)
	}
	return dst, body
}

func appendFault(dst []byte, kind string, id []byte, code, message string) []byte {
	dst, body := beginAnswer(dst, kind, id)
	dst = appendString(append(dst, `,"code":`...), code)
	dst = appendString(append(dst, `,"message":`...), message)
	return endText(append(dst, '}'), body, answerGuess)
}

func appendChannels(dst []byte, subscribed [][]byte, rejected []Rejection, omitted int) []byte {
	dst = appendStrings(append(dst, `,"subscribed":`...), subscribed)
	dst = append(dst, `,"rejected":[`...)
	for i := range rejected {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"channel":`...), rejected[i].Channel)
		dst = appendString(append(dst, `,"code":`...), rejected[i].Code)
		dst = appendString(append(dst, `,"message":`...), rejected[i].Message)
		dst = append(dst, '}')
	}
	dst = append(dst, ']')
	if omitted > 0 {
		dst = appendKeyInt(dst, `,"omitted":`, int64(omitted))
	}
	return dst
}

func appendCursorKey(dst, cursor []byte) []byte {
	dst = append(dst, `,"cursor":`...)
	if cursor == nil {
		return append(dst, '{', '}')
	}
	return append(dst, cursor...)
}
