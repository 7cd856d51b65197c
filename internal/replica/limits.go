package replica

import "time"

// Limits bound a Store. Zero fields take their default.
type Limits struct {
	Bytes   int64         // of all chunks and indexes; default HistoryBytes
	Age     time.Duration // since arrival, of a chunk's newest frame; default HistoryAge
	Records int           // a partition; default HistoryRecords
	Chunk   int           // bytes of a chunk; default ChunkBytes
	Hold    time.Duration // for which a Past is heir to a history after its last use; default PastHold
}

// Defaults of Limits.
const (
	HistoryBytes   = 256 << 20
	HistoryAge     = 5 * time.Minute
	HistoryRecords = 10_000
	ChunkBytes     = 1 << 20
	PastHold       = 10 * time.Second
)

// headroomParts: an eviction makes this part of the bytes free, and at least
// one chunk, so that a turn's input fits between two evictions.
const headroomParts = 32

// fillParts: a chunk is filled for this part of the age at most, and so much
// later than its age the oldest record may leave.
const fillParts = 4

// freeChunksMax and freeBlocksMax bound what a Store keeps to use again.
const (
	freeChunksMax = 4
	freeBlocksMax = 256
)

func (l Limits) withDefaults() Limits {
	if l.Chunk <= 0 {
		l.Chunk = ChunkBytes
	}
	if l.Bytes <= 0 {
		l.Bytes = HistoryBytes
	}
	l.Bytes = max(l.Bytes, 4*int64(l.Chunk))
	if l.Age <= 0 {
		l.Age = HistoryAge
	}
	if l.Records <= 0 {
		l.Records = HistoryRecords
	}
	if l.Hold <= 0 {
		l.Hold = PastHold
	}
	return l
}

func (l Limits) headroom() int64 { return max(l.Bytes/headroomParts, int64(l.Chunk)) }
