// Package sim runs the rules of docs/DESIGN.md, by the step functions that
// workers and supervisor run (internal/replica, resume, backfill, election),
// against a model of everything around them: topics of one to three partitions in
// all, of brokers with and without topic ids, with holes, control records,
// compaction, retention, truncations (also of what was not published yet), leader
// epochs and new incarnations; two to five workers that are killed and frozen at any
// step; links that are torn with what is in flight; positions half written; a
// supervisor that elects, dies, and is started anew with all workers; and clients
// that subscribe to some of several topics and to their newest records, leave, are
// slow, and come back with cursors (or a last_offset) as docs/RECOVERY.md has
// them keep them. All of it is tests.
//
// A schedule is a plan (made from a seed) and a list of moves, each a few
// numbers that mean something in any state; so it replays exactly, and a
// failing one is made smaller by leaving moves out. What is checked at every
// step is I1 to I4 of docs/DESIGN.md, that what sessions get is exactly the
// visible log, and that only an owner by the word appends and relays. Each client
// holds what it gets against the truth: per partition rising, nothing twice,
// nothing missing that was not announced (by a reset, or a gap for each that was
// dropped, in time), the newest of what is conflated, `recovered` true only if it is, and
// false only for a reason that is true. At the end, with all faults mended, every
// worker has to come to the log's end and every client has to be live with all
// records.
//
//	go test ./internal/sim                                   # 20,000 schedules from seed 1
//	ODIN_SIM_SCHEDULES=1000000 go test ./internal/sim -run TestSchedules
//	ODIN_SIM_SEED=42 ODIN_SIM_SCHEDULES=1 go test ./internal/sim -run TestSchedules -v
//
// Its own teeth are tested: by mutants (a package of the rules with one of them
// broken in its source) and by duties (one thing that the worker around them does
// is left out). Each has to be noticed within a budget of schedules.
package sim
