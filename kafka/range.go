package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// Limits of a Range where RangeLimit names none.
const (
	RangeRecordsDefault = 10_000
	RangeBytesDefault   = 16 << 20
)

const (
	rangeFetchBytes = 1 << 20  // what a Range asks for at once
	rangeRoom       = 64 << 10 // where it encodes one record; a larger one gets memory of its own
)

// What a Range can't give.
var (
	// ErrTrimmed: the log begins above the first offset wanted.
	ErrTrimmed = errors.New("the log begins above the range")
	// ErrRecreated: the topic isn't the incarnation that is meant.
	ErrRecreated = errors.New("the topic was made anew")
	// ErrRegrown: what the log has there was appended after what is held.
	ErrRegrown = errors.New("the log was cut and has grown again")
	// ErrTruncated: the log ends below the first offset wanted.
	ErrTruncated = errors.New("the log ends below the range")
)

// RangeLimit bounds what a Range returns; 0: the default.
type RangeLimit struct {
	Records int
	Bytes   int // of channels and frames
}

// Range reads the visible, placeable records of [from,to] beside Serve, on
// connections of its own. reached says how far they are complete: to, or less
// when a limit was met, and then it is the offset before the first record
// that didn't fit; one is always taken. What compaction left is all there is.
// It is the past of held, a record at to or above it: another incarnation of
// the topic is not read, nor a record of a later leader epoch.
// It tries again until ctx is done, except when the records can't be had:
// ErrTrimmed, ErrRecreated, ErrRegrown and ErrTruncated; what it got before is
// returned with the error. The records are the caller's.
func (s *Source) Range(ctx context.Context, p event.Partition, held Mark, from, to int64, lim RangeLimit) (records []event.Record, reached int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	r := s.newReader(p, held, from, to, lim)
	defer r.dec.close()
	err = r.run(ctx)
	if s.ctx.Err() != nil {
		err = ErrClosed
	}
	if err != nil && !errors.Is(err, ErrClosed) {
		err = fmt.Errorf("kafka: read %v from %d to %d: %w", p, from, to, err)
	}
	return r.records, r.next - 1, err
}

// reader is the way of one Range.
type reader struct {
	s       *Source
	part    part // where to fetch from; no assignment
	held    Mark
	to      int64
	lim     RangeLimit
	dec     *decoder
	enc     encoder
	next    int64
	records []event.Record
	bytes   int
	full    bool
}

func (s *Source) newReader(p event.Partition, held Mark, from, to int64, lim RangeLimit) *reader {
	r := &reader{
		s: s, part: *newPart(p, Tag{Topic: held.Topic}, from, event.NoEpoch), held: held, to: to, lim: lim, next: max(from, 0),
		dec: newDecoder(s.decompressedMax()), enc: encoder{encode: s.o.Encode, buf: make([]byte, 0, rangeRoom)},
	}
	if r.lim.Records <= 0 {
		r.lim.Records = RangeRecordsDefault
	}
	if r.lim.Bytes <= 0 {
		r.lim.Bytes = RangeBytesDefault
	}
	return r
}

func (r *reader) run(ctx context.Context) error {
	for failed := 0; r.next <= r.to && !r.full; {
		before := r.next
		err := r.step(ctx)
		switch {
		case err == nil && r.next > before:
			failed = 0
			continue
		case err == nil: // not there yet: the broker has waited for it
			failed = 1
		case isFinal(err):
			return err
		default:
			failed++
		}
		if e := sleep(ctx, delay(failed)); e != nil && err != nil {
			return fmt.Errorf("%w: %w", e, err)
		} else if e != nil {
			return e
		}
	}
	return nil
}

func isFinal(err error) bool {
	for _, e := range []error{ErrTrimmed, ErrRecreated, ErrRegrown, ErrTruncated, errUndecodable} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// step makes one fetch.
func (r *reader) step(ctx context.Context) error {
	if r.part.leader == nobody {
		if err := r.locate(ctx); err != nil {
			return err
		}
	}
	r.part.next = r.next
	req := newFetch(rangeFetchBytes)
	want(req, &r.part, rangeFetchBytes)
	resp, err := r.send(ctx, req)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err == nil {
		err = r.read(ctx, resp)
	}
	if err != nil {
		r.part.leader = nobody // look again
	}
	return err
}

func (r *reader) send(ctx context.Context, req *kmsg.FetchRequest) (*kmsg.FetchResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWait+askTimeout)
	defer cancel()
	return sendFetch(ctx, r.s.side, r.part.leader, req)
}

// locate asks for the leader.
func (r *reader) locate(ctx context.Context) error {
	topics, _, err := askLeaders(ctx, r.s.side, map[string]bool{r.part.Topic: true})
	if err != nil {
		return err
	}
	t := topics[r.part.Topic]
	l, ok := t.parts[r.part.Number]
	none := event.TopicID{}
	switch {
	case t.err != nil:
		return t.err
	case r.part.topic != none && t.id != none && t.id != r.part.topic:
		return ErrRecreated
	case !ok:
		return errNoNumber
	case l.broker < 0:
		return errNoLeader
	}
	r.part.topic, r.part.leader, r.part.leaderEpoch = t.id, l.broker, l.epoch
	return nil
}

func (r *reader) read(ctx context.Context, resp *kmsg.FetchResponse) error {
	p := only(resp, r.part.Number)
	if p == nil {
		return errNoAnswer
	}
	switch err := kerr.ErrorForCode(p.ErrorCode); {
	case errors.Is(err, kerr.OffsetOutOfRange):
		return r.outside(ctx)
	case err != nil:
		return err
	}
	return r.decode(p)
}

func (r *reader) outside(ctx context.Context) error {
	ends, err := r.s.Ends(ctx, r.part.Partition, r.part.topic)
	if err != nil {
		return err
	}
	switch r.part.outsideOf(ends).Kind {
	case Trimmed:
		return ErrTrimmed
	case Truncated:
		return ErrTruncated
	}
	return errOutside
}

var errUndecodable = errors.New("a batch can't be decoded")

// decode takes what is wanted of an answer.
func (r *reader) decode(p *kmsg.FetchResponseTopicPartition) error {
	aborted := newAborted(p.AbortedTransactions)
	for rest := p.RecordBatches; r.next <= r.to && !r.full; {
		h, batch, left, ok, err := cut(rest)
		if err != nil {
			return fmt.Errorf("%w: %w", errUndecodable, err)
		}
		if !ok {
			return nil
		}
		if rest = left; h.last < r.next {
			continue
		}
		if r.isLater(h) {
			return ErrRegrown
		}
		records, err := r.dec.visible(r.part.Partition, h, batch, r.next, aborted)
		if err != nil {
			return fmt.Errorf("%w: %w", errUndecodable, err)
		}
		r.take(h, records)
	}
	return nil
}

// isLater tells whether a batch was appended after what is held, where only
// what was before it belongs.
func (r *reader) isLater(h header) bool {
	return r.held.Epoch >= 0 && h.epoch > r.held.Epoch && h.first <= r.to
}

// take encodes the records of a batch that are wanted and fit.
func (r *reader) take(h header, records []*kgo.Record) {
	for _, k := range records {
		if k.Offset > r.to {
			r.next = r.to + 1
			return
		}
		r.enc.reset()
		r.enc.add(r.dec, r.part.Partition, h, k)
		if len(r.enc.records) == 1 {
			e := r.enc.records[0]
			size := len(e.Channel) + len(e.Frame)
			// One is always taken, or a large one could never be had.
			if len(r.records) > 0 && (len(r.records) >= r.lim.Records || r.bytes+size > r.lim.Bytes) {
				r.full = true
				return
			}
			r.keep(e, size)
		}
		r.next = k.Offset + 1
	}
	r.next = min(h.last, r.to) + 1
}

// keep copies a record, the channel and the frame in one piece.
func (r *reader) keep(e event.Record, size int) {
	own := make([]byte, 0, size)
	own = append(append(own, e.Channel...), e.Frame...)
	e.Channel, e.Frame = slices.Clip(own[:len(e.Channel)]), own[len(e.Channel):]
	r.records = append(r.records, e)
	r.bytes += size
}
