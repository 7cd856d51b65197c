// Package kafkatest runs real Apache Kafka brokers for tests: processes of
// their own on free ports of the loopback, with their data in the test's
// directory, ended by their ids when the test ends. Only tests import it.
package kafkatest
