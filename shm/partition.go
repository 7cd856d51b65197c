package shm

import (
	"errors"
	"fmt"

	"github.com/odin-ws/odin/internal/event"
)

// ErrTableFull says that the partition table has no room for one more.
var ErrTableFull = errors.New("the partition table is full")

// AddPartition appends p to the partition table, by the supervisor, with base
// the next offset to read (rule 3) and no owner. A partition that is in the
// table already keeps its index and its base. The error wraps ErrTableFull.
func (s *Segment) AddPartition(p event.Partition, base int64) (index int, err error) {
	return s.add(p, base, nil, NoMark)
}

// AddPartitionInEra is AddPartition followed by SetFirstEra, but nobody sees
// the partition without its era, nor without the furthest record that anybody
// held of it before this start, NoMark if none is known.
func (s *Segment) AddPartitionInEra(p event.Partition, base int64, e event.Era, kept Mark) (index int, err error) {
	return s.add(p, base, &e, kept)
}

func (s *Segment) add(p event.Partition, base int64, e *event.Era, kept Mark) (index int, err error) {
	s.mustWrite()
	if i, ok := s.Find(p); ok {
		return i, nil
	}
	if p.Number < 0 || p.Topic == "" || len(p.Topic) > TopicMax {
		return 0, fmt.Errorf("shm: add partition %s: a topic has 1 to %d bytes and a partition's number is not negative", p, TopicMax)
	}
	index = s.Partitions()
	if index >= s.layout.Partitions {
		return 0, fmt.Errorf("shm: add partition %s: %w (it holds %d)", p, ErrTableFull, s.layout.Partitions)
	}
	off := s.partition(index)
	s.topic(index).set(p.Topic)
	s.mem.store(off+partitionNumber, uint64(p.Number))
	s.mem.store(off+partitionBase, uint64(base))
	s.mem.store(off+partitionOwner, event.Owner{Slot: event.Nobody}.Word())
	if e != nil {
		s.SetFirstEra(index, *e)
	}
	if kept != NoMark {
		s.storeMark(off+partitionKept, kept)
	}
	s.mem.store(s.plan.process+processTopology+word, uint64(index+1)) // all of the above is visible with it
	return index, nil
}

func (s *Segment) topic(i int) name {
	return name{twin{s.mem.words(s.partition(i)+partitionTopic, twinWords(topicWords))}}
}

// Find gives the index of a partition in the table.
func (s *Segment) Find(p event.Partition) (index int, ok bool) {
	for i := range s.Partitions() {
		number := s.mem.load(s.partition(i) + partitionNumber)
		if number == uint64(p.Number) && s.topic(i).get() == p.Topic {
			return i, true
		}
	}
	return 0, false
}

// Partitions is how many partitions the table holds; indexes below it are
// valid for ever.
func (s *Segment) Partitions() int {
	n := s.mem.load(s.plan.process + processTopology + word)
	return int(min(n, uint64(s.layout.Partitions)))
}

// Partition gives the name of partition i and the next offset to read that
// was resolved when it was added.
func (s *Segment) Partition(i int) (p event.Partition, base int64) {
	off := s.partition(i)
	number := int32(s.mem.load(off + partitionNumber))
	return event.Partition{Topic: s.topic(i).get(), Number: number}, int64(s.mem.load(off + partitionBase))
}

// SetTopologyVersion says, by the supervisor, that the table holds all of the
// topology's version v.
func (s *Segment) SetTopologyVersion(v uint64) {
	s.mustWrite()
	s.mem.store(s.plan.process+processTopology, v)
}

// TopologyVersion is what SetTopologyVersion said, 0 if the topology was never
// known.
func (s *Segment) TopologyVersion() uint64 { return s.mem.load(s.plan.process + processTopology) }

// SetOwner names, by the supervisor, who consumes partition i: one atomic
// store (rule 1).
func (s *Segment) SetOwner(i int, o event.Owner) {
	s.mustWrite()
	s.mem.store(s.partition(i)+partitionOwner, o.Word())
}

// Owner is who consumes partition i.
func (s *Segment) Owner(i int) event.Owner {
	return event.OwnerOf(s.mem.load(s.partition(i) + partitionOwner))
}
