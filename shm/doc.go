// Package shm is the segment of shared memory in which every process of odind
// keeps its numbers, and from which anybody may read them: the supervisor for
// /metrics, /health and heartbeats, odinctl for `status` and `top`, a foreign
// tool by the directory at the segment's beginning.
//
// # What it owns
//
// One file (runtime_dir/stats.shm), mapped. From its start:
//
//	description  magic, layout version, sizes, areas, and a directory of every
//	             number: name, kind, unit, label, help, area, offset
//	process      words of the supervisor: pid, state, heartbeat, version, …
//	partition    the partition table: name, owner word, era word, first offset
//	slot × N     per worker: spawn, state, heartbeat, two blocks of counters,
//	             gauges and histograms, a position and an era's staging area
//	             per partition
//
// # One writer for everything
//
// A slot's numbers are written by its worker, everything else by the
// supervisor; the era words alone change by compare-and-set. Every word is
// eight bytes, aligned, and touched by atomic operations only, so no reader
// can see half of one. What needs several words at once (a position, a name)
// is kept twice with a version that says which copy is whole: a writer that
// dies in the middle leaves the last complete value readable, which rules 5
// and 12 of the design need from dead workers.
//
// # What can't happen
//
// A counter never falls and never counts twice: each slot has two blocks,
// used by generations in turn, never zeroed, and a block is used again only
// after waitpid has reported its last user dead; a counter's value is the
// sum of both. A histogram's sum is written before its bucket and its count
// is the sum of its buckets. Nothing here locks, blocks, allocates on the
// writing side, starts a goroutine, or stores a pointer.
//
// A segment is no proof that odind runs: a flock-like lock on
// runtime_dir/odind.lock is, held by the supervisor also while it is stopped
// (see LockDir). Open refuses a segment whose lock nobody holds.
package shm
