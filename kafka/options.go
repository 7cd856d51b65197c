package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

// Defaults of Options.
const (
	ClientIDDefault        = "odin"
	FetchedBytesDefault    = 64 << 20
	MetadataRefreshDefault = 5 * time.Second
)

// FetchedBytesLeast is the smallest FetchedBytesMax: the largest record that
// Kafka takes by default must fit in.
const FetchedBytesLeast = 1 << 20

// Options says where the records are and how to read them.
type Options struct {
	Brokers         []string      // host:port to find the cluster by, at least one
	Topics          []string      // what Topology answers for
	ClientID        string        // shown by the broker; ClientIDDefault if empty
	TLS             *tls.Config   // nil: plain text
	SASL            *SASL         // nil: no login
	FetchedBytesMax int           // bytes fetched and not yet handed over; FetchedBytesDefault if 0
	MetadataRefresh time.Duration // how old metadata gets at most; MetadataRefreshDefault if 0
	Encode          Encoder       // required
	Log             *slog.Logger  // nil: silent
}

// Encoder routes a record into a channel and encodes its frame. It appends
// the channel and behind it the frame to dst and returns the two; skip is 0,
// or the reason (1 to SkipReasons-1) for which the record has no place, and
// what it returns beside is ignored then. It is called by one fetcher at a time
// and, beside it, by those that read a Range.
type Encoder func(dst []byte, r Raw) (channel, frame []byte, skip int)

// SkipReasons is how many reasons an Encoder can tell apart, 0 (none)
// included.
const SkipReasons = 16

// Raw is a record as Kafka holds it. Its bytes are valid during Encode only.
type Raw struct {
	Partition event.Partition
	Offset    int64
	Time      int64 // the producer's or the broker's timestamp, Unix milliseconds
	Key       []byte
	Value     []byte                                // nil: a tombstone
	Header    func(name string) (v []byte, ok bool) // the last header of that name
}

// Errors of Options, wrapped with what is wrong.
var (
	ErrNoBrokers = errors.New("kafka: options name no broker")
	ErrNoEncoder = errors.New("kafka: options have no encoder")
	ErrOptions   = errors.New("kafka: option out of range")
)

// complete checks the options and returns them with their defaults filled in.
func (o Options) complete() (Options, error) {
	if len(o.Brokers) == 0 {
		return o, ErrNoBrokers
	}
	if o.Encode == nil {
		return o, ErrNoEncoder
	}
	if o.ClientID == "" {
		o.ClientID = ClientIDDefault
	}
	if o.FetchedBytesMax == 0 {
		o.FetchedBytesMax = FetchedBytesDefault
	}
	if o.FetchedBytesMax < FetchedBytesLeast {
		return o, fmt.Errorf("%w: %d bytes fetched at most, must be %d or more", ErrOptions, o.FetchedBytesMax, FetchedBytesLeast)
	}
	if o.MetadataRefresh == 0 {
		o.MetadataRefresh = MetadataRefreshDefault
	}
	if o.MetadataRefresh < 0 {
		return o, fmt.Errorf("%w: metadata refreshed every %v", ErrOptions, o.MetadataRefresh)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
