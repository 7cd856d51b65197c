// Package sim runs the rules of internal/replica against a model of
// everything around them: a Kafka partition with holes, transactions,
// compaction, retention, truncations and new incarnations, two to five workers
// that are killed and frozen at any step, links that are torn with what is in
// flight, and a supervisor that changes owners. All of it is tests.
//
// A schedule is a plan (made from a seed) and a list of moves, each a few
// numbers that mean something in any state; so it replays exactly, and a
// failing one is made smaller by leaving moves out. What is checked at every
// step is I1 to I4 of docs/DESIGN.md, that what sessions get is exactly the
// visible log, rising, without a gap that no reset announced, and that only an
// owner by the word appends and relays; at the end, with all faults mended,
// every worker has to come to the log's end.
//
//	go test ./internal/sim                                   # 20,000 schedules from seed 1
//	ODIN_SIM_SCHEDULES=1000000 go test ./internal/sim -run TestSchedules
//	ODIN_SIM_SEED=42 ODIN_SIM_SCHEDULES=1 go test ./internal/sim -run TestSchedules -v
//
// Its own teeth are tested by mutants: the replica with one rule broken in its
// source, and the simulator's worker with one of its duties left out. Each has
// to be noticed within a budget of schedules.
package sim
