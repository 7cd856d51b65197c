// Package election decides which worker consumes which partition. It is pure:
// who is alive and who owns what in, the new owner words out. It has no
// clock, no goroutine and no I/O, and never decides who is alive.
//
// What holds of every result (rule 1 of docs/DESIGN.md, tested as properties):
//   - each partition is owned by one of the given candidates, or by nobody
//     when there are none;
//   - no two candidates differ by more than one partition;
//   - no other even result moves fewer partitions;
//   - the term of a partition grows by one when its owner changes and stays
//     otherwise;
//   - the same candidates and owners give the same result, in any order of
//     the candidates.
package election
