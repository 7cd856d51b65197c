package main

import "fmt"

// heard is one thing that a slow session was told, in the order of arrival: a
// record, or with dropped > 0 that so many of the channel's were dropped. A cursor
// moves to at by either.
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
// ack's cursor on, with nothing missing but what notices announce exactly, a
// cursor that never covers what is not told yet, and all told to the end that the
// pong's cursor tells.
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
		switch {
		case h.dropped > int64(len(list)-i):
			return v, fmt.Errorf("channel %d: %+v behind %d of its %d records: announced wrongly", h.channel, h, i, len(list))
		case h.dropped > 0:
			next[h.channel] = i + int(h.dropped)
			v.announced += uint64(h.dropped)
			v.notices++
		case i >= len(list) || list[i] != h.at:
			return v, fmt.Errorf("channel %d: %+v behind %d of its records: missing, repeated or announced wrongly", h.channel, h, i)
		default:
			next[h.channel] = i + 1
			v.records++
		}
		if err := untold(published, next, h.at.partition, h.at.offset); err != nil {
			return v, err
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

// untold finds a record that a cursor covers and nobody told of.
func untold(published [][]position, next map[int32]int, partition int32, covered int64) error {
	for channel, i := range next {
		list := published[channel]
		if i < len(list) && list[i].partition == partition && list[i].offset <= covered {
			return fmt.Errorf("channel %d: %+v is missing, and the cursor covers it", channel, list[i])
		}
	}
	return nil
}

// ended wants everything up to the last cursor told, and nothing beyond it.
func (s *story) ended(published [][]position, next map[int32]int) error {
	for partition, covered := range s.to {
		if err := untold(published, next, int32(partition), covered); err != nil {
			return err
		}
	}
	for channel, i := range next {
		if i == 0 {
			continue
		}
		if last := published[channel][i-1]; last.offset > s.to.at(last.partition) {
			return fmt.Errorf("channel %d: %+v was told, and the cursor does not cover it: announced wrongly", channel, last)
		}
	}
	return nil
}
