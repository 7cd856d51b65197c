package kafka

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

// Defaults of Options.
const (
	FetchedBytesDefault    = 64 << 20
	MetadataRefreshDefault = 5 * time.Second
	ClientIDDefault        = "odin"
)

// Options says where the records are and how to read them.
type Options struct {
	Brokers         []string      // host:port, at least one
	Topics          []string      // what Topology answers for
	ClientID        string        // shown by the broker; ClientIDDefault if empty
	TLS             *tls.Config   // nil: plain text
	SASL            *SASL         // nil: no authentication
	FetchedBytesMax int           // bytes fetched and not yet handed over; FetchedBytesDefault if 0
	MetadataRefresh time.Duration // the oldest that metadata gets; MetadataRefreshDefault if 0
	Encode          Encoder       // required
	Log             *slog.Logger  // nil: silent
}

// Raw is a record as Kafka holds it. Its bytes are valid only during Encode.
type Raw struct {
	Partition event.Partition
	Offset    int64
	Time      int64 // Unix milliseconds
	Key       []byte
	Value     []byte                                // nil: a tombstone
	Header    func(name string) (v []byte, ok bool) // the last header of that name
}

// Encoder routes a record into a channel and encodes its frame. It appends
// the channel and then the frame to dst, and returns both; skip is 0, or the
// reason (1 to SkipReasons-1) for which the record has no place, and then both
// are nil. It is called from the goroutine that calls Poll, and from any that
// calls Range, at once.
type Encoder func(dst []byte, r Raw) (channel, frame []byte, skip int)

// SkipReasons is how many reasons an Encoder can tell apart, 0 (none) included.
const SkipReasons = 16
