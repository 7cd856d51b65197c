package resume

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// usual is a worker whose history covers [100, 199], of a log of [0, 250).
func usual(change func(*State)) State {
	s := State{
		Identified: true, Unbroken: true, From: 100, Applied: 199, Observed: 100, Held: 210, Stable: 220,
		LogStart: 0, PastFrom: 0, PastTo: Unknown,
	}
	if change != nil {
		change(&s)
	}
	return s
}

func at(offset int64) Claim { return Claim{Offset: offset, End: Unknown} }

func TestJudge(t *testing.T) {
	unidentified := func(s *State) { s.Identified = false }
	unnamed := func(s *State) { s.Incarnation = Unnamed }
	for name, c := range map[string]struct {
		claim Claim
		state State
		want  Verdict
	}{
		"from memory":                         {at(150), usual(nil), Verdict{Step: Play}},
		"from memory, all of it":              {at(99), usual(nil), Verdict{Step: Play}},
		"nothing missing":                     {at(199), usual(nil), Verdict{Step: Play}},
		"before the first, all held":          {at(-1), usual(func(s *State) { s.From = 0 }), Verdict{Step: Play}},
		"before the first, not held":          {at(-1), usual(nil), Verdict{Step: AskRange}},
		"another epoch":                       {at(150), usual(func(s *State) { s.Incarnation = Other }), fail(Epoch)},
		"another epoch, proving nothing":      {at(Unproven), usual(func(s *State) { s.Incarnation = Other }), fail(Epoch)},
		"a newer epoch":                       {at(150), usual(func(s *State) { s.Incarnation = Newer }), Verdict{Step: Wait}},
		"a newer epoch that never came":       {Claim{150, Unknown, Unavailable}, usual(func(s *State) { s.Incarnation = Newer }), fail(Unavailable)},
		"null":                                {at(Unproven), usual(nil), fail(Unavailable)},
		"ahead, a sibling holds it":           {at(210), usual(nil), Verdict{Step: Play}},
		"ahead, the owner heard of it":        {at(219), usual(nil), Verdict{Step: Play}},
		"ahead, nobody knows":                 {at(220), usual(nil), Verdict{Step: AskEnd}},
		"ahead, the log has it":               {Claim{220, 221, None}, usual(nil), Verdict{Step: Play}},
		"beyond the end":                      {Claim{220, 220, None}, usual(nil), fail(Epoch)},
		"ahead, no answer":                    {Claim{220, Unknown, Unavailable}, usual(nil), fail(Unavailable)},
		"below":                               {at(98), usual(nil), Verdict{Step: AskRange}},
		"below, answered":                     {at(98), usual(func(s *State) { s.PastFrom, s.PastTo = 99, 99 }), Verdict{Step: Play}},
		"below, answered too short":           {at(98), usual(func(s *State) { s.PastFrom, s.PastTo = 99, 98 }), Verdict{Step: AskRange}},
		"below, the history has moved on":     {at(90), usual(func(s *State) { s.PastFrom, s.PastTo, s.From = 91, 99, 101 }), Verdict{Step: AskRange}},
		"below, answered for another":         {at(90), usual(func(s *State) { s.PastFrom, s.PastTo = 95, 150 }), Verdict{Step: AskRange}},
		"below, too much":                     {Claim{10, Unknown, Limit}, usual(nil), fail(Limit)},
		"below the log's start":               {at(48), usual(func(s *State) { s.LogStart = 50 }), fail(Trimmed)},
		"at the log's start":                  {at(49), usual(func(s *State) { s.LogStart = 50 }), Verdict{Step: AskRange}},
		"below the log's start, but held":     {at(99), usual(func(s *State) { s.LogStart = 150 }), Verdict{Step: Play}},
		"compacted":                           {at(90), usual(func(s *State) { s.Compacted = true }), fail(Trimmed)},
		"compacted, but held":                 {at(99), usual(func(s *State) { s.Compacted = true }), Verdict{Step: Play}},
		"no ids, from memory":                 {at(150), usual(unidentified), Verdict{Step: Play}},
		"no ids, below":                       {at(98), usual(unidentified), fail(Unavailable)},
		"no ids, held but not heard when new": {at(150), usual(func(s *State) { s.Identified, s.Observed = false, 160 }), fail(Unavailable)},
		"no ids, ahead, a sibling holds it":   {at(210), usual(unidentified), Verdict{Step: Play}},
		"no ids, ahead, only the log has it":  {Claim{215, 300, None}, usual(unidentified), fail(Unavailable)},
		"no ids, beyond the end":              {Claim{230, 220, None}, usual(unidentified), fail(Epoch)},
		"no epoch, from memory":               {at(150), usual(unnamed), Verdict{Step: Play}},
		"no epoch, below":                     {at(98), usual(unnamed), fail(Unavailable)},
		"no epoch, not heard when new":        {at(150), usual(func(s *State) { s.Incarnation, s.Observed = Unnamed, 160 }), fail(Unavailable)},
		"no epoch, and eras have begun":       {at(150), usual(func(s *State) { s.Incarnation, s.Unbroken = Unnamed, false }), fail(Unavailable)},
		"no epoch, nor an id":                 {at(150), usual(func(s *State) { s.Incarnation, s.Identified = Unnamed, false }), fail(Unavailable)},
		"no epoch, ahead":                     {at(215), usual(unnamed), Verdict{Step: AskEnd}},
	} {
		if got := Judge(c.claim, c.state); got != c.want {
			t.Errorf("%s: %v %v, want %v %v", name, got.Step, got.Reason, c.want.Step, c.want.Reason)
		}
	}
}

func TestRelate(t *testing.T) {
	id, other := event.TopicID{1}, event.TopicID{2}
	for name, c := range map[string]struct {
		epoch string
		want  Relation
	}{
		"same":                 {event.EpochName(id, 5), Relation{Incarnation: Same}},
		"newer":                {event.EpochName(id, 6), Relation{Incarnation: Newer}},
		"an era has begun":     {event.EpochName(id, 4), Relation{Earlier, 1}},
		"five of them":         {event.EpochName(id, 0), Relation{Earlier, 5}},
		"another id":           {event.EpochName(other, 5), Relation{Incarnation: Other}},
		"another id, and eras": {event.EpochName(other, 4), Relation{Incarnation: Other}},
		"no epoch":             {"", Relation{Incarnation: Other}},
		"what is it?":          {"5", Relation{Incarnation: Other}},
	} {
		if got := Relate(c.epoch, id, 5); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestDecide(t *testing.T) {
	newer := usual(func(s *State) { s.Incarnation = Newer })
	for name, c := range map[string]struct {
		claims []Claim
		states []State
		want   Outcome
		reason Reason
		asked  string
	}{
		"nothing claimed":    {nil, nil, Recovered, None, ""},
		"all from memory":    {[]Claim{at(150), at(199)}, []State{usual(nil), usual(nil)}, Recovered, None, ""},
		"one to be asked":    {[]Claim{at(150), at(300)}, []State{usual(nil), usual(nil)}, Pending, None, "1 ask end "},
		"three to be asked":  {[]Claim{at(20), at(300), at(150)}, []State{usual(nil), usual(nil), newer}, Pending, None, "0 ask range 1 ask end 2 wait "},
		"one fails":          {[]Claim{at(150), at(Unproven), at(300)}, []State{usual(nil), usual(nil), usual(nil)}, Failed, Unavailable, "2 ask end "},
		"the graver is told": {[]Claim{{20, Unknown, Limit}, {300, 300, None}, at(Unproven)}, []State{usual(nil), usual(nil), usual(nil)}, Failed, Epoch, ""},
	} {
		asked := ""
		got, reason := Decide(c.claims, func(i int) State { return c.states[i] }, func(i int, s Step) { asked += fmt.Sprint(i, " ", s, " ") })
		if got != c.want || reason != c.reason || asked != c.asked {
			t.Errorf("%s: %d %v, asked %q", name, got, reason, asked)
		}
	}
}

func TestWords(t *testing.T) {
	for r, want := range map[Reason]string{None: "", Unavailable: "unavailable", Limit: "limit", Trimmed: "trimmed", Epoch: "epoch", 99: "unknown"} {
		if r.String() != want {
			t.Errorf("%d is %q", r, r)
		}
	}
	if Step(99).String() != "unknown" || Play.String() != "play" {
		t.Error(Step(99), Play)
	}
}

// TestJudgeIsNeverFalse draws worlds in which it is known what can be proven:
// a log of some incarnation with an end and a start, and a worker that is right
// about it but may know little. Play is only right where the claim was made of
// this very log, within it, and all above it can be had.
func TestJudgeIsNeverFalse(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 17))
	played := 0
	for range 500_000 {
		end := rng.Int64N(30)
		start := rng.Int64N(end + 1)
		held := rng.Int64N(end+1) - 1
		applied := rng.Int64N(held+2) - 1
		from := rng.Int64N(applied + 2)
		truth := rng.IntN(4) > 0 // the claim is of this log
		s := State{
			Identified: rng.IntN(4) > 0, Unbroken: true, From: from, Applied: applied, Observed: from, Held: held,
			Stable: rng.Int64N(end+2) - 1, LogStart: rng.Int64N(start+2) - 1, Compacted: rng.IntN(8) == 0, PastTo: Unknown,
		}
		if rng.IntN(3) == 0 && !s.Compacted {
			s.PastFrom = start + rng.Int64N(end-start+1)
			s.PastTo = s.PastFrom - 1 + rng.Int64N(end-s.PastFrom+1)
		}
		if !truth {
			s.Incarnation = []Incarnation{Newer, Other}[rng.IntN(2)]
		}
		c := Claim{Offset: rng.Int64N(end+6) - 2, End: Unknown}
		if rng.IntN(2) == 0 {
			c.End = end
		}
		if Judge(c, s).Step != Play {
			continue
		}
		played++
		next := c.Offset + 1
		kept := next >= s.From || next >= s.PastFrom && s.PastTo >= s.From-1
		if !truth || c.Offset < -1 || c.Offset >= end || !kept {
			t.Fatalf("claim %+v of a log of [%d, %d), of it %t, is played by %+v", c, start, end, truth, s)
		}
	}
	if played < 50_000 {
		t.Errorf("only %d were played", played)
	}
}

func FuzzJudge(f *testing.F) {
	f.Add(int64(150), int64(-1), uint8(0), uint8(0), int64(100), int64(199))
	f.Add(int64(-3), int64(7), uint8(4), uint8(3), int64(0), int64(-1))
	f.Fuzz(func(t *testing.T, offset, end int64, refused, incarnation uint8, from, applied int64) {
		s := usual(func(s *State) { s.From, s.Applied, s.Incarnation = from, applied, Incarnation(incarnation%5) })
		v := Judge(Claim{offset, end, Reason(refused % 5)}, s)
		if v.Step < Play || v.Step > Fail || (v.Step == Fail) != (v.Reason != None) {
			t.Errorf("%+v", v)
		}
	})
}
