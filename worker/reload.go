package worker

import (
	"encoding/json"
	"os"
	"strconv"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/kafka"
)

// reload brings another configuration into force, which differs from the
// present one only in what needs no restart, and answers into a pipe, if there
// is one. No session is touched: each meets the new values when it next has to
// do with them.
func (p *process) reload(m control.Message, to *os.File) {
	answer := control.Response{OK: true}
	next := new(config.Config)
	err := json.Unmarshal(m.Config, next)
	if err == nil {
		err = p.enforce(next)
	}
	if err != nil { // the supervisor has checked it: a defect
		p.log.Error("a configuration can't be brought into force", "err", err)
		answer = control.Refused("worker %d: %v", p.slot, err)
	}
	if to == nil {
		return
	}
	go reply(to, func(*control.Answer) control.Response { return answer })
}

// enforce replaces the configuration, and what was made from the old one. All
// else reads it where it is needed.
func (p *process) enforce(next *config.Config) error {
	if err := p.log.SetLevel(next.Log.Level); err != nil {
		return err
	}
	before, now := &p.config.Limits, &next.Limits
	scouting := before.TopologyRefresh != now.TopologyRefresh || before.CommitInterval != now.CommitInterval || p.config.Kafka.Group != next.Kafka.Group
	p.config = next
	p.boundRequests()
	p.inbuf = newInput(now)
	p.past.resize(next.ClosedPerWorker())
	p.store.Limit(historyLimits(now))
	p.pastStore.Limit(p.pastLimits())
	p.recordMax.Store(int64(now.RecordBytesMax))
	p.intake.bound(now.FetchedBytesMax)
	if before.BackfillRequestsMax != now.BackfillRequestsMax {
		p.boundRanges() // those that run count for nothing any more
	}
	if err := p.deflating.tune(next.Compression.Level); err != nil {
		return err
	}
	p.settleTerms()
	p.prepareListeners()
	if p.endScout != nil && scouting {
		p.scouting(true, p.kept)
	}
	return p.source.Tune(kafka.Tuning{
		FetchedBytesMax: now.FetchedBytesMax, MetadataRefresh: now.TopologyRefresh,
		User: next.Kafka.SASL.User, Password: next.Kafka.SASL.Password.Reveal(),
	})
}

// boundRequests is what requests are held to. Ten times a session's channels
// are let through, so that each one of a plausible request gets its own
// rejection.
func (p *process) boundRequests() {
	n := p.config.Limits.ChannelsMax
	p.requestLimits = wire.Limits{Channels: max(10*n, wire.DefaultLimits().Channels)}
	p.tooMany = "at most " + strconv.Itoa(n) + " channels a session"
}

// boundRanges bounds what is read from the log at once. Sessions wait only for so
// long, so siblings have places of their own.
func (p *process) boundRanges() {
	most := max(p.config.Limits.BackfillRequestsMax, 1)
	p.ranges, p.pasts = make(chan struct{}, most), make(chan struct{}, most)
}

// newInput is what one read may fill.
func newInput(l *config.Limits) []byte { return make([]byte, max(l.TurnReadBytesMax, 4096)) }

func historyLimits(l *config.Limits) replica.Limits {
	return replica.Limits{Bytes: int64(l.HistoryBytesMax), Age: l.HistoryAgeMax, Records: l.HistoryRecordsMax}
}
