// Package control is what Odin's processes say to each other: supervisor and
// worker over a socketpair (Conn, Message, files by SCM_RIGHTS), odinctl and
// supervisor over control.sock (Request, Response: JSON lines), and what
// operators ask of workers (Query), whose answers come through a pipe of their
// own, so that neither the pair nor a slow reader ever waits.
//
// It owns framing, its limits and the passing of descriptors. It decides
// nothing, starts no goroutine but those of Serve, and imports nothing of
// Odin's but internal/event.
//
// The pair is a stream with framing and not SOCK_SEQPACKET: a topology report
// of 4,096 partitions is larger than what one packet may hold
// (net.core.wmem_max). Descriptors travel with the first byte of their
// message, so they have always arrived when the message is complete; the
// frame's head says how many are its own, because the kernel may hand over
// the descriptors of the next message with the last bytes of this one.
//
// Locks: Conn has one for senders; Receive belongs to one goroutine.
package control
