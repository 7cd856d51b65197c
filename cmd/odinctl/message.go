package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/gorilla/websocket"
	"github.com/odin-ws/odin/internal/wire"
)

// listen prints what comes until the connection ends, and returns why it did.
// asked is how many channels were subscribed: when none was taken, nothing
// will ever come.
func (p *program) listen(conn *websocket.Conn, asked int) error {
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return closed(err)
		}
		var m wire.ServerMessage
		if err := json.Unmarshal(frame, &m); err != nil {
			return fmt.Errorf("odind sent what is no message: %w", err)
		}
		if err := p.show(frame, &m, asked); err != nil {
			return err
		}
	}
}

// errRefused says that odind took none of the channels; the reasons were
// told.
var errRefused = errors.New("odind took none of the channels")

// show prints records on standard output, a line each, and everything else
// that matters on standard error; with --json, what concerns the records goes
// to standard output too.
func (p *program) show(frame []byte, m *wire.ServerMessage, asked int) error {
	switch m.Type {
	case "message", "gap", "reset":
		if p.json {
			return p.print("%s", oneLine(frame))
		}
		if m.Type == "message" {
			return p.print("%s", record(m))
		}
		p.tell(m)
	case "subscription_ack":
		for _, r := range m.Rejected {
			p.tellRejected(r.Channel, r.Code, r.Message)
		}
		if len(m.Rejected)+m.Omitted >= asked {
			return errRefused
		}
	case "error":
		return fmt.Errorf("odind refuses: %s: %s", m.Code, m.Message)
	}
	return nil
}

func (p *program) tellRejected(channel, code, message string) {
	fmt.Fprintf(p.stderr, "odinctl: %q is not subscribed: %s: %s\n", channel, code, message)
}

func (p *program) tell(m *wire.ServerMessage) {
	if m.Type == "gap" {
		fmt.Fprintf(p.stderr, "odinctl: %d records of %s were dropped before %s, because we are too slow\n", m.Dropped, m.Channel, m.Pos)
		return
	}
	what := "nothing is lost"
	if m.Lost {
		what = "records may be missing"
	}
	fmt.Fprintf(p.stderr, "odinctl: reset: %s, %s\n", m.Reason, what)
}

// record is one record as a line: time, channel, position, value.
func record(m *wire.ServerMessage) string {
	value := oneLine(m.Data)
	if m.Encoding != "" {
		value = m.Encoding + ":" + strings.Trim(value, `"`)
	}
	return time.UnixMilli(m.TS).Format("15:04:05.000") + " " + m.Channel + " " + m.Pos + " " + value
}

// oneLine is JSON without line breaks, and without what would control a
// terminal: inside of JSON's strings an escape means the same.
func oneLine(data []byte) string {
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		return fmt.Sprintf("%q", data)
	}
	return escape(out.String())
}

func escape(text string) string {
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// closeReason words a close frame: its code, why, and when to come back.
func closeReason(end *websocket.CloseError) string {
	var reason wire.CloseReason
	if err := json.Unmarshal([]byte(end.Text), &reason); err != nil {
		return escape(fmt.Sprintf("%d %s", end.Code, end.Text))
	}
	text := escape(fmt.Sprintf("%d %s", end.Code, reason.Code))
	if reason.RetryMaxMS == 0 {
		return text
	}
	after := func(ms int64) string { return (time.Duration(ms) * time.Millisecond).String() }
	return text + "; try again in " + after(reason.RetryMinMS) + " to " + after(reason.RetryMaxMS)
}

// refusalMax bounds what is read of a refused handshake's answer.
const refusalMax = 4 << 10

// readRefusal is the message in the body, or the body.
func readRefusal(response *http.Response) string {
	data, _ := io.ReadAll(io.LimitReader(response.Body, refusalMax))
	var body struct{ Error, Reason string }
	if err := json.Unmarshal(data, &body); err != nil || body.Error == "" {
		return escape(strings.TrimSpace(string(data)))
	}
	return escape(body.Reason + ": " + body.Error)
}
