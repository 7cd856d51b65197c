package resume

import (
	"math/rand/v2"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// cut is what a worker knows of a partition whose present era, the so-and-so-many,
// began where the log was cut: at 160, behind a record of leader epoch 4.
func cut(number uint32, since uint64, change func(*State)) State {
	return usual(func(s *State) {
		s.Relation = Relation{Earlier, since}
		s.Era = event.Era{Number: number, From: 160, Epoch: 4}
		if change != nil {
			change(s)
		}
	})
}

func TestClaimOfAnEarlierEra(t *testing.T) {
	for name, c := range map[string]struct {
		claim Claim
		state State
		want  Verdict
	}{
		"below the cut":                           {at(150), cut(1, 1, nil), Verdict{Step: Play}},
		"just below":                              {at(159), cut(1, 1, nil), Verdict{Step: Play}},
		"what was cut":                            {at(160), cut(1, 1, nil), fail(Epoch)},
		"below the cut, and the history":          {at(50), cut(1, 1, nil), Verdict{Step: AskRange}},
		"below the cut, ahead":                    {at(159), cut(1, 1, func(s *State) { s.Applied, s.Held, s.Stable = 140, 159, 160 }), Verdict{Step: Play}},
		"before the first":                        {at(-1), cut(1, 1, nil), Verdict{Step: AskRange}},
		"null":                                    {at(Unproven), cut(1, 1, nil), fail(Unavailable)},
		"one of several partitions":               {at(150), cut(1, 3, nil), Verdict{Step: Play}},
		"the second cut alone":                    {at(150), cut(2, 1, nil), Verdict{Step: Play}},
		"two cuts, of which one is known":         {at(150), cut(2, 2, nil), fail(Epoch)},
		"perhaps two":                             {at(150), cut(3, 2, nil), fail(Epoch)},
		"only others were cut":                    {at(190), cut(0, 2, nil), Verdict{Step: Play}},
		"cut long ago, or now: nobody knows":      {at(190), cut(1, 1, nil), fail(Epoch)},
		"nobody knows what is left below":         {at(150), cut(1, 1, func(s *State) { s.Era.Epoch = event.NoEpoch }), fail(Epoch)},
		"no ids":                                  {at(150), cut(1, 1, func(s *State) { s.Identified = false }), fail(Epoch)},
		"no ids, only others were cut":            {at(190), cut(0, 1, func(s *State) { s.Identified = false }), fail(Epoch)},
		"below the cut, which the log lost since": {at(50), cut(1, 1, func(s *State) { s.LogStart = 60 }), fail(Trimmed)},
	} {
		if got := Judge(c.claim, c.state); got != c.want {
			t.Errorf("%s: %v %v, want %v %v", name, got.Step, got.Reason, c.want.Step, c.want.Reason)
		}
	}
}

// history is what became of a partition: where each of its eras began, and
// whether all below was certain to be as before.
type history struct {
	cuts []event.Era
	seen int   // how many eras had begun when the claim was made
	at   int64 // all up to here was sent then
}

// TestWhatIsSparedIsThere draws topics with partitions that were cut, some of
// them several times and before the claim was made, which names the sum alone.
// Recovered is only right if no cut since, whether known or not, has reached down
// to what the claim covers.
func TestWhatIsSparedIsThere(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 16))
	spared, missed := 0, 0
	for range 300_000 {
		parts := make([]history, 1+rng.IntN(4))
		var then, now uint64
		for i := range parts {
			parts[i] = drawHistory(rng)
			then, now = then+uint64(parts[i].seen), now+uint64(len(parts[i].cuts))
		}
		id := event.TopicID{1}
		relation := Relate(event.EpochName(id, then), id, now)
		claims := make([]Claim, len(parts))
		whole := true
		for i, h := range parts {
			claims[i] = at(h.at)
			whole = whole && h.whole()
		}
		outcome, reason := Decide(claims, func(i int) State {
			s := State{Relation: relation, Identified: true, Applied: 99, Held: 99}
			if n := len(parts[i].cuts); n > 0 {
				s.Era = parts[i].cuts[n-1]
			}
			return s
		}, nil)
		switch {
		case outcome == Recovered && !whole:
			t.Fatalf("%+v is told to be whole", parts)
		case outcome == Failed && reason != Epoch:
			t.Fatalf("%+v is refused for %v", parts, reason)
		case outcome == Failed && whole:
			missed++
		case relation.Incarnation == Earlier && whole:
			spared++
		}
	}
	if spared < 10_000 {
		t.Errorf("only %d were spared, %d were refused that could have been", spared, missed)
	}
}

func drawHistory(rng *rand.Rand) (h history) {
	for n := range rng.IntN(4) {
		e := event.Era{Number: uint32(n + 1), From: rng.Int64N(20), Epoch: int32(n)}
		if rng.IntN(6) == 0 {
			e.Epoch = event.NoEpoch
		}
		h.cuts = append(h.cuts, e)
	}
	h.seen, h.at = rng.IntN(len(h.cuts)+1), rng.Int64N(20)-1
	return h
}

func (h history) whole() bool {
	for _, e := range h.cuts[h.seen:] {
		if h.at >= e.From || e.Epoch == event.NoEpoch {
			return false
		}
	}
	return true
}
