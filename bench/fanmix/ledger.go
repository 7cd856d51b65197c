package main

import "sync"

// position is where a record stands: a partition of all topics, counted
// through, and its offset.
type position struct {
	partition int32
	offset    int64
}

// mix is a number that stands for a position. Sums of them are compared: equal
// ones of equally many positions in strictly rising order are the same ones,
// but for a chance of 2^-64.
func (p position) mix() uint64 {
	x := uint64(p.partition)<<40 ^ uint64(p.offset) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// entry is one record that was published.
type entry struct {
	channel int32
	at      position
}

// ledger is what was published, as the broker acknowledged it.
type ledger struct {
	mu      sync.Mutex
	entries []entry
	failed  error
}

// book keeps a record; one that failed can't be accounted for.
func (l *ledger) book(e entry, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = err
		return
	}
	l.entries = append(l.entries, e)
}

// account is what a session is owed, or got.
type account struct {
	records uint64
	sum     uint64
}

func (a *account) enter(p position) {
	a.records++
	a.sum += p.mix()
}

// owed sums up what each session has to have got of all that was published.
func (l *ledger) owed(p *plan) []account {
	subscribers := p.subscribers()
	all := make([]account, len(p.patterns))
	for _, e := range l.entries {
		for _, s := range subscribers[e.channel] {
			all[s].enter(e.at)
		}
	}
	return all
}

// byChannel lists each channel's positions in the order of offsets: a channel's
// key puts all of them into one partition, which the broker acknowledges in
// order.
func (l *ledger) byChannel(channels int) [][]position {
	all := make([][]position, channels)
	for _, e := range l.entries {
		all[e.channel] = append(all[e.channel], e.at)
	}
	return all
}
