package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/odin-ws/odin/internal/event"
)

// Sizes within a batch (KIP-98). Messages of format 0 and 1 begin alike: the
// offset, the length of what follows, and the format at byte 16.
const (
	batchLengthEnd = 12 // offset and length, which the length doesn't count
	batchMagicAt   = 16
	batchLeast     = batchMagicAt + 1
	headerBytes    = 61 // of format 2
)

const (
	attributeTransactional = 1 << 4
	attributeControl       = 1 << 5
)

var errBatch = errors.New("broken batch")

// header is what is needed of a batch without decoding its records.
type header struct {
	first, last int64
	epoch       int32 // leader epoch that appended it
	producer    int64
	aborts      bool // its records may belong to an aborted transaction
	control     bool // it holds a marker, no record
}

// cut takes the first batch off a fetched sequence. A sequence may end within
// a batch, since a broker cuts by bytes: then ok is false and what is left is
// to be fetched anew.
func cut(in []byte) (h header, batch, rest []byte, ok bool, err error) {
	if len(in) < batchLeast {
		return h, nil, nil, false, nil
	}
	size := int64(int32(binary.BigEndian.Uint32(in[8:]))) + batchLengthEnd
	if size < batchLeast {
		return h, nil, nil, false, fmt.Errorf("%w: length %d", errBatch, size)
	}
	if int64(len(in)) < size {
		return h, nil, nil, false, nil
	}
	h, err = readHeader(in[:size])
	return h, in[:size], in[size:], err == nil, err
}

func readHeader(batch []byte) (header, error) {
	h := header{first: int64(binary.BigEndian.Uint64(batch)), epoch: event.NoEpoch, producer: -1}
	h.last = h.first
	switch magic := batch[batchMagicAt]; {
	case magic < 2: // a message; its offset is the last one of what it wraps
		return h, checkOffsets(h)
	case magic > 2:
		return h, fmt.Errorf("%w: format %d", errBatch, magic)
	case len(batch) < headerBytes:
		return h, fmt.Errorf("%w: %d bytes", errBatch, len(batch))
	}
	attributes := binary.BigEndian.Uint16(batch[21:])
	h.epoch = int32(binary.BigEndian.Uint32(batch[12:]))
	h.last = h.first + int64(int32(binary.BigEndian.Uint32(batch[23:])))
	h.producer = int64(binary.BigEndian.Uint64(batch[43:]))
	h.aborts = attributes&attributeTransactional != 0
	h.control = attributes&attributeControl != 0
	return h, checkOffsets(h)
}

func checkOffsets(h header) error {
	if h.first < 0 || h.last < h.first || h.last == math.MaxInt64 {
		return fmt.Errorf("%w: offsets %d to %d", errBatch, h.first, h.last)
	}
	return nil
}
