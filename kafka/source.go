package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/internal/event"
)

// ErrClosed is what a closed Source answers.
var ErrClosed = errors.New("kafka: closed")

// Source reads partitions of Kafka. All its methods may be called at once;
// what Serve calls may call Assign and Revoke, but not Serve or Close.
type Source struct {
	o     Options
	login *login
	live  *kgo.Client // metadata, and what fetchers ask beside their fetches
	side  *kgo.Client // offsets and ranges, which may take long

	// What Tune changes.
	fetchedMax      atomic.Int64
	metadataRefresh atomic.Int64 // a time.Duration

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	faulty chan struct{} // faults has something
	kick   chan struct{} // metadata is wanted now

	handing sync.Mutex // held while something is handed over; it guards what follows
	changed sync.Cond  // service did, or the Source is closed
	service *service   // nil: nobody serves
	dec     *decoder
	enc     encoder

	mu       sync.Mutex
	parts    map[event.Partition]*part
	fetchers map[int32]*fetcher
	topics   map[string]topicState    // nil until metadata was had once
	brokers  map[int32]string         // where each is, by the same metadata
	retired  map[string]event.TopicID // the incarnation before the last Recreated
	faults   []*part                  // with a fault that wasn't told yet
	flights  uint64                   // requests made, which numbers them
	metadata trouble

	stats counters
}

// Open makes a Source. It doesn't wait for a broker: Health tells whether one
// could be reached.
func Open(o Options) (*Source, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	l := newLogin(o.SASL)
	live, err := o.newClient(l)
	if err != nil {
		return nil, fmt.Errorf("kafka: set up: %w", err)
	}
	side, err := o.newClient(l)
	if err != nil {
		live.Close()
		return nil, fmt.Errorf("kafka: set up: %w", err)
	}
	s := &Source{
		o: o, login: l, live: live, side: side,
		faulty:   make(chan struct{}, 1),
		kick:     make(chan struct{}, 1),
		dec:      newDecoder(decompressedMax(o.FetchedBytesMax)),
		enc:      encoder{encode: o.Encode},
		parts:    make(map[event.Partition]*part),
		fetchers: make(map[int32]*fetcher),
		retired:  make(map[string]event.TopicID),
	}
	s.fetchedMax.Store(int64(o.FetchedBytesMax))
	s.metadataRefresh.Store(int64(o.MetadataRefresh))
	s.metadata.set(errNotYet)
	s.changed.L = &s.handing
	s.ctx, s.cancel = context.WithCancel(context.Background())
	context.AfterFunc(s.ctx, s.tellAll)
	s.tasks.Go(s.watch)
	return s, nil
}

// Close ends all fetching; Serve and Range return ErrClosed. It waits for what
// runs within the Source, a call of what serves included.
func (s *Source) Close() {
	s.mu.Lock()
	s.cancel() // no fetcher starts from here on
	s.mu.Unlock()
	s.live.Close()
	s.side.Close()
	s.tasks.Wait()
	s.handing.Lock()
	defer s.handing.Unlock()
	s.dec.close()
}

// Assign reads a partition from an offset on, instead of what was assigned
// before, of which nothing comes out any more. epoch is the leader epoch of
// the record at from-1, event.NoEpoch if unknown: the leader must know that
// record, or the partition is Truncated.
func (s *Source) Assign(p event.Partition, tag Tag, from int64, epoch int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(p)
	a := newPart(p, tag, from, epoch)
	s.parts[p] = a
	if !s.adopt(a) {
		s.wantMetadata()
	}
}

// Revoke stops reading a partition; nothing of it comes out any more.
func (s *Source) Revoke(p event.Partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(p)
}

func (s *Source) drop(p event.Partition) {
	if old := s.parts[p]; old != nil {
		s.fetchers[old.leader].remove(old)
		delete(s.parts, p)
	}
}

// wantMetadata has watch ask for metadata soon.
func (s *Source) wantMetadata() { nudge(s.kick) }

// nudge leaves a wake-up on a channel of one place.
func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
