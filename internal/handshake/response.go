package handshake

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 section 4.2.2 asks for it; it protects nothing
	"encoding/base64"
	"net/http"
	"strconv"
)

// acceptSalt is RFC 6455's.
const acceptSalt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// AppendAccept appends the 101 that opens the WebSocket; protocol and extension
// are what of the client's offers was taken, "" for none.
func AppendAccept(dst []byte, key, protocol, extension string) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	var salted [64]byte
	sum := sha1.Sum(append(append(salted[:0], key...), acceptSalt...)) //nolint:gosec // see the import
	dst = base64.StdEncoding.AppendEncode(dst, sum[:])
	if protocol != "" {
		dst = append(append(dst, "\r\nSec-WebSocket-Protocol: "...), protocol...)
	}
	if extension != "" {
		dst = append(append(dst, "\r\nSec-WebSocket-Extensions: "...), extension...)
	}
	return append(dst, "\r\n\r\n"...)
}

// Document is an answer that ends its connection.
type Document struct {
	Status     int
	RetryAfter int    // seconds; 0: without
	Body       []byte // JSON
	Head       bool   // the request was a HEAD: the body is only measured
}

// Append appends the answer.
func (d Document) Append(dst []byte) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(d.Status), 10)
	dst = append(append(dst, ' '), http.StatusText(d.Status)...)
	dst = append(dst, "\r\nConnection: close\r\nContent-Type: application/json\r\n"...)
	if d.Status == http.StatusBadRequest {
		dst = append(dst, "Sec-WebSocket-Version: 13\r\n"...)
	}
	if d.RetryAfter > 0 {
		dst = append(dst, "Retry-After: "...)
		dst = append(strconv.AppendInt(dst, int64(d.RetryAfter), 10), "\r\n"...)
	}
	dst = append(dst, "Content-Length: "...)
	dst = append(strconv.AppendInt(dst, int64(len(d.Body)), 10), "\r\n\r\n"...)
	if d.Head {
		return dst
	}
	return append(dst, d.Body...)
}
