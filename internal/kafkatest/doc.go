// Package kafkatest runs real Apache Kafka brokers: processes of their own on
// free ports of the loopback, with their data in the test's directory, ended by
// their ids when the test ends. Only tests import it, and scripts/chaos, which
// is one without being Go's.
package kafkatest

import "context"

// TB is what is needed of a testing.TB.
type TB interface {
	Helper()
	Context() context.Context
	TempDir() string
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}
