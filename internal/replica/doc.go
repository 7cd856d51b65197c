// Package replica is one partition in one worker: its history and the rules
// by which it is fetched, relayed between workers and handed to sessions
// (docs/DESIGN.md, rules 1 to 15).
//
// It owns the Store, the worker's one arena of encoded frames, and a Replica
// for each partition. Every worker runs the same Replica: the one that the
// owner word names fetches the partition and relays it, the others receive.
// A Replica is a step function: an input changes its state and appends to a
// list of effects, which the worker carries out in order. What is to be
// relayed or applied is not pushed but pulled, by Next and by Pending, so
// whatever lags is a pointer into the history and needs no queue.
//
// It never reads a clock, does I/O, starts a goroutine, takes a lock, or
// depends on the order of a map: the same inputs give the same effects. All
// replicas of a worker and their Store belong to one goroutine.
//
// The terms of an input are those of the rules: Held (h) is the last offset
// held, From (f) the first that the history covers, Applied (a) the last that
// sessions were given. I1: the history holds every visible, placeable record
// of [From, Held]. I2: Held never falls within an era. I3: Applied ≤ Held, and
// nothing above Applied is trimmed. I4: records reach a session in the order
// of their offsets, from the history alone.
//
// # What the worker must do
//
// Before each input the worker reads the era record and the owner word anew
// and gives them to EraChanged and OwnerChanged, which cost nothing when
// nothing changed. For a message this happens after it was read from its link:
// a SEEK of a term that this worker has not seen yet would be ignored, and
// nobody would send it again. (The simulator shows the stall.)
//
// Effects are carried out in their order and at once; what they bring about
// (PeerPublished, EraChanged, Pending and Applied for a Drain) may be called
// while they are, with another list. LinkUp comes after all that was unread in
// the old link is dropped. Each ReadRange is answered, each Fetch replaces the
// one before; answers carry the tag that they were asked with.
//
// One turn: Store.Tick; inputs, while neither the Store nor the Replica is
// full; Next for each woken link that is writable; Pending, Applied, the
// sessions' writes; Store.Evict, after which sessions that point below
// Store.OldestChunk are cut off; at last the positions are published, each
// only once its Replica is Positioned, since the slot's last generation may
// have left the only one there is.
package replica
