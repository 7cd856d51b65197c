// Package kafka is a source of records: it fetches the partitions that it is
// told to, from the offset that it is told, and hands over contiguous
// advances. It decides nothing: who owns a partition, where an era begins and
// what a client is owed is known above. It knows nothing of clients, routes
// and JSON; the Encoder does.
//
// It never rewinds, never skips and never drops. What it can't deliver is a
// Fault, told once, after which the partition rests until it is assigned
// anew. What may pass (a broker that is away, a partition without a leader, a
// topic that is missing) is tried again for ever, and Health says so.
//
// # Why not franz-go's consumer
//
// franz-go brings the other connections, logins, versions, codecs and the
// decoding of records. Its consumer isn't used, for it hides what must be known
// here: it doesn't tell that an offset moved without a record (compacted tails), it
// goes on from where a truncated log ends before anybody could say stop, it
// keeps silent when a leader doesn't know the last epoch at all
// (UNDEFINED_EPOCH_OFFSET under NoResetOffset), it unpacks whole fetches
// ahead, and each change of the assignment drops what is buffered of all
// others. The fetch loop here is small because it has no group, no reset
// policy and one answer to every doubt: stop and tell.
//
// # How it works
//
// A partition is fetched by the fetcher of the broker that leads it. Each
// fetch carries the leader's epoch, and the epoch of the record before the
// one wanted; when either is new, OffsetForLeaderEpoch is asked first
// (KIP-320). An answer is scanned for offsets only and waits in its fetcher
// until Serve's callback takes it, for which the fetcher itself unpacks and
// encodes batch by batch. So a caller that stalls stops the fetching: one answer
// waits per broker, and one is being handed over, FetchedBytesMax in all (a batch
// that is larger than its share is taken nevertheless: a broker never sends less
// than one).
//
// Fetches have connections of their own (link), over which a fetcher writes and
// reads itself, blocking together with its thread: a record that comes alone
// wakes one thread here, and no goroutine hands it to another. All other requests
// go by franz-go's.
//
// # Goroutines and locks
//
// watch keeps the leaders known; one fetcher per leading broker; whoever
// calls Serve, Range and the rest. Source.mu guards every partition's state
// and is held for no I/O, no decoding and no callback; Source.handing is held
// while something is handed over, and is taken before it. Close ends all of them.
package kafka
