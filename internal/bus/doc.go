// Package bus is the language of the links between sibling workers: seven
// messages, their codec and the two buffers at a link's ends.
//
// Every message is a little-endian length of what follows it (32 bits), a kind
// (8 bits) and a body of fixed fields; only ADV has a variable part:
//
//	HELLO  magic 32 | version 16 | slot 16 | generation 32
//	ADV    partition 32 | era 32 | term 32 | prev 64 | to 64 | epoch of to 32 | records 32,
//	       then for each record: offset 64 | epoch 32 | time 64 | channel length 16 | frame length 32 | channel | frame
//	SEEK   partition 32 | era 32 | term 32 | positioned 8 | held 64 | epoch of held 32
//	LOST   partition 32 | era 32 | term 32 | prev 64 | to 64
//	WANT   partition 32 | era 32 | number 32 | from 64 | to 64
//	PAST   as ADV, with the number of the WANT in place of the term
//	END    partition 32 | era 32 | number 32 | to 64 | log start 64 | why 8
//
// HELLO is the first message of a link and the only one whose form never
// changes: a receiver of another version learns so before it reads anything
// else.
//
// The package has no descriptor, goroutine or lock of its own: an Inbox and an
// Outbox belong to the loop that reads and writes their link. What is received
// is not trusted: every length is bounded by a named limit and checked against
// the bytes that are there, and whatever breaks a rule is an error, after which
// the link has to be remade. It decides nothing: whether an ADV is taken is the
// replica's question.
package bus
