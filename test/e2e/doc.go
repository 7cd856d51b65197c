// Package e2e proves what users are promised by running odind as they do: the
// two programs are built, started as processes against a real or a fake broker,
// talked to over TCP, killed and frozen by their process ids, and read through
// odinctl, /metrics and /health. It imports nothing of Odin's but the brokers for
// tests, so that a mistake in Odin's own codec can't hide in the test of it.
//
// Every odind of a test has a loopback address of its own (127.x.y.1), so that
// the usual ports are used and any number run side by side. Tests wait for
// conditions; the only clock is the deadline that makes a missing condition an
// error.
//
// The tests in files tagged realkafka need Java and start Apache Kafka:
//
//	go test -tags realkafka -run Real ./test/e2e/
//
// With -args -race-programs the programs themselves look for data races.
package e2e
