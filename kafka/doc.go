// Package kafka is a source of records: it fetches the partitions that it is
// told to, from the offset that it is told, and hands over contiguous
// advances. It decides nothing: who owns a partition, where an era begins and
// what a client is owed is known above.
//
// It never rewinds, never skips and never drops: what it can't deliver is a
// Fault, handed over once, after which the partition rests until it is
// assigned anew. It knows nothing of clients, routes and JSON; the Encode
// callback does.
package kafka
