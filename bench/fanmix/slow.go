package main

import "fmt"

// heard is one thing that a slow session was told, in the order of arrival: a
// record, or with dropped > 0 that so many of the channel's were dropped, the
// last of them this one.
type heard struct {
	channel int32
	dropped int64
	at      position
}

// marks are the offsets of a cursor, by partition; what it doesn't have is -1.
type marks []int64

func (m marks) at(partition int32) int64 {
	if int(partition) >= len(m) {
		return -1
	}
	return m[partition]
}

// story is all of a slow session's life, to be held against the ledger.
type story struct {
	log      []heard
	from, to marks // cursors: of its ack; of the pong at its end, nil if it was closed before
	patterns []pattern
}

// verdict is what the story comes to.
type verdict struct {
	records, announced, notices uint64
}

// check wants each channel's records in order, from the first one behind the
// ack's cursor on, with nothing missing but what a notice announces exactly, and
// to the end that the pong's cursor tells.
func (s *story) check(published [][]position) (v verdict, err error) {
	next := map[int32]int{} // by channel: how many of published are accounted for
	for _, pt := range s.patterns {
		next[pt.number] = s.firstOwed(published[pt.number])
	}
	for _, h := range s.log {
		i, ours := next[h.channel]
		if !ours {
			return v, fmt.Errorf("a record of channel %d, which it does not hear", h.channel)
		}
		list := published[h.channel]
		step := int(max(h.dropped, 1))
		if i+step > len(list) || list[i+step-1] != h.at {
			return v, fmt.Errorf("channel %d: %+v behind %d of its records: missing, repeated or announced wrongly", h.channel, h, i)
		}
		next[h.channel] = i + step
		if h.dropped > 0 {
			v.announced += uint64(h.dropped)
			v.notices++
		} else {
			v.records++
		}
	}
	if s.to != nil {
		err = s.ended(published, next)
	}
	return v, err
}

func (s *story) firstOwed(list []position) int {
	for i, p := range list {
		if p.offset > s.from.at(p.partition) {
			return i
		}
	}
	return len(list)
}

// ended wants nothing missing up to the last cursor.
func (s *story) ended(published [][]position, next map[int32]int) error {
	for channel, i := range next {
		list := published[channel]
		if i < len(list) && list[i].offset <= s.to.at(list[i].partition) {
			return fmt.Errorf("channel %d: %+v is missing, and the cursor covers it", channel, list[i])
		}
	}
	return nil
}
