package event

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// TopicID is a topic's incarnation (KIP-516); zero where the broker has none.
type TopicID [16]byte

// Era is one era of a partition: a topic's incarnation plus the truncations
// seen in it. It begins with the record at offset From.
type Era struct {
	Number uint32
	From   int64
	Topic  TopicID
	Epoch  int32 // leader epoch of From-1; NoEpoch: unknown, or what lies below From may be of another log than before
}

// EpochName is what clients see as `epoch` in a cursor: it changes when the
// topic is made anew (the id) or was truncated (the sum of its partitions'
// era numbers), and never when Odin restarts.
func EpochName(id TopicID, eras uint64) string {
	return hex.EncodeToString(id[:]) + "." + strconv.FormatUint(eras, 10)
}

// ParseEpoch takes a name that EpochName made apart; a text of another form is
// no epoch.
func ParseEpoch(name string) (id TopicID, eras uint64, ok bool) {
	text, sum, found := strings.Cut(name, ".")
	if !found || len(text) != hex.EncodedLen(len(id)) {
		return id, 0, false
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return id, 0, false
	}
	eras, err = strconv.ParseUint(sum, 10, 64)
	copy(id[:], raw)
	return id, eras, err == nil && EpochName(id, eras) == name
}
