package worker

import (
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/resume"
)

// However many wait, a turn looks at some of them only, and all have their turn.
func TestThoseWhoWaitAreLookedAtInPortions(t *testing.T) {
	const sessions, partitions = 1000, 64
	p := undecided(t, sessions, partitions)
	order := append([]uint64(nil), p.deciding...)
	const portion = decideLooks/(partitions+1) + 1
	p.hurryDecisions()
	for turn := 1; p.undecided > 0; turn++ {
		if p.redecide(); p.undecided < sessions-turn*portion {
			t.Fatalf("%d of %d left behind turn %d", p.undecided, sessions, turn)
		}
		if turn > sessions {
			t.Fatal("no end")
		}
	}
	if len(p.deciding) != sessions {
		t.Fatalf("%d wait", len(p.deciding))
	}
	for i, token := range p.deciding {
		if token != order[i] {
			t.Fatalf("%d has moved", i)
		}
	}
}

// What is not answered in time is refused, the one at once that is late, and no
// other.
func TestWhatIsNotAnsweredInTimeIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		step    resume.Step
		waited  time.Duration
		refused bool
	}{
		"a range":             {resume.AskRange, 9 * time.Second, false},
		"a range, late":       {resume.AskRange, 11 * time.Second, true},
		"an end, late":        {resume.AskEnd, endsWithin + 1, true},
		"an incarnation":      {resume.Wait, endsWithin, false},
		"an incarnation, too": {resume.Wait, endsWithin + 1, true},
	} {
		p := undecided(t, 1, 1)
		r := p.sessions.find(p.deciding[0]).replay
		r.began, r.until = p.now, p.now+int64(10*time.Second)
		p.now += int64(c.waited)
		p.ask(r, &r.parts[0], c.step)
		if (r.parts[0].claim.Refused == resume.Unavailable) != c.refused || r.late != c.refused {
			t.Errorf("%s: %v, %t", name, r.parts[0].claim.Refused, r.late)
		}
	}
}
