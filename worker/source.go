package worker

import (
	"crypto/tls"
	"errors"
	"sync/atomic"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/route"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// openSource makes the client that reads the partitions this worker owns.
func openSource(p *process) (*kafka.Source, error) {
	k := p.config.Kafka
	p.recordMax.Store(int64(p.config.Limits.RecordBytesMax))
	options := kafka.Options{
		Brokers: k.Brokers, Topics: p.config.Topics(), ClientID: k.ClientID,
		FetchedBytesMax: p.config.Limits.FetchedBytesMax,
		MetadataRefresh: p.config.Limits.TopologyRefresh,
		Encode:          p.skipFaulty(encoder(p.routes, &p.recordMax, p.block)),
		Log:             p.log.Logger,
	}
	if k.SASL.Mechanism != "" {
		options.SASL = &kafka.SASL{Mechanism: k.SASL.Mechanism, User: k.SASL.User, Password: k.SASL.Password.Reveal()}
	}
	var err error
	if options.TLS, err = tlsConfig(k.TLS); err != nil {
		return nil, err
	}
	return kafka.Open(options)
}

func tlsConfig(c config.TLS) (*tls.Config, error) {
	if !c.Enabled {
		return nil, nil
	}
	return kafka.TLSFiles{CA: c.CAFile, Cert: c.CertFile, Key: c.KeyFile, ServerName: c.ServerName}.Config()
}

// encoder routes records into channels and encodes their frames, once for all
// sessions.
func encoder(routes *route.Table, recordMax *atomic.Int64, block *shm.Block) kafka.Encoder {
	return func(dst []byte, r kafka.Raw) (channel, frame []byte, skip int) {
		at, frameMax := len(dst), int(recordMax.Load())
		dst, reason := routes.Place(dst, r.Partition.Topic, r.Key, r.Value, r.Header)
		if reason != route.OK {
			return nil, nil, int(reason)
		}
		channel = dst[at:len(dst):len(dst)]
		if len(r.Value) > frameMax {
			return nil, nil, int(route.TooLarge)
		}
		at = len(dst)
		dst, base64 := wire.AppendRecordKind(dst, channel, r.Partition, r.Offset, r.Time, r.Value)
		frame = dst[at:]
		switch {
		case len(frame) > frameMax:
			return nil, nil, int(route.TooLarge)
		case base64:
			block.Add(shm.RecordsBase64, 1)
		case r.Value == nil:
			block.Add(shm.RecordsTombstone, 1)
		}
		return channel, frame, 0
	}
}

// fetch hands what the source fetches to the loop until the process ends.
func (p *process) fetch() {
	err := p.source.Serve(p.ctx, p.intake.put, p.intake.ring)
	if p.ctx.Err() == nil && !errors.Is(err, kafka.ErrClosed) {
		p.mail.post(func(p *process) { p.fatal("the source", err) })
	}
}

// takeFetched takes over what was fetched, as long as the history has room
// and the rates allow it; what doesn't fit waits, and Kafka with it.
func (p *process) takeFetched() {
	if len(p.fetched) == 0 {
		p.fetched = p.intake.take(p.fetchedSpare)
		p.fetchedSpare = nil
		p.fetchedAt = 0
	}
	for p.fetchedAt < len(p.fetched) && !p.congested() {
		if !p.mayFetch() {
			p.block.Add(shm.FetchRateReached, 1)
			break
		}
		f := &p.fetched[p.fetchedAt]
		p.fetchedAt++
		p.paces.fetch.spend(len(f.Records))
		p.take(f)
		p.intake.done(f)
		f.Records = nil
	}
	if p.fetchedAt == len(p.fetched) {
		p.fetchedSpare, p.fetched, p.fetchedAt = p.fetched, nil, 0
	}
}

func (p *process) take(f *kafka.Fetched) {
	p.countFetched(f)
	pt := p.partitions[f.Partition]
	p.refresh(pt)
	if f.Fault.Kind != kafka.NoFault {
		p.fault(pt, f)
		return
	}
	if pt.replica.Full() {
		p.applyAll(pt)
	}
	if pt.replica.Owner().Term == f.Term && pt.replica.Position().Era == f.Era {
		p.markCaughtUp(pt) // until this moment, by what was known before
		pt.stable, pt.high, pt.logStart = known(f.Stable, pt.stable), known(f.High, pt.high), known(f.LogStart, pt.logStart)
	}
	if pt.replica.Meets(&f.Advance) {
		p.carryOut(pt, pt.replica.Met(p.effects(), f.ToEpoch, p.published(pt)))
	}
	p.carryOut(pt, pt.replica.Polled(p.effects(), &f.Advance))
	p.markCaughtUp(pt)
}

// hearEnds takes, of what was fetched and still waits, how far the logs go: a lag
// that a rate makes would be none until it is taken.
func (p *process) hearEnds() {
	for i := range p.fetched[p.fetchedAt:] {
		p.hearEnd(&p.fetched[p.fetchedAt+i])
	}
	p.intake.each(p.hearEnd)
}

func (p *process) hearEnd(f *kafka.Fetched) {
	pt := p.partitions[f.Partition]
	ours := pt.replica.Owner().Term == f.Term && pt.replica.Position().Era == f.Era
	if ours && f.Fault.Kind == kafka.NoFault && f.Stable > pt.stable {
		pt.stable, pt.high, pt.changed = f.Stable, max(f.High, pt.high), true
	}
}

// markCaughtUp notes that an owner holds all that the broker could give.
func (p *process) markCaughtUp(pt *partition) {
	if pt.stable >= 0 && pt.replica.Owns() && pt.replica.Position().Held >= pt.stable-1 {
		pt.caughtUpNS = p.wall
		pt.changed = true
	}
}

func known(now, before int64) int64 {
	if now < 0 {
		return before
	}
	return now
}

func (p *process) fault(pt *partition, f *kafka.Fetched) {
	p.log.Warn("the source met a break in the log of a partition", "topic", pt.name.Topic, "partition", pt.name.Number,
		"reason", f.Fault.Kind.String(), "offset", f.Fault.Offset, "err", f.Fault.Err)
	tag := replica.Tag{Term: f.Term, Era: f.Era}
	switch f.Fault.Kind {
	case kafka.Truncated:
		p.block.Add(shm.SourceFaultsTruncated, 1)
		p.carryOut(pt, pt.replica.Truncated(p.effects(), tag, f.Fault.Offset, f.Fault.Epoch))
	case kafka.Recreated:
		p.block.Add(shm.SourceFaultsRecreated, 1)
		p.carryOut(pt, pt.replica.Recreated(p.effects(), tag, f.Fault.Topic))
	case kafka.Trimmed:
		p.block.Add(shm.SourceFaultsTrimmed, 1)
		p.carryOut(pt, pt.replica.TrimmedTo(p.effects(), tag, f.Fault.Offset))
	case kafka.Unreadable:
		p.block.Add(shm.SourceFaultsUnreadable, 1)
		p.carryOut(pt, pt.replica.TrimmedTo(p.effects(), tag, f.Fault.Offset))
	case kafka.NoFault:
	}
}

func (p *process) countFetched(f *kafka.Fetched) {
	p.block.Add(shm.RecordsFetched, uint64(len(f.Records)))
	for reason, n := range f.Skipped {
		if c, ok := shm.RecordsSkippedNoKey.By(route.Skip(reason).String()); ok && n > 0 {
			p.block.Add(c, uint64(n))
		}
	}
}

// watchSource tells the supervisor, and the gauge, how the source does.
func (p *process) watchSource() {
	healthy, reason := p.source.Health()
	everywhere := !healthy && p.source.Reaches()
	if healthy == p.healthy && everywhere == p.everywhere && reason == p.unwell && p.healthKnown {
		return
	}
	p.log.Debug("the source", "healthy", healthy, "reason", reason)
	p.healthy, p.everywhere, p.unwell, p.healthKnown = healthy, everywhere, reason, true
	p.mine.SetReason(reason)
	value := int64(0)
	if healthy {
		value = 1
	}
	p.block.Set(shm.SourceHealthy, value)
	p.report(sourceMessage(healthy, everywhere, reason))
}
