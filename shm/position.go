package shm

import "github.com/odin-ws/odin/internal/event"

// Position is how far one worker has come in one partition, published whole.
type Position struct {
	Era     uint32 // the era that the offsets belong to
	Epoch   int32  // leader epoch of Held, event.NoEpoch if unknown
	Held    int64  // h: last offset in the worker's history, event.None if nothing
	Applied int64  // a: last offset given to sessions
	From    int64  // f: first offset that the history covers

	// As the owner last heard from the broker; event.None if it never did.
	Stable   int64 // last stable offset: what read_committed may read ends before it
	High     int64 // high watermark
	LogStart int64 // log start offset

	// CaughtUpNS is the wall clock when the lag was last known to be 0, 0 if it
	// never was. The owner sets it at each answer of the broker that finds it
	// without lag, before the answer's records are counted too, so that an idle
	// hour is no lag of an hour; who stops owning leaves it as it is.
	CaughtUpNS int64

	Term       uint32 // of the owner word that the worker acted on
	Generation uint32 // of the worker, 24 bits
	Positioned bool   // the worker has an h in this era
	Owned      bool   // the worker consumes the partition itself
}

// Words of a position.
const (
	posEra = iota // era (32) | leader epoch (32)
	posHeld
	posApplied
	posFrom
	posStable
	posHigh
	posLogStart
	posCaughtUp
	posTerm // term (32) | flags (8) | generation (24)
	posWords
)

const (
	flagPositioned = 1 << 24
	flagOwned      = 1 << 25
	generationMask = 1<<24 - 1
)

// positionBytes is a position's room. It is no multiple of a cache line:
// neighbours have the same writer.
const positionBytes = (1 + 2*posWords + 1) * word

func (p Position) pack() [posWords]uint64 {
	term := uint64(p.Term)<<32 | uint64(p.Generation&generationMask)
	if p.Positioned {
		term |= flagPositioned
	}
	if p.Owned {
		term |= flagOwned
	}
	return [posWords]uint64{
		posEra: uint64(p.Era)<<32 | uint64(uint32(p.Epoch)), posHeld: uint64(p.Held),
		posApplied: uint64(p.Applied), posFrom: uint64(p.From), posStable: uint64(p.Stable),
		posHigh: uint64(p.High), posLogStart: uint64(p.LogStart), posCaughtUp: uint64(p.CaughtUpNS), posTerm: term,
	}
}

func unpackPosition(w *[posWords]uint64) Position {
	return Position{
		Era: uint32(w[posEra] >> 32), Epoch: int32(uint32(w[posEra])), Held: int64(w[posHeld]),
		Applied: int64(w[posApplied]), From: int64(w[posFrom]), Stable: int64(w[posStable]),
		High: int64(w[posHigh]), LogStart: int64(w[posLogStart]), CaughtUpNS: int64(w[posCaughtUp]),
		Term: uint32(w[posTerm] >> 32), Generation: uint32(w[posTerm]) & generationMask,
		Positioned: w[posTerm]&flagPositioned != 0, Owned: w[posTerm]&flagOwned != 0,
	}
}

func (s *Slot) position(i int) twin {
	_ = s.segment.partition(i) // checks i
	return twin{s.segment.mem.words(s.off+s.segment.positions+i*positionBytes, twinWords(posWords))}
}

// PublishPosition makes p the worker's position in partition i; by its loop.
func (s *Slot) PublishPosition(i int, p Position) {
	s.segment.mustWrite()
	words := p.pack()
	s.position(i).write(words[:])
}

// Position is what the slot's worker, living or dead, last published for
// partition i, untorn; Generation tells whose it is. False: nothing ever was,
// or the writer was too fast for the reader many times in a row (try later).
func (s *Slot) Position(i int) (p Position, ok bool) {
	var words [posWords]uint64
	if !s.position(i).read(words[:]) {
		return Position{Epoch: event.NoEpoch, Held: event.None, Applied: event.None, Stable: event.None, High: event.None, LogStart: event.None}, false
	}
	return unpackPosition(&words), true
}
