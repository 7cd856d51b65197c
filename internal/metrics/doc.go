// Package metrics publishes the shared memory segment to Prometheus: every
// number of shm's table with the prefix odin_, and what is derived from the
// segment for workers and partitions. All workers are in one scrape, every
// series is there at zero from the first scrape on, and labels are worker
// (slot), topic, partition, reason and code only.
//
// It only reads the segment and asks no worker, so a scrape costs the same
// whatever they do. It starts no goroutine and keeps nothing between two
// scrapes but the descriptions and labels made at the start.
package metrics
