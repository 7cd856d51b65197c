package main

import (
	"hash/crc32"
	"slices"
	"sync"

	"github.com/odin-ws/odin/scripts/chaos/check"
)

// ledger is the log as it was read back, and the names that its numbers stand
// for. The names don't change once the run has begun.
type ledger struct {
	names    check.Names
	channels map[string]uint32
	topics   map[string]uint16

	mu  sync.Mutex
	log check.Log
}

func newLedger(topics []*topic) *ledger {
	l := &ledger{channels: map[string]uint32{}, topics: map[string]uint16{}, log: check.Log{}}
	l.name("unknown.unknown") // number 0: a name that isn't in the run
	for i, t := range topics {
		l.topics[t.name] = uint16(i)
		l.names.Topics = append(l.names.Topics, t.name)
		for s := range subjects {
			l.name(t.channel(s))
		}
	}
	return l
}

func (l *ledger) name(channel string) {
	l.channels[channel] = uint32(len(l.names.Channels))
	l.names.Channels = append(l.names.Channels, channel)
}

// begin enters a new incarnation of a topic.
func (l *ledger) begin(id string, t *topic) *check.Incarnation {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := &check.Incarnation{Topic: t.name, Compacted: t.compacted}
	l.log[id] = i
	return i
}

func (l *ledger) enter(i *check.Incarnation, partition int, e check.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i.Append(partition, e)
}

func (l *ledger) trimmed(i *check.Incarnation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i.Trimmed = true
}

func (l *ledger) cut(i *check.Incarnation, partition int32, c check.Cut) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i.Cut(int(partition), c)
}

// around gives the log's records of a partition near an offset.
func (l *ledger) around(i *check.Incarnation, partition int, offset int64) []check.Entry {
	if i == nil || partition >= len(i.Partitions) {
		return nil
	}
	all := i.Partitions[partition]
	at := slices.IndexFunc(all, func(e check.Entry) bool { return e.Offset >= offset })
	if at < 0 {
		at = len(all)
	}
	return all[max(0, at-3):min(len(all), at+4)]
}

// sum is of a value as a client gets it: a tombstone is the JSON null.
func sum(value []byte) uint32 {
	if value == nil {
		value = []byte("null")
	}
	return crc32.ChecksumIEEE(value)
}
