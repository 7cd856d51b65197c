// Package check compares what clients were sent with the log: per partition
// nothing missing that was not announced, nothing twice, nothing out of order,
// nothing that was never committed, and no `recovered` that is not true. It is
// pure: what was heard and what the log holds go in, faults come out.
package check
