// Chaos proves that nothing is lost: it runs three brokers and an odind, breaks
// both by a schedule made from a seed, and compares what hundreds of clients
// heard with what the log holds. `make chaos SEED=1 FOR=5m` runs it; it ends
// with 1 if a single record is missing, twice, out of order or unproven.
package main
