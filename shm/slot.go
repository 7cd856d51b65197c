package shm

import (
	"sync/atomic"

	"github.com/odin-ws/odin/internal/event"
)

// Slot is one worker's part of the segment. It outlives the worker: each
// process that runs in it is a generation.
type Slot struct {
	segment *Segment
	index   int
	off     int
	blocks  [2]Block
}

// Words of a slot's spawn line.
const (
	spawnWord     = slotSpawn + 0*word // pid (32) | generation (32)
	spawnTime     = slotSpawn + 1*word
	spawnRespawns = slotSpawn + 2*word
	spawnLent     = slotSpawn + 3*word // 1 + the slot that serves this one's listener; 0: itself
	spawnSuspect  = slotSpawn + 4*word
)

func newSlot(s *Segment, i int) Slot {
	off := s.plan.slot(i)
	slot := Slot{segment: s, index: i, off: off}
	for parity := range slot.blocks {
		slot.blocks[parity] = newBlock(s.mem, off+s.blocks+parity*s.blockBytes)
	}
	return slot
}

func (s *Slot) load(off int) uint64 { return s.segment.mem.load(s.off + off) }

func (s *Slot) store(off int, v uint64) {
	s.segment.mustWrite()
	s.segment.mem.store(s.off+off, v)
}

// Index is the slot's number.
func (s *Slot) Index() int { return s.index }

// SetSpawn says, by the supervisor, that pid now runs in the slot as this
// generation, since the wall-clock time ns. It is called after waitpid of the
// generation before the last and before the new worker is told anything. The
// heartbeat's age starts from now, its count goes on.
func (s *Slot) SetSpawn(pid int, generation uint32, ns int64) {
	s.store(slotBeat+word, uint64(Monotonic()))
	s.store(spawnTime, uint64(ns))
	s.store(slotState, uint64(Starting))
	s.store(spawnWord, uint64(uint32(pid))<<32|uint64(generation))
}

// Spawned gives pid and generation, read together, and the wall-clock time of
// the spawn; all zero if nothing ever ran here.
func (s *Slot) Spawned() (pid int, generation uint32, ns int64) {
	w := s.load(spawnWord)
	return int(w >> 32), uint32(w), int64(s.load(spawnTime))
}

// Pid is the process that runs, or last ran, in the slot; 0 if none did.
func (s *Slot) Pid() int { return int(s.load(spawnWord) >> 32) }

// Generation is the incarnation that runs, or last ran, in the slot.
func (s *Slot) Generation() uint32 { return uint32(s.load(spawnWord)) }

// CountRespawn counts, by the supervisor, that the slot's worker was replaced.
func (s *Slot) CountRespawn() {
	s.segment.mustWrite()
	s.segment.mem.add(s.off+spawnRespawns, 1)
}

// Respawns is how often the slot's worker was replaced.
func (s *Slot) Respawns() uint64 { return s.load(spawnRespawns) }

// SetLent says, by the supervisor, which slot serves this one's listener
// meanwhile; event.Nobody: the slot itself.
func (s *Slot) SetLent(to int) { s.store(spawnLent, uint64(to+1)) }

// Lent is the slot that serves this one's listener, event.Nobody if it does
// so itself.
func (s *Slot) Lent() int {
	to := int(min(s.load(spawnLent), event.MaxSlots+1)) - 1
	if to >= s.segment.layout.Slots {
		return event.Nobody
	}
	return to
}

// SetSuspect says, by the supervisor, whether the heartbeat has been missing
// long enough for the slot's partitions to be moved.
func (s *Slot) SetSuspect(is bool) {
	v := uint64(0)
	if is {
		v = 1
	}
	s.store(spawnSuspect, v)
}

// Suspect is what SetSuspect said.
func (s *Slot) Suspect() bool { return s.load(spawnSuspect) != 0 }

// SetState is for the worker; the supervisor sets Gone after waitpid.
func (s *Slot) SetState(state State) { s.store(slotState, uint64(state)) }

// State is where the slot's worker stands.
func (s *Slot) State() State { return State(min(s.load(slotState), uint64(^uint32(0)))) }

// Beat says, by the worker, that it is alive at the monotonic time ns. The
// time goes first, so that who sees the count sees a time no older.
func (s *Slot) Beat(ns int64) {
	s.store(slotBeat+word, uint64(ns))
	s.segment.mem.add(s.off+slotBeat, 1)
}

// LastBeat gives how often the slot's workers have beaten and the monotonic
// time of the last beat, or of the spawn if none came since.
func (s *Slot) LastBeat() (count uint64, ns int64) {
	count = s.load(slotBeat)
	return count, int64(s.load(slotBeat + word))
}

// SetReason says, by the worker's loop, why it is not well; "" if it is.
func (s *Slot) SetReason(why string) {
	s.segment.mustWrite()
	s.reason().set(why)
}

// Reason is why the worker is not well, "" if it is.
func (s *Slot) Reason() string { return s.reason().get() }

func (s *Slot) reason() name {
	return name{twin{s.segment.mem.words(s.off+slotReason, twinWords(nameWords))}}
}

// Block gives the generation's writer its numbers. Generations use the two
// blocks in turn.
func (s *Slot) Block(generation uint32) *Block {
	s.segment.mustWrite()
	return &s.blocks[generation&1]
}

// Counter is what all generations of the slot have counted; it never falls.
func (s *Slot) Counter(c Counter) uint64 {
	return atomic.LoadUint64(&s.blocks[0].counters[c]) + atomic.LoadUint64(&s.blocks[1].counters[c])
}

// Gauge is the sum over the living generations, for while one hands over to
// the next there are two; a yes or no (unit Flag) is the newest generation's.
func (s *Slot) Gauge(g Gauge) int64 {
	if gaugeTable[g].Unit == Flag {
		return int64(atomic.LoadUint64(&s.blocks[s.Generation()&1].gauges[g]))
	}
	return int64(atomic.LoadUint64(&s.blocks[0].gauges[g]) + atomic.LoadUint64(&s.blocks[1].gauges[g]))
}

// Histogram is what all generations of the slot have observed.
func (s *Slot) Histogram(h Histogram) HistogramSnapshot {
	snapshot := HistogramSnapshot{Bounds: histogramTable[h].Bounds}
	snapshot.Buckets = make([]uint64, len(snapshot.Bounds)+1)
	for i := range s.blocks {
		s.blocks[i].histograms[h].addTo(&snapshot)
	}
	return snapshot
}

// ClearGauges sets all gauges of the slot to zero, by the supervisor, after
// waitpid has reported every generation of it dead.
func (s *Slot) ClearGauges() {
	s.segment.mustWrite()
	for i := range s.blocks {
		s.blocks[i].ClearGauges()
	}
}
