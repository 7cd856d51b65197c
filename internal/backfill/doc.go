// Package backfill decides how what lies below a partition's history is had for
// sessions that resume (docs/DESIGN.md, rule 16). The partition's owner reads
// it from the log, once for all who need it; the others ask the owner (WANT),
// who gives it in parts (PAST) behind what is live, up to an END.
//
// A Past is one partition's in one worker, a Giving the answer to one WANT. Both
// are step functions: they never read a clock, do I/O or wait. What a step needs
// to know of the partition comes with it, as a Now; what follows from it, like a
// reading of the log, is its result.
package backfill
