package worker

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/replica"
)

// sample counts what comes on which channels while an operator asks. Otherwise
// there is none, and a record costs one look at an empty list.
type sample struct {
	asked    *control.Selection
	began    int64 // monotonic ns
	channels map[string]*traffic
	others   traffic // of channels that there was no room for
}

type traffic struct{ records, bytes uint64 }

// count counts a record, whether or not somebody subscribes to its channel.
func (s *sample) count(e *replica.Entry) {
	if !s.asked.Has(e.Channel) {
		return
	}
	t := s.channels[string(e.Channel)]
	if t == nil {
		t = s.meet(e.Channel)
	}
	t.records++
	t.bytes += uint64(e.Ref.Len)
}

// meet begins to count a channel. Those that have many records come early, and
// find room.
func (s *sample) meet(channel []byte) *traffic {
	if len(s.channels) >= control.SampledMax {
		return &s.others
	}
	t := &traffic{}
	s.channels[string(channel)] = t
	return t
}

// answerTraffic counts for some seconds, and answers what came.
func (p *process) answerTraffic(q *control.Channels, seconds int, a *control.Answer) error {
	if q == nil {
		q = &control.Channels{}
	}
	if err := q.Check(); err != nil {
		return err
	}
	if seconds < 1 || seconds > control.SampleSecondsMax {
		return fmt.Errorf("%d seconds are out of range, allowed: 1 to %d", seconds, control.SampleSecondsMax)
	}
	s := &sample{asked: q.Selection(), channels: map[string]*traffic{}}
	if !p.inLoop(func(p *process) { p.beginSample(s) }) {
		return errEnds
	}
	select {
	case <-time.After(time.Duration(seconds) * time.Second):
	case <-p.ctx.Done():
	}
	var total control.TrafficTotal
	if !p.inLoop(func(p *process) { total = p.endSample(s) }) {
		return errEnds
	}
	return s.tell(total, a)
}

func (p *process) beginSample(s *sample) {
	s.began = p.clock()
	p.samples = append(p.samples, s)
}

func (p *process) endSample(s *sample) control.TrafficTotal {
	p.samples = slices.DeleteFunc(p.samples, func(other *sample) bool { return other == s })
	return control.TrafficTotal{Seconds: time.Duration(p.clock() - s.began).Seconds()}
}

// tell belongs to the inquiry's goroutine: the loop has let go of the sample.
func (s *sample) tell(total control.TrafficTotal, a *control.Answer) error {
	var counts []control.ChannelTraffic
	for channel, t := range s.channels {
		counts = append(counts, control.ChannelTraffic{Channel: channel, Records: t.records, Bytes: t.bytes})
		total.Records += t.records
		total.Bytes += t.bytes
	}
	total.Records, total.Bytes = total.Records+s.others.records, total.Bytes+s.others.bytes
	total.OtherRecords, total.OtherBytes = s.others.records, s.others.bytes
	slices.SortFunc(counts, func(x, y control.ChannelTraffic) int {
		return cmp.Or(cmp.Compare(y.Records, x.Records), cmp.Compare(x.Channel, y.Channel))
	})
	for some := range slices.Chunk(counts, control.CountsMax) {
		if err := a.Item(control.TrafficItem{Counts: some}); err != nil {
			return err
		}
	}
	return a.Item(control.TrafficItem{Total: &total})
}
