package metrics

import (
	"strconv"

	"github.com/odin-ws/odin/shm"
)

// partitions is what is published for each partition in the table.
type partitions struct {
	position, stable, high, logStart, lag, lagTime, open, owner, term, era *family
}

func newPartitions() partitions {
	of := func(name, help string) *family { return gauge("partition_"+name, help, "partition", "topic") }
	return partitions{
		position: of("position", "Last offset that the partition's owner holds; -1: none."),
		stable:   of("stable_offset", "Last stable offset that an owner heard of; -1: none."),
		high:     of("high_watermark", "High watermark that an owner heard of; -1: none."),
		logStart: of("log_start_offset", "Log start offset that an owner heard of; -1: none."),
		lag:      of("lag_records", "Records between the owner's position and the last stable offset."),
		lagTime:  of("lag_seconds", "Seconds since the partition was last known to be without lag; 0 while it is.").when("always"),
		open:     of("open_transaction_records", "Records beyond the last stable offset, held back by open transactions.").when("records are in Kafka and don't come, without lag"),
		owner:    of("owner", "Slot of the worker that consumes the partition; -1: nobody.").when("a partition is silent"),
		term:     of("term", "Number of the partition's ownership: how often its owner changed."),
		era:      of("era", "Number of the partition's era: grows by truncations and topics made anew."),
	}
}

func (p *partitions) families() []*family {
	return []*family{p.position, p.stable, p.high, p.logStart, p.lag, p.lagTime, p.open, p.owner, p.term, p.era}
}

func (p *partitions) series(segment *shm.Segment) int {
	return len(p.families()) * segment.Partitions()
}

func (p *partitions) collect(to []sample, v shm.Progress) []sample {
	labels := pairs("partition", strconv.Itoa(int(v.Partition.Number)), "topic", v.Partition.Topic)
	return append(to,
		sample{family: p.position, labels: labels, value: float64(v.Position)},
		sample{family: p.stable, labels: labels, value: float64(v.Stable)},
		sample{family: p.high, labels: labels, value: float64(v.High)},
		sample{family: p.logStart, labels: labels, value: float64(v.LogStart)},
		sample{family: p.lag, labels: labels, value: float64(v.Lag)},
		sample{family: p.lagTime, labels: labels, value: v.LagTime.Seconds()},
		sample{family: p.open, labels: labels, value: float64(v.Open)},
		sample{family: p.owner, labels: labels, value: float64(v.Owner.Slot)},
		sample{family: p.term, labels: labels, value: float64(v.Owner.Term)},
		sample{family: p.era, labels: labels, value: float64(v.Era)},
	)
}
