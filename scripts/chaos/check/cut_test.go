package check

import (
	"testing"
	"time"

	odin "github.com/odin-ws/odin/clients/go"
)

// cutTime is when the log of these tests is cut for the first time.
const cutTime = 10 * time.Second

// cutLog is a topic that was cut: in partition 0 at 6, when it had come to 9;
// it went on to 12. Partition 1 never was. Channel 1 is A.cut, 2 is B.cut, of
// which nothing lies between 5 and 9 of either life. A value is 10 and its
// offset, 20 in partition 1, 30 since the cut.
func cutLog(more ...Cut) (Log, Names) {
	i := &Incarnation{Topic: "cut"}
	channel := func(o int64) uint32 {
		if o == 5 || o == 10 {
			return 2
		}
		return 1
	}
	for o := range int64(10) {
		i.Append(0, Entry{o, channel(o), uint32(10 + o)})
	}
	for o := range int64(4) {
		i.Append(1, Entry{o, 1, uint32(20 + o)})
	}
	i.Cut(0, Cut{From: 6, At: cutTime, Last: 9})
	for o := int64(6); o <= 12; o++ {
		i.Append(0, Entry{o, channel(o), uint32(30 + o)})
	}
	for _, c := range more {
		i.Cut(0, c)
		for o := c.From; o < c.From+20; o++ {
			i.Append(0, Entry{o, 1, uint32(50 + o)})
		}
	}
	return Log{"cut": i}, Names{Channels: []string{"unknown.unknown", "A.cut", "B.cut"}, Topics: []string{"cut"}}
}

// A timed script says when it goes on.
type timed struct {
	script
	now time.Duration
}

func (s *timed) at(now time.Duration) *timed { s.now = now; return s }
func (s *timed) tell(n Note) *timed          { s.Add(s.now, n); return s }

func (s *timed) send(partition uint16, value uint32, offsets ...int64) *timed {
	for _, o := range offsets {
		channel := uint32(1)
		if partition == 0 && (o == 5 || o == 10) {
			channel = 2
		}
		s.record(0, partition, o, channel, value+uint32(o))
		s.Events[len(s.Events)-1].At = int32(s.now.Milliseconds())
	}
	return s
}

func (s *timed) was(offsets ...int64) *timed { return s.send(0, 10, offsets...) }
func (s *timed) is(offsets ...int64) *timed  { return s.send(0, 30, offsets...) }

func (s *timed) pong(epoch string, offsets ...odin.Offset) *timed {
	return s.tell(Note{Kind: Pong, Cursor: cursor("cut", epoch, offsets...)})
}

func (s *timed) reset(lost bool, epoch string, offsets ...odin.Offset) *timed {
	return s.tell(Note{Kind: Reset, Reason: "epoch", Lost: lost, Cursor: cursor("cut", epoch, offsets...)})
}

func (s *timed) back(epoch string, offsets ...odin.Offset) *timed {
	return s.tell(Note{Kind: Ended}).tell(Note{Kind: Connected}).tell(Note{Kind: Reconnect, Cursor: cursor("cut", epoch, offsets...)})
}

func (s *timed) recovers(replayed int, epoch string, offsets ...odin.Offset) *timed {
	return s.tell(Note{Kind: ReconnectAck, Recovered: true, Replayed: replayed, Cursor: cursor("cut", epoch, offsets...)})
}

func (s *timed) refuses(reason, epoch string, offsets ...odin.Offset) *timed {
	return s.tell(Note{Kind: ReconnectAck, Reason: reason, Cursor: cursor("cut", epoch, offsets...)})
}

// cutting subscribes when nothing was cut yet.
func cutting(channel string, offsets ...odin.Offset) *timed {
	s := &timed{}
	s.Stream = Stream{Name: "it", Channels: []string{channel}}
	return s.tell(Note{Kind: Connected}).tell(Note{Kind: Subscribe}).
		tell(Note{Kind: SubscriptionAck, Cursor: cursor("cut", "cut.0", offsets...)})
}

func all() *timed  { return cutting("*.cut", 2).was(3, 4, 5, 6, 7, 8, 9).at(cutTime) }
func some() *timed { return cutting("*.cut", 2).was(3, 4).at(cutTime) }

func TestCheckOfACutLog(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream *timed
		want   Class
	}{
		"had it, and was told":                   {all().reset(true, "cut.1", 5).is(6, 7, 8, 9, 10).pong("cut.1", 12), Missing},
		"had it, was told, and had the rest":     {all().reset(true, "cut.1", 5).is(6, 7, 8, 9, 10, 11, 12).pong("cut.1", 12), ""},
		"had it, and was told nothing":           {all().is(10, 11, 12), Missing},
		"had it, and a cursor goes on":           {all().pong("cut.0", 12), Missing},
		"had it, and was told of no loss":        {all().reset(false, "cut.1", 9), Missing},
		"had it, and the epoch just changed":     {all().pong("cut.1", 9), Unfit},
		"had it, told late":                      {all().pong("cut.0", 9).at(time.Minute).reset(true, "cut.1", 5).is(6), ""},
		"had it, but what replaced it was there": {all().reset(true, "cut.1", 5).is(7), Missing},
		"had it, and the reset leaves some out":  {all().reset(true, "cut.1", 7).is(8), Misannounced},
		"began there, and some are left out":     {cutting("*.cut", 9).at(cutTime).reset(true, "cut.1", 7).is(8), ""},
		"had not, and the reset leaves some out": {some().reset(true, "cut.1", 6).is(7), Missing},
		"had some, and the loss takes more":      {some().reset(true, "cut.1", 5).is(6), ""},
		"had not, no loss":                       {some().reset(false, "cut.1", 4).was(5).is(6, 7), ""},
		"had not, no loss, but one missing":      {some().reset(false, "cut.1", 4).was(5).is(7), Missing},
		"had not, no loss, cursor beyond":        {some().reset(false, "cut.1", 5), Missing},
		"had not, nothing told":                  {some().was(5).is(6, 7, 8), ""},
		"had not, then what is gone":             {some().was(5, 6, 7).reset(true, "cut.1", 5).is(6), ""},
		"had not, then a mixture":                {some().was(5, 6).is(7), Missing},
		"had not, then the other mixture":        {some().was(5).is(6).was(7), Phantom},
		"what is gone, behind the loss":          {all().reset(true, "cut.1", 5).was(6), Phantom},
		"what is gone, behind another's loss":    {cutting("B.cut", 2).was(5).at(cutTime).reset(true, "cut.1", 5).was(10), Phantom},
		"what was gone, once told":               {cutting("*.cut", 2).was(3, 4, 5).at(cutTime).reset(true, "cut.1", 5).was(6), Phantom},
		"what is gone, behind no loss":           {some().reset(false, "cut.1", 4).was(5, 6), Phantom},
		"what is not there yet":                  {cutting("*.cut", 2).was(3, 4, 5).is(6), Phantom},
		"lost before it was cut":                 {some().at(0).reset(true, "cut.1", 5), Unfounded},
		"an epoch too many":                      {cutting("*.cut", 2).at(cutTime).back("cut.0", 9).refuses("epoch", "cut.2", 5), Unfit},
		"an answer where nothing was":            {cutting("*.cut", 9).pong("cut.0", 10), Missing},
		"subscribed where nothing was":           {cutting("*.cut", 11), Misannounced},
		"of the other partition nothing is lost": {cutting("*.cut", 2, 0).was(3, 4, 5, 6).send(1, 20, 1).at(cutTime).reset(true, "cut.1", 5, 1).send(1, 20, 2).is(6), ""},
		"nor in silence":                         {cutting("*.cut", 2, 0).was(3, 4, 5, 6).send(1, 20, 1).at(cutTime).reset(true, "cut.1", 5, 3), Missing},
		"nor does its cursor fall":               {cutting("*.cut", 2, 0).was(3, 4, 5, 6).send(1, 20, 1).at(cutTime).reset(true, "cut.1", 5, 0), Misannounced},
		"had nothing of it, by its channel":      {cutting("B.cut", 2).was(5).pong("cut.0", 8).at(cutTime).reset(true, "cut.1", 5).is(10), ""},
		"a cursor of its own, no loss":           {cutting("B.cut", 2).was(5).pong("cut.0", 8).at(cutTime).reset(false, "cut.1", 8), Missing},

		"recovered where it had not":            {some().back("cut.0", 4).was(5).is(6, 7).recovers(3, "cut.0", 7).is(8), ""},
		"recovered below the cut, an era later": {some().reset(false, "cut.1", 4).back("cut.1", 4).was(5).is(6).recovers(2, "cut.1", 6), ""},
		"recovered over the cut, and told":      {some().back("cut.0", 4).reset(false, "cut.1", 4).was(5).is(6).recovers(2, "cut.1", 6).is(7), ""},
		"over the cut, the first missing":       {some().back("cut.0", 4).reset(false, "cut.1", 4).was(5).is(7).recovers(2, "cut.1", 7), FalselyRecovered},
		"over the cut, with what is gone":       {some().back("cut.0", 4).reset(false, "cut.1", 4).was(5, 6).recovers(2, "cut.1", 6), FalselyRecovered},
		"over the cut, who had what is gone":    {all().back("cut.0", 9).reset(false, "cut.1", 9).is(10).recovers(1, "cut.1", 10), FalselyRecovered},
		"over the cut, and not told":            {some().back("cut.0", 4).was(5).is(6).recovers(2, "cut.1", 6), FalselyRecovered},
		"recovered before it is noticed":        {all().back("cut.0", 9).recovers(0, "cut.0", 9).reset(true, "cut.1", 5).is(6), ""},
		"recovered, and never noticed":          {all().back("cut.0", 9).recovers(0, "cut.0", 9).is(10), Missing},
		"falsely, with what replaced it":        {all().back("cut.0", 9).is(10).recovers(1, "cut.0", 10), FalselyRecovered},
		"falsely, by its cursor":                {all().back("cut.0", 9).recovers(0, "cut.0", 12), FalselyRecovered},
		"falsely, into the next era":            {all().back("cut.0", 9).recovers(0, "cut.1", 9), FalselyRecovered},
		"falsely, all from the cut on":          {all().back("cut.0", 9).is(6, 7).recovers(2, "cut.0", 7), FalselyRecovered},
		"not recovered, another epoch":          {all().back("cut.0", 9).refuses("epoch", "cut.1", 7).is(8, 9), ""},
		"not recovered, beyond the end":         {all().back("cut.0", 9).refuses("epoch", "cut.0", 5).is(6), ""},
		"not recovered, for no reason":          {some().back("cut.0", 4).refuses("epoch", "cut.0", 5), Unfounded},
		"not recovered, before it was cut":      {all().at(0).back("cut.0", 9).refuses("epoch", "cut.0", 5), Unfounded},
		"not recovered, trimmed":                {all().back("cut.0", 9).refuses("trimmed", "cut.1", 5), Unfounded},
		"not recovered, then one missing":       {all().back("cut.0", 9).refuses("epoch", "cut.1", 5).is(7), Missing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, names := cutLog()
			expect(t, Check(log, names, &c.stream.Stream), c.want)
		})
	}
}

// expect wants a fault of a class among those found, or none at all.
func expect(t *testing.T, faults []Fault, want Class) {
	t.Helper()
	for _, f := range faults {
		if f.Class == want {
			return
		}
	}
	if want != "" || len(faults) > 0 {
		t.Errorf("faults %v, want %q", faults, want)
	}
}

// A second cut, at 9 when the log had come to 12, or at 3.
func TestCheckOfALogThatWasCutTwice(t *testing.T) {
	t.Parallel()
	const later = 2 * cutTime
	second := func(from int64) Cut { return Cut{From: from, At: later, Last: 12} }
	once := func() *timed { return all().reset(true, "cut.1", 5).is(6, 7, 8, 9, 10, 11, 12).at(later) }
	last := func(s *timed, offsets ...int64) *timed {
		for _, o := range offsets {
			s.record(0, 0, o, 1, uint32(50+o))
			s.Events[len(s.Events)-1].At = int32(s.now.Milliseconds())
		}
		return s
	}
	for name, c := range map[string]struct {
		from   int64
		stream *timed
		want   Class
	}{
		"both are told":               {9, last(once().reset(true, "cut.2", 8), 9, 10), ""},
		"the second is not":           {9, last(once(), 13), Missing},
		"the second brings no loss":   {9, last(some().was(5).is(6, 7, 8).at(later).reset(false, "cut.2", 8), 9), ""},
		"one epoch for both":          {9, last(all().at(later).reset(true, "cut.1", 8), 9), ""},
		"one for both, from too high": {9, last(all().at(later).reset(true, "cut.1", 9), 10), Missing},
		"the second lower":            {3, last(once().reset(true, "cut.2", 2), 3), ""},
		"the second lower, one gone":  {3, last(once().reset(true, "cut.2", 2), 4), Missing},
		"what the first had taken":    {9, all().reset(true, "cut.1", 5).at(later).reset(true, "cut.2", 8).was(9), Phantom},
		"a false recovered":           {9, last(once().back("cut.1", 12), 13).recovers(1, "cut.1", 13), FalselyRecovered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, names := cutLog(second(c.from))
			expect(t, Check(log, names, &c.stream.Stream), c.want)
		})
	}
}

func TestCheckOfTheLastOfACutLog(t *testing.T) {
	t.Parallel()
	last := func(epoch string, history int, offset odin.Offset) *timed {
		s := &timed{now: cutTime}
		s.Stream = Stream{Name: "it", Channels: []string{"A.cut"}}
		return s.tell(Note{Kind: Connected}).tell(Note{Kind: Subscribe, Last: 2}).
			tell(Note{Kind: SubscriptionAck, History: history, Cursor: cursor("cut", epoch, offset)})
	}
	for name, c := range map[string]struct {
		stream *timed
		want   Class
	}{
		"of the new life":         {last("cut.1", 2, 8).is(7, 8, 9), ""},
		"of the old one":          {last("cut.0", 2, 8).was(7, 8, 9), ""},
		"of the old one, then on": {last("cut.0", 2, 8).was(7, 8).is(9), Missing},
		"of the one that is over": {last("cut.1", 2, 8).was(7, 8), Phantom},
		"of both":                 {last("cut.0", 2, 8).was(7).is(8), Phantom},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, names := cutLog()
			expect(t, Check(log, names, &c.stream.Stream), c.want)
		})
	}
}
