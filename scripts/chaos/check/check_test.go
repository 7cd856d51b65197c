package check

import (
	"strings"
	"testing"

	odin "github.com/odin-ws/odin/clients/go"
)

// The log of the tests: channel 1 is A.trade, 2 is B.trade, 3 is A.drop. Topic
// 0 is trade, which was made anew once (old, new), topic 1 is drop.
func testLog() (Log, Names) {
	log := Log{
		"old": {Topic: "trade", Partitions: [][]Entry{
			{{0, 1, 10}, {1, 2, 11}, {3, 1, 13}, {4, 1, 14}, {7, 1, 17}}, // 2, 5, 6 are holes
			{{0, 1, 20}, {1, 1, 21}},
		}},
		"new":  {Topic: "trade", Partitions: [][]Entry{{{0, 1, 30}, {1, 1, 31}}}},
		"drop": {Topic: "drop", Partitions: [][]Entry{{{0, 3, 40}, {1, 3, 41}, {2, 3, 42}, {3, 3, 43}, {4, 3, 44}}}},
	}
	return log, Names{Channels: []string{"unknown.unknown", "A.trade", "B.trade", "A.drop"}, Topics: []string{"trade", "drop"}}
}

// script makes a stream.
type script struct{ Stream }

func (s *script) note(n Note) *script { s.Add(0, n); return s }

// old are records of A.trade in the old incarnation's partition 0.
func (s *script) old(offsets ...int64) *script {
	for _, o := range offsets {
		s.record(0, 0, o, 1, uint32(10+o))
	}
	return s
}

func (s *script) drop(offsets ...int64) *script {
	for _, o := range offsets {
		s.record(1, 0, o, 3, uint32(40+o))
	}
	return s
}

func (s *script) record(topic, partition uint16, offset int64, channel, sum uint32) *script {
	s.Events = append(s.Events, Event{Note: NoNote, Topic: topic, Partition: partition, Channel: channel, Sum: sum, Offset: offset})
	return s
}

func cursor(topic, epoch string, offsets ...odin.Offset) odin.Cursor {
	return odin.Cursor{topic: {Epoch: epoch, Offsets: offsets}}
}

// both is a cursor of drop, and of trade when it was made anew.
func both(drop odin.Offset) odin.Cursor {
	c := cursor("trade", "new.0", -1)
	c["drop"] = odin.TopicCursor{Epoch: "drop.0", Offsets: []odin.Offset{drop}}
	return c
}

func begin(channels ...string) *script { return &script{Stream{Name: "it", Channels: channels}} }

// from subscribes to A.trade.
func from(offsets ...odin.Offset) *script {
	return begin("A.trade").note(Note{Kind: Connected}).note(Note{Kind: Subscribe}).
		note(Note{Kind: SubscriptionAck, Cursor: cursor("trade", "old.0", offsets...)})
}

// dropping subscribes to *.drop.
func dropping() *script {
	return begin("*.drop").note(Note{Kind: Connected}).note(Note{Kind: Subscribe}).
		note(Note{Kind: SubscriptionAck, Cursor: cursor("drop", "drop.0", -1)})
}

func (s *script) again(c odin.Cursor) *script {
	return s.note(Note{Kind: Ended}).note(Note{Kind: Connected}).note(Note{Kind: Reconnect, Cursor: c})
}

func (s *script) pong(offsets ...odin.Offset) *script {
	return s.note(Note{Kind: Pong, Cursor: cursor("trade", "old.0", offsets...)})
}

func (s *script) dropPong(offset odin.Offset) *script {
	return s.note(Note{Kind: Pong, Cursor: cursor("drop", "drop.0", offset)})
}

func (s *script) gap(dropped uint64, upTo int64) *script {
	return s.note(Note{Kind: Gap, Channel: "A.drop", Dropped: dropped, Pos: odin.Pos{Topic: "drop", Offset: upTo}})
}

func (s *script) recovered(replayed int, c odin.Cursor) *script {
	return s.note(Note{Kind: ReconnectAck, Recovered: true, Replayed: replayed, Cursor: c})
}

func (s *script) lost(reason string, c odin.Cursor) *script {
	return s.note(Note{Kind: ReconnectAck, Reason: reason, Cursor: c})
}

// A checker that can't find what it is there to find proves nothing.
func TestCheck(t *testing.T) {
	t.Parallel()
	at := func(offsets ...odin.Offset) odin.Cursor { return cursor("trade", "old.0", offsets...) }
	for name, c := range map[string]struct {
		stream *script
		want   Class // "": nothing is wrong
	}{
		"all of it":                     {from(-1).old(0, 3, 4, 7).pong(7), ""},
		"from the middle":               {from(0).old(3, 4).pong(5).old(7), ""},
		"a cursor behind holes":         {from(4).pong(6).old(7), ""},
		"two partitions":                {from(4, -1).record(0, 1, 0, 1, 20).old(7).record(0, 1, 1, 1, 21).pong(7, 1), ""},
		"a lost record":                 {from(-1).old(0, 4, 7), Missing},
		"a lost one, shown by a cursor": {from(-1).old(0, 3).pong(4), Missing},
		"the last one lost":             {from(-1).old(0, 3, 4).pong(7), Missing},
		"a doubled record":              {from(-1).old(0, 3, 3, 4), Twice},
		"one behind its cursor":         {from(-1).old(0).pong(3).old(3), Missing},
		"swapped records":               {from(-1).old(0, 4, 3, 7), Disorder},
		"an aborted record":             {from(-1).record(0, 0, 0, 1, 10).record(0, 0, 2, 1, 12), Phantom},
		"another's channel":             {from(-1).old(0).record(0, 0, 1, 2, 11), Phantom},
		"a wrong channel":               {from(-1).record(0, 0, 0, 2, 10), Phantom},
		"a wrong value":                 {from(-1).record(0, 0, 0, 1, 99), Phantom},
		"a record before the answer":    {begin("A.trade").note(Note{Kind: Connected}).note(Note{Kind: Subscribe}).old(0), Unfit},
		"a falling cursor":              {from(-1).old(0, 3).pong(0), Misannounced},
		"a refusal":                     {from(-1).note(Note{Kind: Refused}), Unfit},
		"an epoch that never was":       {begin("A.trade").note(Note{Kind: Connected}).note(Note{Kind: Subscribe}).note(Note{Kind: SubscriptionAck, Cursor: cursor("trade", "odd.0", 1)}), Unfit},
		"an epoch in silence":           {from(7).note(Note{Kind: Pong, Cursor: cursor("trade", "new.0", 0)}), Unfit},
		"null":                          {from(odin.Unproven).old(4).pong(5), ""},
		"missing behind null":           {from(odin.Unproven).old(3).pong(5), Missing},

		"resumed":                         {from(-1).old(0).again(at(0)).old(3, 4).recovered(2, at(4)).old(7), ""},
		"resumed where nothing was":       {from(-1).old(0, 3).again(at(3)).recovered(0, at(3)).old(4), ""},
		"resumed, broken, resumed":        {from(-1).old(0).again(at(0)).old(3).again(at(3)).old(4).recovered(1, at(6)).old(7), ""},
		"a false recovered":               {from(-1).old(0).again(at(0)).recovered(0, at(4)), FalselyRecovered},
		"a false recovered, a hole in it": {from(-1).old(0).again(at(0)).old(4).recovered(1, at(4)), FalselyRecovered},
		"a false recovered, another log":  {from(0).again(at(0)).recovered(0, cursor("trade", "new.0", -1)), FalselyRecovered},
		"doubled by a resume":             {from(-1).old(0, 3).again(at(3)).old(3, 4).recovered(2, at(4)), Twice},
		"swapped by a resume":             {from(-1).old(0).again(at(0)).old(4, 3).recovered(2, at(4)), Disorder},
		"a replay miscounted":             {from(-1).old(0).again(at(0)).old(3).recovered(2, at(3)), Misannounced},
		"a partition that is new":         {from(4).again(at(4)).record(0, 1, 0, 1, 20).record(0, 1, 1, 1, 21).recovered(2, at(5, 1)), ""},
		"a new partition's first lost":    {from(4).again(at(4)).record(0, 1, 1, 1, 21).recovered(1, at(5, 1)), Missing},
		"not recovered":                   {from(0).again(at(0)).lost("unavailable", at(4)).old(7), ""},
		"not recovered, and a step back":  {from(-1).old(0, 3).again(at(3)).lost("limit", at(0)).old(3, 4), ""},
		"not recovered behind records":    {from(0).again(at(0)).old(3).note(Note{Kind: ReconnectAck, Reason: "limit", Replayed: 1, Cursor: at(4)}), Unfit},
		"another epoch":                   {from(0).again(at(0)).lost("epoch", cursor("trade", "new.0", 0)).record(0, 0, 1, 1, 31), ""},
		"an epoch that is the same":       {from(0).again(at(0)).lost("epoch", at(4)), Unfounded},
		"an epoch of the same log":        {dropping().again(cursor("drop", "drop.0", -1)).lost("epoch", cursor("drop", "drop.1", 4)), Unfounded},
		"half of a topic made anew":       {from(0).again(at(0)).lost("epoch", cursor("trade", "old.1", 4)), ""},
		"trimmed, which nobody did":       {from(0).again(at(0)).lost("trimmed", at(4)), Unfounded},

		"made anew one by one":        {from(4, 1).note(Note{Kind: Reset, Reason: "epoch", Lost: true, Cursor: cursor("trade", "new.1", 4)}).note(Note{Kind: Reset, Reason: "epoch", Lost: true, Cursor: cursor("trade", "new.2", -1)}).record(0, 0, 0, 1, 30), ""},
		"made anew":                   {from(4).note(Note{Kind: Reset, Reason: "epoch", Lost: true, Cursor: cursor("trade", "new.0", -1)}).record(0, 0, 0, 1, 30), ""},
		"made anew, first lost":       {from(4).note(Note{Kind: Reset, Reason: "epoch", Lost: true, Cursor: cursor("trade", "new.0", -1)}).record(0, 0, 1, 1, 31), Missing},
		"lost for no reason":          {from(0).note(Note{Kind: Reset, Reason: "trimmed", Lost: true, Cursor: at(4)}), Unfounded},
		"truncated, which nobody did": {dropping().note(Note{Kind: Reset, Reason: "epoch", Lost: true, Cursor: cursor("drop", "drop.1", 4)}), Unfounded},
		"another topic made anew":     {dropping().drop(0).note(Note{Kind: Reset, Reason: "epoch", Lost: true, Cursor: both(0)}).drop(1), ""},
		"another, and a record lost":  {dropping().drop(0).note(Note{Kind: Reset, Reason: "epoch", Lost: true, Cursor: both(1)}).drop(2), Missing},
		"an epoch without loss":       {from(0).old(3).note(Note{Kind: Reset, Reason: "epoch", Cursor: cursor("trade", "old.1", 3)}).old(4), ""},
		"grown":                       {from(4).note(Note{Kind: Reset, Reason: "topology", Cursor: at(4, -1)}).record(0, 1, 0, 1, 20), ""},
		"grown, its first lost":       {from(4).note(Note{Kind: Reset, Reason: "topology", Cursor: at(4, -1)}).record(0, 1, 1, 1, 21), Missing},
		"lost without saying so":      {from(0).note(Note{Kind: Reset, Reason: "topology", Cursor: at(4)}), Missing},
		"dropped and said":            {dropping().drop(0).gap(2, 2).drop(3, 4).dropPong(4), ""},
		"dropped, said in two":        {dropping().gap(2, -1).gap(1, 2).drop(3, 4), ""},
		"dropped up to an answer":     {dropping().drop(0).gap(3, 3).dropPong(3).drop(4), ""},
		"dropped and not said":        {dropping().drop(0, 3), Missing},
		"more dropped than said":      {dropping().drop(0).gap(1, 2).drop(3), Missing},
		"less dropped than said":      {dropping().drop(0).gap(3, 2).drop(3), Misannounced},
		"less, shown by a cursor":     {dropping().drop(0).gap(1, 0).dropPong(0), Misannounced},
		"dropped of a replay":         {dropping().drop(0).again(cursor("drop", "drop.0", 0)).gap(2, 2).drop(3).recovered(3, cursor("drop", "drop.0", 3)), ""},
		"and not counted":             {dropping().drop(0).again(cursor("drop", "drop.0", 0)).gap(2, 2).drop(3).recovered(1, cursor("drop", "drop.0", 3)), Misannounced},
		"gap, then all again":         {dropping().drop(0).gap(1, 0).again(cursor("drop", "drop.0", 0)).drop(1, 2).recovered(2, cursor("drop", "drop.0", 2)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, names := testLog()
			faults := Check(log, names, &c.stream.Stream)
			if c.want == "" {
				for _, f := range faults {
					t.Error(f)
				}
				return
			}
			for _, f := range faults {
				if f.Class == c.want {
					return
				}
			}
			t.Errorf("faults %v, want a %s", faults, c.want)
		})
	}
}

func TestCheckOfTheLast(t *testing.T) {
	t.Parallel()
	last := func(history int, offset odin.Offset) *script {
		return begin("A.trade").note(Note{Kind: Connected}).note(Note{Kind: Subscribe, Last: 2}).
			note(Note{Kind: SubscriptionAck, History: history, Cursor: cursor("trade", "old.0", offset)})
	}
	// The topic was made anew, and the partition has not met that yet.
	anew := func(history int, offset odin.Offset) *script {
		return begin("A.trade").note(Note{Kind: Connected}).note(Note{Kind: Subscribe, Last: 2}).
			note(Note{Kind: SubscriptionAck, History: history, Cursor: cursor("trade", "new.1", offset)})
	}
	met := Note{Kind: Reset, Reason: "epoch", Lost: true, Cursor: cursor("trade", "new.2", -1)}
	for name, c := range map[string]struct {
		stream *script
		want   Class
	}{
		"of the log before":         {anew(2, 4).old(3, 4).note(met).record(0, 0, 0, 1, 30), ""},
		"of it, not the newest":     {anew(1, 4).old(3), Misannounced},
		"of it, but it went on":     {anew(1, 9).old(4), Phantom},
		"of it and the new one":     {anew(2, 4).record(0, 0, 1, 1, 31).old(4), Phantom},
		"the newest two, then live": {last(2, 4).old(3, 4).old(7), ""},
		"of the newest one":         {last(1, 4).old(4, 7), ""},
		"not the newest":            {last(1, 4).old(3, 7), Misannounced},
		"more than asked for":       {last(3, 4).old(0, 3, 4), Misannounced},
		"one above the cursor":      {last(2, 4).old(4, 7), Misannounced},
		"an aborted one":            {last(1, 4).record(0, 0, 2, 1, 12), Phantom},
		"live ones lost":            {last(1, 3).old(3, 7), Missing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, names := testLog()
			faults := Check(log, names, &c.stream.Stream)
			if c.want == "" && len(faults) > 0 || c.want != "" && (len(faults) == 0 || faults[0].Class != c.want) {
				t.Errorf("faults %v, want %q", faults, c.want)
			}
		})
	}
}

func TestFaultsReadWell(t *testing.T) {
	t.Parallel()
	log, names := testLog()
	faults := Check(log, names, &from(-1).old(0, 4, 7).Stream)
	if len(faults) != 1 || !strings.Contains(faults[0].String(), "trade:0:3 of A.trade was neither sent nor announced") {
		t.Errorf("%v", faults)
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	c := cursor("trade", "old.0", 0)
	all := NewTally()
	all.Count(&from(-1).old(0).again(c).old(3).recovered(1, c).again(c).lost("limit", c).note(Note{Kind: Ended, Reason: "left"}).Stream)
	all.Count(&dropping().gap(4, 3).note(Note{Kind: Reset, Reason: "epoch", Lost: true}).Stream)
	got := [...]int{all.Connections, all.Deliveries, all.Subscribes, all.Resumes, all.Recovered, all.Replayed, all.Refused["limit"], all.Gaps, all.Dropped, all.Resets["epoch lost:true"], all.Endings["left"]}
	if want := [...]int{4, 2, 2, 2, 1, 1, 1, 1, 4, 1, 1}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{"A.trade": true, "*.trade": true, "A.*": true, "*.*": true, "B.trade": false, "A.drop": false, "B.*": false} {
		if Matches(pattern, "A.trade") != want {
			t.Errorf("%s: %v", pattern, !want)
		}
	}
}
