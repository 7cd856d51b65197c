package shm

import (
	"encoding/binary"

	"github.com/odin-ws/odin/internal/event"
)

// An era record is a word {era (32) | 1 | slot (8)} in the partition's entry
// and fields in the staging area of the slot that the word names: each slot
// has two areas a partition, used by era numbers in turn.
//
// The candidate for era e fills its area e%2 and swaps the word from e-1 to e.
// Dying before the swap leaves nothing to see. It touches area e%2 only after
// it has seen e-1 as the current era, so an area is never written while the
// word refers to it: that word would say e-2, or e of the candidate's own,
// and it is the only one to swap that in. A reader reads the word, the
// fields, and the word again.

// supervisorSlot is the slot in an era word whose fields stand in the
// partition's own entry.
const supervisorSlot = 0xff

const eraSet = 1 << 8 // the word 0 means that nothing was set yet

// Words of a staged era.
const (
	stageFrom  = iota
	stageTopic // two words
	_
	stageEpoch
	stageWords
)

const (
	stageBytes  = stageWords * word
	stagesBytes = 2 * stageBytes // of one slot and partition
)

func eraWord(number uint32, slot int) uint64 { return uint64(number)<<32 | eraSet | uint64(slot) }

// stage is where the fields of an era stand that this slot proposed.
func (s *Segment) stage(i, slot int, number uint32) (off int, ok bool) {
	if slot == supervisorSlot {
		return s.partition(i) + partitionStage, true
	}
	if slot >= s.layout.Slots {
		return 0, false
	}
	return s.slot(slot) + s.eras + i*stagesBytes + int(number&1)*stageBytes, true
}

func (s *Segment) writeStage(off int, e event.Era) {
	s.mem.store(off+stageFrom*word, uint64(e.From))
	s.mem.store(off+stageTopic*word, binary.LittleEndian.Uint64(e.Topic[:8]))
	s.mem.store(off+(stageTopic+1)*word, binary.LittleEndian.Uint64(e.Topic[8:]))
	s.mem.store(off+stageEpoch*word, uint64(uint32(e.Epoch)))
}

func (s *Segment) readStage(off int, number uint32) event.Era {
	e := event.Era{Number: number, From: int64(s.mem.load(off + stageFrom*word))}
	binary.LittleEndian.PutUint64(e.Topic[:8], s.mem.load(off+stageTopic*word))
	binary.LittleEndian.PutUint64(e.Topic[8:], s.mem.load(off+(stageTopic+1)*word))
	e.Epoch = int32(uint32(s.mem.load(off + stageEpoch*word)))
	return e
}

// Era is the current era of partition i. Before SetFirstEra it is number 0
// from offset 0 of an unknown topic.
func (s *Segment) Era(i int) event.Era {
	at := s.partition(i) + partitionEra
	var e event.Era
	for range readTriesMax {
		w := s.mem.load(at)
		off, ok := s.stage(i, int(w&0xff), uint32(w>>32))
		if w == 0 || !ok {
			return event.Era{Number: uint32(w >> 32), Epoch: event.NoEpoch}
		}
		e = s.readStage(off, uint32(w>>32))
		// Only a new era in between can make this fail.
		if s.mem.load(at) == w {
			break
		}
	}
	return e
}

// EraNumber is Era(i).Number in one load, for the comparison at each message,
// poll and tick.
func (s *Segment) EraNumber(i int) uint32 {
	return uint32(s.mem.load(s.partition(i)+partitionEra) >> 32)
}

// SetFirstEra sets, by the supervisor, the era of partition i that was kept
// on disk, or its first. False: it has one already.
func (s *Segment) SetFirstEra(i int, e event.Era) bool {
	s.mustWrite()
	off := s.partition(i)
	if s.mem.load(off+partitionEra) != 0 {
		return false
	}
	s.writeStage(off+partitionStage, e)
	s.mem.store(off+partitionFirst, uint64(e.Number))
	return s.mem.swap(off+partitionEra, 0, eraWord(e.Number, supervisorSlot))
}

// ProposeEra makes e the era of partition i if the current one is
// e.Number-1, by the slot's worker, from one goroutine. False: somebody else
// was first (adopt Era(i)).
func (s *Slot) ProposeEra(i int, e event.Era) bool {
	s.segment.mustWrite()
	at := s.segment.partition(i) + partitionEra
	current := s.segment.mem.load(at)
	if uint32(current>>32)+1 != e.Number || e.Number == 0 {
		return false
	}
	off, _ := s.segment.stage(i, s.index, e.Number)
	s.segment.writeStage(off, e)
	return s.segment.mem.swap(at, current, eraWord(e.Number, s.index))
}

// FirstEra is the number of the era of partition i in which its base was
// resolved.
func (s *Segment) FirstEra(i int) uint32 { return uint32(s.mem.load(s.partition(i) + partitionFirst)) }
