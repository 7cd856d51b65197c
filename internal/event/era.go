package event

import (
	"encoding/hex"
	"strconv"
)

// TopicID is a topic's incarnation (KIP-516); zero where the broker has none.
type TopicID [16]byte

// Era is one era of a partition: a topic's incarnation plus the truncations
// seen in it. It begins with the record at offset From.
type Era struct {
	Number uint32
	From   int64
	Topic  TopicID
	Epoch  int32 // leader epoch of From-1, NoEpoch if unknown
}

// EpochName is what clients see as `epoch` in a cursor: it changes when the
// topic is made anew (the id) or was truncated (the sum of its partitions'
// era numbers), and never when Odin restarts.
func EpochName(id TopicID, eras uint64) string {
	return hex.EncodeToString(id[:]) + "." + strconv.FormatUint(eras, 10)
}
