package shm

import (
	"fmt"

	"github.com/odin-ws/odin/internal/event"
)

// LayoutVersion counts the changes of the segment's form; any change of the
// table of metrics is one that Open notices too, by the directory.
const LayoutVersion = 3

// PartitionsMax is the most partitions that one segment can hold.
const PartitionsMax = 4096

// Layout is what decides the size of a segment: about 0.9 MiB a slot with
// 4,096 partitions, all of it allocated when the segment is created.
type Layout struct {
	Slots      int // workers, 1 to event.MaxSlots
	Partitions int // capacity of the partition table, 1 to PartitionsMax
}

// Check tells what is wrong with a layout.
func (l Layout) Check() error {
	if l.Slots < 1 || l.Slots > event.MaxSlots {
		return fmt.Errorf("shm: %d slots, allowed are 1 to %d", l.Slots, event.MaxSlots)
	}
	if l.Partitions < 1 || l.Partitions > PartitionsMax {
		return fmt.Errorf("shm: capacity of %d partitions, allowed are 1 to %d", l.Partitions, PartitionsMax)
	}
	return nil
}

// Offsets in the process area.
const (
	processIdentity = 0 * line // pid, started, state, run
	processRun      = processIdentity + 3*word
	processBeat     = 1 * line // heartbeat: count, ns
	processTopology = 2 * line // version of the topology, partitions in the table
	processCounters = 3 * line
)

// Offsets in a partition's entry.
const (
	partitionOwner  = 0 * word // everything in this line is read on hot paths and written rarely
	partitionEra    = 1 * word
	partitionBase   = 2 * word
	partitionNumber = 3 * word
	partitionFirst  = 4 * word            // number of the first era
	partitionMark   = 5 * word            // the furthest position of the dead: era and leader epoch, offset
	partitionStage  = 1 * line            // the supervisor's staging area for the first era
	partitionKept   = 1*line + stageBytes // the furthest of before this start: as partitionMark
	partitionTopic  = 2 * line
)

// Offsets in a slot's area.
const (
	slotSpawn  = 0 * line // by the supervisor: pid and generation, time, respawns
	slotState  = 1 * line // by the worker
	slotBeat   = 2 * line // by the worker: heartbeat: count, ns
	slotReason = 3 * line // by the worker: why it is not well
)

// plan is every offset of a segment, derived from its layout alone.
type plan struct {
	layout Layout

	process        int
	processGauges  int // in the process area
	processNames   int // in the process area
	partitions     int
	partitionBytes int
	slots          int
	slotBytes      int
	blocks         int // in a slot
	blockBytes     int
	positions      int // in a slot
	eras           int // in a slot
	size           int
}

func planOf(l Layout) plan {
	p := plan{layout: l, process: descriptionBytes()}
	p.processGauges = processCounters + roundUp(int(SupervisorCounterCount)*word, line)
	p.processNames = p.processGauges + roundUp(int(SupervisorGaugeCount)*word, line)
	p.partitions = p.process + roundUp(p.processNames+int(NameCount)*nameBytes(), page)
	p.partitionBytes = partitionTopic + roundUp(twinWords(topicWords)*word, line)
	p.slots = p.partitions + roundUp(l.Partitions*p.partitionBytes, page)

	p.blocks = slotReason + nameBytes()
	p.blockBytes = blockBytes()
	p.positions = p.blocks + 2*p.blockBytes
	p.eras = roundUp(p.positions+l.Partitions*positionBytes, line)
	p.slotBytes = roundUp(p.eras+l.Partitions*stagesBytes, page)
	p.size = p.slots + l.Slots*p.slotBytes
	return p
}

func nameBytes() int { return roundUp(twinWords(nameWords)*word, line) }

func (p plan) slot(i int) int { return p.slots + i*p.slotBytes }

// partition panics for an index outside of the table's capacity, which would
// reach into the neighbour's memory.
func (p plan) partition(i int) int {
	if i < 0 || i >= p.layout.Partitions {
		panic("shm: index of a partition out of range")
	}
	return p.partitions + i*p.partitionBytes
}
