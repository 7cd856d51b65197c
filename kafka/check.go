package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

var (
	errOutside = errors.New("the wanted offset is outside of the leader's log")
	errUnknown = errors.New("the leader doesn't know the epoch of the last record")
	errShorter = errors.New("the leader's log ends below the last record")
	errTrimmed = errors.New("the leader's log begins above the wanted offset")
)

// epochEnd answers OffsetForLeaderEpoch: the largest epoch in the log that is
// not above the one asked for, and the offset behind its last record. Both
// are -1 when the log knows nothing of the like.
type epochEnd struct {
	epoch int32
	end   int64
}

// diverges tells whether a log with that answer lacks the record at next-1,
// which was read with the epoch asked for.
func (a *part) diverges(e epochEnd) bool {
	return e.end < 0 || e.epoch < a.epoch || e.end < a.next
}

// truncated says where a log diverged: behind the records of an epoch that both
// have, since up to the last of those they are the same. If the leader has none of
// the last record's epoch, nothing of that is left, from the first offset that is
// known to be of it; below that they are the same if the leader's largest epoch is
// the one before. Else Epoch is not known: what lies below may be of another log
// already, whose epochs were others.
func (a *part) truncated(e epochEnd) Fault {
	f := Fault{Kind: Truncated, Offset: a.next, Epoch: e.epoch, Err: errShorter}
	if e.end >= 0 {
		f.Offset = min(f.Offset, e.end)
	}
	if e.end < 0 || e.epoch != a.epoch {
		f.Offset, f.Err = min(f.Offset, max(a.begun, 0)), errUnknown
		if e.end < 0 || e.epoch != a.prior {
			f.Epoch = event.NoEpoch
		}
	}
	return f
}

// outsideOf says why an offset is outside of a log, or that it isn't.
func (a *part) outsideOf(e Ends) Fault {
	switch {
	case a.next < e.LogStart:
		return Fault{Kind: Trimmed, Offset: e.LogStart, Err: errTrimmed}
	case a.next > e.High:
		// without an epoch that could tell where the logs part
		return Fault{Kind: Truncated, Offset: min(e.Stable, e.High), Epoch: event.NoEpoch, Err: errShorter}
	}
	return Fault{}
}

// check asks a leader about its log before anything is fetched from it:
// whether it has what was read last (KIP-320), and, where it said so, why the
// wanted offset is outside.
func (f *fetcher) check(parts []*part) {
	ctx, cancel := context.WithTimeout(f.s.ctx, askTimeout)
	defer cancel()
	known, err := f.askEpochs(ctx, parts)
	if f.s.ctx.Err() != nil {
		return
	}
	if err != nil {
		f.s.mu.Lock()
		wait := f.sick(fmt.Errorf("leader epochs: %w", err))
		f.s.mu.Unlock()
		f.rest(wait)
		return
	}
	unknown, outside := f.judge(parts, known)
	for _, a := range unknown {
		f.confirm(ctx, a)
	}
	if len(outside) > 0 {
		f.explain(ctx, outside)
	}
}

// epochAnswer is what a leader said of one partition.
type epochAnswer struct {
	epochEnd
	err error
}

// askEpochs asks for the epochs of the last records that were read.
func (f *fetcher) askEpochs(ctx context.Context, parts []*part) (map[*part]epochAnswer, error) {
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID = -1
	asked := make(map[event.Partition]*part, len(parts))
	f.s.mu.Lock()
	for _, a := range parts {
		if a.epoch >= 0 {
			asked[a.Partition] = a
			wantEpoch(req, a.Partition, a.leaderEpoch, a.epoch)
		}
	}
	f.s.mu.Unlock()
	if len(asked) == 0 {
		return nil, nil
	}
	in, err := f.s.live.Broker(int(f.id)).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	known := make(map[*part]epochAnswer, len(asked))
	eachEpoch(in, func(p event.Partition, e epochAnswer) {
		if a := asked[p]; a != nil {
			known[a] = e
		}
	})
	return known, nil
}

func wantEpoch(req *kmsg.OffsetForLeaderEpochRequest, p event.Partition, leaderEpoch, epoch int32) {
	n := len(req.Topics)
	if n == 0 || req.Topics[n-1].Topic != p.Topic {
		t := kmsg.NewOffsetForLeaderEpochRequestTopic()
		t.Topic = p.Topic
		req.Topics = append(req.Topics, t)
		n++
	}
	r := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	r.Partition, r.CurrentLeaderEpoch, r.LeaderEpoch = p.Number, leaderEpoch, epoch
	req.Topics[n-1].Partitions = append(req.Topics[n-1].Partitions, r)
}

func eachEpoch(in kmsg.Response, do func(event.Partition, epochAnswer)) {
	resp, _ := in.(*kmsg.OffsetForLeaderEpochResponse)
	if resp == nil {
		return
	}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			r := &t.Partitions[j]
			do(event.Partition{Topic: t.Topic, Number: r.Partition},
				epochAnswer{epochEnd{r.LeaderEpoch, r.EndOffset}, kerr.ErrorForCode(r.ErrorCode)})
		}
	}
}

// judge takes up what the leader said. It returns the partitions of whose epoch
// the leader knows nothing, and those whose offset is outside still without an
// explanation.
func (f *fetcher) judge(parts []*part, known map[*part]epochAnswer) (unknown, outside []*part) {
	s := f.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range parts {
		e, ok := known[a]
		switch {
		case s.parts[a.Partition] != a || a.leader != f.id || a.flight != 0 || a.rests():
			continue // it changed meanwhile
		case a.epoch >= 0 && !ok:
			a.wait(errNoAnswer)
		case e.err != nil:
			s.refusedPart(a, e.err)
		case a.epoch >= 0 && a.diverges(e.epochEnd) && e.end < 0 && a.next > 0:
			unknown = append(unknown, a)
		case a.epoch >= 0 && a.diverges(e.epochEnd):
			s.raise(a, a.truncated(e.epochEnd))
		case a.outside:
			outside = append(outside, a)
			fallthrough
		default:
			a.checked = true
		}
	}
	return unknown, outside
}

// confirm looks at the last record itself where the leader knows nothing of
// its epoch: a leader that has appended nothing yet may say so (kfake does),
// and one whose epochs were lost. Found with the same epoch, it proves that the
// log is the same up to there.
func (f *fetcher) confirm(ctx context.Context, a *part) {
	s := f.s
	s.mu.Lock()
	then := *a
	s.mu.Unlock()
	same, err := then.found(ctx, s.live)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.parts[a.Partition] != a || a.leader != then.leader || a.leaderEpoch != then.leaderEpoch || a.next != then.next || a.rests():
	case err != nil:
		a.wait(err)
	case same:
		a.checked = true
	default:
		s.raise(a, a.truncated(epochEnd{-1, -1}))
	}
}

// found tells whether the record at next-1 is in the leader's log with the
// epoch that it was read with.
func (a part) found(ctx context.Context, c *kgo.Client) (bool, error) {
	epoch, at := a.epoch, a.next-1
	a.epoch, a.next = event.NoEpoch, at
	req := newFetch(shareMin)
	req.IsolationLevel = readUncommitted
	want(req, &a, shareMin)
	resp, err := sendFetch(ctx, c, a.leader, req)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return false, err
	}
	p := only(resp, a.Number)
	if p == nil {
		return false, errNoAnswer
	}
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
		if errors.Is(err, kerr.OffsetOutOfRange) {
			return false, nil
		}
		return false, err
	}
	for rest := p.RecordBatches; ; {
		h, _, left, ok, err := cut(rest)
		if !ok {
			return false, err
		}
		if rest = left; h.last >= at {
			return h.first <= at && h.epoch == epoch, nil
		}
	}
}

// only is what an answer says of the one partition that was asked for.
func only(resp *kmsg.FetchResponse, number int32) *kmsg.FetchResponseTopicPartition {
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			if p := &resp.Topics[i].Partitions[j]; p.Partition == number {
				return p
			}
		}
	}
	return nil
}

// explain asks for the bounds of logs that an offset is outside of.
func (f *fetcher) explain(ctx context.Context, parts []*part) {
	ps := make([]event.Partition, len(parts))
	for i, a := range parts {
		ps[i] = a.Partition
	}
	ends, err := f.s.ends(ctx, ps)
	s := f.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range parts {
		if s.parts[a.Partition] != a || a.rests() {
			continue
		}
		a.outside = false
		if fault := a.outsideOf(ends[a.Partition]); err == nil && fault.Kind != NoFault {
			s.raise(a, fault)
			continue
		}
		a.wait(errOutside) // within by now, or it couldn't be asked: fetch again
	}
}
