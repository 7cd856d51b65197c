// Package handshake reads the head of an HTTP request and writes the answers
// that a WebSocket server has for it: the 101 of RFC 6455 section 4.2, a
// refusal, or a small document.
//
// It is pure: bytes in, bytes out. It starts no goroutine, takes no lock and
// reads no socket, so a loop can serve a handshake like any other input: a
// connection costs its descriptor and the bytes that it has sent, however
// slowly they come. It speaks no more HTTP than that: one request a
// connection, without a body (RFC 9112 sections 2 to 6).
package handshake
