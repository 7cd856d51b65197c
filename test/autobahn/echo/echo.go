package main

import (
	"io"
	"net"
	"time"

	"github.com/odin-ws/odin/internal/wire"
)

const (
	messageMax = 32 << 20         // Autobahn's longest has 16 MiB
	inputSize  = 64 << 10         // bytes of one read
	quiet      = 30 * time.Second // a connection without input is given up
)

// echo sends every message back until the client closes, or breaks the
// protocol, and then ends as Odin does: half-close, discard, close.
func echo(conn net.Conn) {
	defer conn.Close()
	var reader wire.Reader
	var input, output []byte
	chunk := make([]byte, inputSize)
	for open := true; open; {
		_ = conn.SetDeadline(time.Now().Add(quiet))
		n, err := conn.Read(chunk)
		if err != nil {
			return
		}
		input = append(input, chunk[:n]...)
		output, input, open = answer(&reader, output[:0], input)
		if _, err := conn.Write(output); err != nil {
			return
		}
	}
	hangUp(conn)
}

// answer handles all messages that the input completes. It returns what is to
// be sent, the input that is left, and whether the connection goes on.
func answer(reader *wire.Reader, output, input []byte) (_, rest []byte, open bool) {
	rest = input
	for {
		message, left, err := reader.Next(rest, messageMax)
		if err != nil {
			return wire.AppendCloseCode(output, err.Code), nil, false
		}
		rest = left
		switch message.Op {
		case wire.Continuation:
			return output, append(input[:0], rest...), true
		case wire.Close:
			return wire.AppendCloseReply(output, message.Payload), nil, false
		case wire.Ping:
			output = wire.AppendFrame(output, wire.Pong, message.Payload)
		case wire.Text, wire.Binary:
			output = wire.AppendFrame(output, message.Op, message.Payload)
		}
	}
}

func hangUp(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_ = conn.SetReadDeadline(time.Now().Add(wire.DrainInputTime))
	_, _ = io.CopyN(io.Discard, conn, wire.DrainInputBytes)
}
