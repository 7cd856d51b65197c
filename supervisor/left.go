package supervisor

import (
	"errors"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// leftBehind is what the segment of an odind that was killed says of its
// partitions, none if there is no such segment. It outlives its processes, and
// whatever they had sent to a client stands in it, while the file is written
// every few seconds. None of them runs any more: they would hold the port.
func leftBehind(segment string) (list []keptEra, err error) {
	s, err := shm.OpenLeft(segment)
	if errors.Is(err, shm.ErrMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for i := range s.Partitions() {
		name, _ := s.Partition(i)
		mark, _ := s.Reached(i)
		k := newKeptEra(name, s.Era(i), mark)
		if err := k.check(); err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

// newest is of each partition what goes further, in as many as can be kept:
// those that were left behind first.
func newest(left, kept []keptEra) []keptEra {
	list := append([]keptEra(nil), left...)
	at := make(map[event.Partition]int, len(list))
	for i, k := range list {
		at[k.name()] = i
	}
	for _, k := range kept {
		i, both := at[k.name()]
		switch {
		case both && k.mark().Beyond(list[i].mark()):
			list[i] = k
		case !both && len(list) < shm.PartitionsMax:
			list = append(list, k)
		}
	}
	return list
}

// mark orders what is known of a partition: by its era first.
func (k keptEra) mark() shm.Mark { return shm.Mark{Era: k.Era, Epoch: k.HeldEpoch, Held: k.Held} }
