package kafka

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

var (
	errTop        = errors.New("fetch refused")
	errNoProgress = errors.New("nothing that was wanted is in the answer")
)

// answer is what one fetch brought, on its way to who serves.
type answer struct {
	chunks []chunk
	bytes  int // over all chunks
}

func (a *answer) small() bool { return a.bytes < fetchSmall }

// chunk is what it brought of one partition, as it came over the wire.
type chunk struct {
	part    *part
	turn    uint32
	from    int64 // the offset wanted
	to      int64 // the last offset in data; from-1 without any
	data    []byte
	aborted []kmsg.FetchResponseTopicPartitionAbortedTransaction
	bounds  bounds
}

// settle takes up an answer: positions move on, errors are noted. What is to be
// handed over is returned, nil if there is nothing.
func (f *fetcher) settle(p plan, resp *kmsg.FetchResponse) *answer {
	s := f.s
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &answer{}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		f.refused(err)
	} else {
		f.fit()
		f.settleTopics(p, resp, a)
	}
	for _, a := range p.fetch { // those that the answer passes over have nothing new
		if a.flight == p.flight {
			a.flight = 0
			if resp.ErrorCode == 0 {
				a.well()
			}
		}
	}
	if len(a.chunks) == 0 {
		return nil
	}
	return a
}

// refused takes a whole fetch's error. A session that the broker gave to
// others is none, unless it happens twice in a row.
func (f *fetcher) refused(err error) {
	if isSessionError(err) && !f.evicted {
		f.evicted = true
		return
	}
	wait := f.sick(fmt.Errorf("%w: %w", errTop, err))
	for _, a := range f.parts {
		a.notBefore = time.Now().Add(wait)
	}
}

func isSessionError(err error) bool {
	return errors.Is(err, kerr.FetchSessionIDNotFound) || errors.Is(err, kerr.InvalidFetchSessionEpoch) ||
		errors.Is(err, kerr.FetchSessionTopicIDError) || errors.Is(err, kerr.InconsistentTopicID)
}

func (f *fetcher) settleTopics(p plan, resp *kmsg.FetchResponse, out *answer) {
	for i := range resp.Topics {
		t := &resp.Topics[i]
		topic := topicOf(p.fetch, resp, t)
		for j := range t.Partitions {
			r := &t.Partitions[j]
			a := f.s.parts[event.Partition{Topic: topic, Number: r.Partition}]
			if a == nil || a.flight != p.flight {
				continue // assigned anew, moved or revoked meanwhile
			}
			a.flight = 0
			f.settlePart(a, r, out)
		}
	}
}

func (f *fetcher) settlePart(a *part, r *kmsg.FetchResponseTopicPartition, out *answer) {
	if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
		f.s.refusedPart(a, err)
		return
	}
	if d := r.DivergingEpoch; d.EndOffset >= 0 {
		f.s.raise(a, a.truncated(epochEnd{d.Epoch, d.EndOffset}))
		return
	}
	c, err := f.scan(a, r)
	switch {
	case errors.Is(err, errNoProgress):
		a.wait(err)
		return
	case err != nil:
		f.s.unreadable(a, a.next+1, err)
		return
	}
	a.well()
	if c.to >= c.from || c.bounds != a.bounds {
		a.pending = true
		a.bounds = c.bounds
		out.chunks = append(out.chunks, c)
		out.bytes += len(c.data)
	}
}

// scan moves a partition on by the heads of what was fetched. Nothing is
// decoded here, and a batch that is cut off is left for the next fetch.
func (f *fetcher) scan(a *part, r *kmsg.FetchResponseTopicPartition) (chunk, error) {
	c := chunk{
		part: a, turn: a.turn, from: a.next, to: a.next - 1, aborted: r.AbortedTransactions,
		bounds: bounds{r.LastStableOffset, r.HighWatermark, r.LogStartOffset},
	}
	epoch, begun, prior := a.epoch, a.begun, a.prior
	for rest := r.RecordBatches; ; {
		h, _, left, ok, err := cut(rest)
		if err != nil && c.to < c.from {
			return c, err
		}
		if !ok {
			c.data = r.RecordBatches[:len(r.RecordBatches)-len(rest)]
			break
		}
		if rest = left; h.last <= c.to {
			continue // before what was wanted
		}
		if h.epoch != epoch {
			if prior = epoch; h.first != c.to+1 {
				prior = event.NoEpoch // compaction took what is between, of either
			}
			epoch, begun = h.epoch, max(h.first, c.from)
		}
		c.to = h.last
	}
	if c.to < c.from {
		if len(r.RecordBatches) > 0 {
			return c, errNoProgress
		}
		return c, nil
	}
	f.s.stats.bytes.Add(uint64(len(c.data)))
	a.moved(c.to, epoch, begun, prior)
	return c, nil
}

// refusedPart takes a partition's error.
func (s *Source) refusedPart(a *part, err error) {
	s.stats.errors.Add(1)
	if errors.Is(err, kerr.OffsetOutOfRange) {
		a.outside = true // check asks why
		return
	}
	a.wait(err)
	s.wantMetadata()
}
