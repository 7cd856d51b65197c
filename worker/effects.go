package worker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// topicReset is what the sessions of a topic are to be told. The partitions of
// a topic that was made anew meet it one by one; the sessions hear of it once.
type topicReset struct {
	topic   *topic
	reason  wire.ResetReason
	counter shm.Counter
	lost    bool
}

// resetPartition notes what a replica's reset means for the sessions.
func (p *process) resetPartition(pt *partition, e *replica.Effect) {
	r := topicReset{topic: pt.topic, reason: wire.ResetEpoch, counter: shm.ResetsEpoch, lost: e.Lost}
	if e.Reason == replica.Trimmed {
		r.reason, r.counter = wire.ResetTrimmed, shm.ResetsTrimmed
	}
	p.debugOn(pt, "the sessions are told of a reset", slog.String("reason", e.Reason.String()), slog.Int64("to", e.To))
	if !slices.Contains(p.resets, r) {
		p.resets = append(p.resets, r)
	}
}

// tellResets tells them, before the first record that they concern and before
// the next answer with a cursor. A loss comes first: the cursor of any of them
// has it behind it, and a client who got no further would never hear of it.
func (p *process) tellResets() {
	if len(p.resets) > 1 {
		slices.SortStableFunc(p.resets, lostFirst)
	}
	for len(p.resets) > 0 {
		r := p.resets[0]
		p.resets = p.resets[1:]
		p.reset(r.topic, r.counter, r.reason, r.lost)
	}
}

func lostFirst(a, b topicReset) int {
	switch {
	case a.lost == b.lost:
		return 0
	case a.lost:
		return -1
	}
	return 1
}

// reset goes to every session whose channels can come from the topic.
func (p *process) reset(t *topic, counter shm.Counter, reason wire.ResetReason, lost bool) {
	bit := p.bitOf(t)
	p.sessions.each(func(s *session) {
		if s.stage != open || s.topics&bit == 0 {
			return
		}
		defer p.contain(s)
		if s.replay != nil { // it comes back, and is told what became of what it claims
			p.breakReplay(s)
			return
		}
		p.block.Add(counter, 1)
		cursor := p.cursorOf(s)
		p.say(s, func(dst []byte) []byte { return wire.AppendReset(dst, reason, lost, cursor) })
	})
}

func (p *process) bitOf(t *topic) uint64 {
	for i := range p.topics {
		if &p.topics[i] == t {
			return 1 << i
		}
	}
	return 0
}

// countEffect counts what a replica noticed.
func (p *process) countEffect(pt *partition, e *replica.Effect) {
	c, ok := replicaCounters[e.Counter]
	if ok {
		p.block.Add(c, e.N)
	}
	if e.Counter == replica.Gap || e.Counter == replica.DropMalformed {
		p.block.Add(shm.Faults, 1)
		p.log.Error("a batch does not fit what is held: a defect of Odin, please report it", "topic", pt.name.Topic,
			"partition", pt.name.Number, "reason", e.Counter.String(), "held", pt.replica.Position().Held)
	}
}

// replicaCounters maps what a replica counts to what is published.
var replicaCounters = map[replica.Counter]shm.Counter{
	replica.DropStaleTerm: shm.BusDroppedStaleTerm,
	replica.DropOtherEra:  shm.BusDroppedOtherEra,
	replica.DropDuplicate: shm.BusDroppedDuplicate,
	replica.DropUnsought:  shm.BusDroppedUnsought,
	replica.DropMissed:    shm.BusDroppedMissed,
	replica.DropMalformed: shm.BusDroppedMalformed,
	replica.Gap:           shm.BusGaps,
	replica.SeekIgnored:   shm.SeeksIgnored,
	replica.RangeFailed:   shm.BackfillsFailed,
	replica.LostRanges:    shm.LostRanges,
	replica.LostOffsets:   shm.LostRecords,
	replica.EraChanges:    shm.EraChanges,
}

// readRange reads what a sibling misses below this worker's history, beside
// the loop, at most so many at once. What may pass, like a broker that is away,
// is tried again for as long as the process lives: only what the log has lost
// is given up.
func (p *process) readRange(pt *partition, e replica.Effect) {
	p.block.Add(shm.Backfills, 1)
	p.debugOn(pt, "reading a range for a sibling that fell behind", slog.Int64("from", e.From), slog.Int64("to", e.To))
	ranges, lim, held, most := p.ranges, &p.config.Limits, pt.mark(), siblingRange(&p.config.Limits, len(p.partitions))
	p.beside("the reader of a range", func() {
		p.insist(ranges, pt, e, func() error {
			a, err := p.readOnce(pt, held, e, lim.BackfillMax, most)
			if err != nil {
				p.block.Add(shm.BackfillsFailed, 1)
				p.debugOn(pt, "a range can't be read now", slog.Any("err", err))
				return err
			}
			p.mail.post(func(p *process) { p.rangeRead(pt, a) })
			return nil
		})
	})
}

// siblingRange bounds what is read at once for a sibling. It is kept until that has
// taken it, for each partition: if it takes its time, all of them together are as
// much as what is read at once for sessions, and a fetch each.
func siblingRange(lim *config.Limits, partitions int) kafka.RangeLimit {
	most := kafka.RangeLimit{Records: lim.BackfillRecordsMax, Bytes: lim.BackfillBytesMax}
	if most.Bytes > siblingRangeLeast {
		most.Bytes = min(most.Bytes, max(most.Bytes*lim.BackfillRequestsMax/max(partitions, 1), siblingRangeLeast))
	}
	return most
}

// siblingRangeLeast is the least that is worth a fetch, in bytes.
const siblingRangeLeast = 256 << 10

func (p *process) readOnce(pt *partition, held kafka.Mark, e replica.Effect, within time.Duration, most kafka.RangeLimit) (replica.Range, error) {
	ctx, cancel := context.WithTimeout(p.ctx, within)
	defer cancel()
	records, to, err := p.source.Range(ctx, pt.name, held, e.From, e.To, most)
	a := replica.Range{Tag: replica.Tag{Term: e.Term, Era: e.Era}, From: e.From, To: to, ToEpoch: event.NoEpoch, Records: records}
	if err == nil || worthGiving(&a, err, ctx.Err() != nil) {
		return a, nil
	}
	if errors.Is(err, kafka.ErrTrimmed) {
		ends, err := p.source.Ends(ctx, pt.name, held.Topic)
		a.LogStart = ends.LogStart
		if err == nil && a.LogStart <= a.From {
			err = errors.New("the log's start is not known yet")
		}
		return a, err
	}
	if ctx.Err() == nil && !ofAnotherLog(err) {
		a.Err, err = err, nil // the source has tried for as long as it made sense
	}
	return a, err
}

// worthGiving tells whether a read that broke off got somewhere: because its time
// was up, else a log that is slower than that would be read from the same offset
// for ever; or because what comes next can't be had, which alone is then given up.
// The replica asks for the rest.
func worthGiving(a *replica.Range, err error, late bool) bool {
	return a.To >= a.From && (late || !ofAnotherLog(err))
}

func (p *process) rangeRead(pt *partition, a replica.Range) {
	p.block.Add(shm.BackfillRecords, uint64(len(a.Records)))
	if a.LogStart > a.From || a.Err != nil {
		p.log.Warn("records are gone from the log before every session had them: the sessions are told that they are lost", "topic", pt.name.Topic,
			"partition", pt.name.Number, "from", a.From, "log_start", a.LogStart, "err", a.Err)
	}
	p.refresh(pt)
	p.carryOut(pt, pt.replica.RangeRead(p.effects(), a))
}
