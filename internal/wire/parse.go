package wire

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseRequest reads one text message of a client. Unknown members are
// ignored; a member that it knows must be there once, with its own type.
func ParseRequest(payload []byte, lim Limits) (Request, *RequestError) {
	if at, ok := scanJSON(payload); !ok {
		return Request{}, badJSON(payload, at)
	}
	value := payload[skipSpace(payload, 0):]
	if value[0] != '{' {
		return Request{}, badRequest(`a request is an object like {"type":"subscribe","data":{"channels":["BTC.trade"]}}`)
	}
	var head struct{ kind, id, data []byte }
	fault := members(value, "", field{"type", &head.kind}, field{"id", &head.id}, field{"data", &head.data})
	req := Request{}
	if idFault := req.readID(head.id); fault == nil {
		fault = idFault
	}
	if fault == nil {
		fault = req.readType(head.kind)
	}
	if fault == nil {
		fault = req.readData(head.data, lim)
	}
	if fault != nil {
		fault.ID = req.ID
		return Request{Type: req.Type, ID: req.ID}, fault
	}
	return req, nil
}

// readID takes the id, if there is one.
func (r *Request) readID(value []byte) *RequestError {
	if value == nil {
		return nil
	}
	id, ok := unquote(value)
	if !ok || len(id) > IDMax {
		return badRequest("id must be a string of at most 64 bytes")
	}
	r.ID = id
	return nil
}

const typesAllowed = "subscribe, unsubscribe, heartbeat or reconnect"

func (r *Request) readType(value []byte) *RequestError {
	if value == nil {
		return badRequest("type is missing: it must be " + typesAllowed)
	}
	name, ok := unquote(value)
	if !ok {
		return badRequest("type must be a string: " + typesAllowed)
	}
	for t, known := range requestNames {
		if known != "" && string(name) == known {
			r.Type = RequestType(t)
			return nil
		}
	}
	return &RequestError{Code: ErrorUnknownType, Message: "type " + quoteShort(name) + " is unknown: it must be " + typesAllowed}
}

func (r *Request) readData(value []byte, lim Limits) *RequestError {
	if r.Type == RequestHeartbeat {
		return nil // the replaced system's clients send whatever they like in it
	}
	if value == nil || value[0] != '{' {
		return badRequest(`data must be an object like {"channels":["BTC.trade"]}`)
	}
	switch r.Type {
	case RequestSubscribe:
		return r.readSubscribe(value, lim)
	case RequestUnsubscribe:
		return r.readUnsubscribe(value, lim)
	}
	return r.readReconnect(value, lim)
}

func (r *Request) readSubscribe(data []byte, lim Limits) *RequestError {
	var channels, last []byte
	if err := members(data, "data.", field{"channels", &channels}, field{"last", &last}); err != nil {
		return err
	}
	if last != nil {
		n, ok := wholeNumber(last)
		if !ok || n < 0 {
			return badRequest("data.last must be a whole number from 0 on: how many of the newest records of each channel to send first")
		}
		r.Last = int(min(n, LastMax))
	}
	return r.readChannels(channels, lim)
}

func (r *Request) readUnsubscribe(data []byte, lim Limits) *RequestError {
	var channels []byte
	if err := members(data, "data.", field{"channels", &channels}); err != nil {
		return err
	}
	return r.readChannels(channels, lim)
}

func (r *Request) readReconnect(data []byte, lim Limits) *RequestError {
	var client, channels, cursor, last []byte
	if err := members(data, "data.", field{"client_id", &client}, field{"channels", &channels},
		field{"cursor", &cursor}, field{"last_offset", &last}); err != nil {
		return err
	}
	if client != nil {
		id, ok := unquote(client)
		if !ok || len(id) > ClientIDMax {
			return badRequest("data.client_id must be a string of at most 128 bytes")
		}
		r.ClientID = id
	}
	if err := r.readChannels(channels, lim); err != nil {
		return err
	}
	switch {
	case cursor != nil && last != nil:
		return badRequest("data has both cursor and last_offset: one of them is needed, and cursor is the exact one")
	case cursor != nil:
		return r.readCursor(cursor)
	case last != nil:
		return r.readLastOffsets(last)
	}
	return badRequest("data.cursor is missing: it is the cursor of the last answer, with what came since; to begin without one, subscribe")
}

// readChannels takes the list of channels, up to the limit.
func (r *Request) readChannels(value []byte, lim Limits) *RequestError {
	if value == nil || value[0] != '[' {
		return badRequest(`data.channels must be a list like ["BTC.trade","ETH.*"]`)
	}
	list := walk(value)
	for n := 0; ; n++ {
		element, more := list.element()
		if !more {
			return nil
		}
		if element[0] != '"' {
			return badRequest("data.channels[" + strconv.Itoa(n) + "] must be a string like \"BTC.trade\"")
		}
		if n >= lim.Channels {
			r.Omitted++
			continue
		}
		channel, _ := unquote(element)
		r.Channels = append(r.Channels, channel)
	}
}

// field is a member that is looked for and where its value goes.
type field struct {
	name  string
	value *[]byte
}

// members picks the fields out of an object. One that is there twice is a
// fault: which of the two counts would be a guess.
func members(object []byte, path string, fields ...field) *RequestError {
	w := walk(object)
	var fault *RequestError
	for {
		key, value, ok := w.member()
		if !ok {
			return fault
		}
		name, _ := unquote(key)
		for _, f := range fields {
			switch {
			case string(name) != f.name:
			case *f.value != nil:
				fault = badRequest(path + f.name + " is there twice: send it once")
			default:
				*f.value = value
			}
		}
	}
}

// wholeNumber reads a number without fraction and exponent.
func wholeNumber(value []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	return n, err == nil
}

func badRequest(message string) *RequestError {
	return &RequestError{Code: ErrorBadRequest, Message: message}
}

// badJSON tells where the request ceases to be JSON.
func badJSON(payload []byte, at int) *RequestError {
	what := "it ends too early"
	if at < len(payload) {
		what = fmt.Sprintf("byte %d (%s) is wrong", at, quoteShort(payload[at:at+1]))
		if payload[at] == '[' || payload[at] == '{' {
			what += fmt.Sprintf(" there, or nested deeper than %d", ValueDepthMax)
		}
	}
	return &RequestError{Code: ErrorBadJSON, Message: "the request is not valid JSON: " + what}
}

const shortMax = 32

// quoteShort shows what a client sent without sending all of it back.
func quoteShort(s []byte) string {
	text := strings.ToValidUTF8(string(s[:min(len(s), shortMax)]), string(utf8.RuneError))
	if len(s) > shortMax {
		text += "…"
	}
	return strconv.Quote(text)
}
